"""The folder of converted models: where it is, how large it may become, and what is removed when it is larger.

A conversion takes as much room as the model's weights, or twice that with its compiled form. It can always be made
again, so those that were not used for long go when a new one is written. One that a process has open stays: each holds
a lock on its own, which the system takes away when the process ends.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from qdrant_embed.display import Facts
from qdrant_embed.errors import ConfigurationError
from qdrant_embed.models.files.word_vectors import cache_folder
from qdrant_embed.native import make_lock

try:
    import fcntl
except ImportError:  # Windows, which refuses to remove files that are open
    fcntl = None  # type: ignore[assignment]

log = logging.getLogger(__name__)

SIZE_VARIABLE = "QDRANT_EMBED_CACHE_GB"
"""Environment variable that says how many gigabytes (2^30 bytes) of conversions are kept."""
USUAL_GB = 10.0
UNUSED_DAYS = 180
"""Conversions that nobody used for so long are removed whatever room there is."""
MADE, UNFINISHED = "converted", "making-"
_OLDER = "compiled"
"""Where compiled forms were kept before they stood with their conversion."""
_IN_USE = "in-use"
_ABANDONED = 86_400
"""Seconds after which what is unfinished was left by a process that was killed."""
_HELD: dict[Path, int] = {}
"""Conversion → the descriptor that holds its lock; open until the process ends."""
_HOLDING = make_lock()


@dataclass(frozen=True, slots=True)
class Conversion:
    """A converted model on disk.

    :param size: Bytes of all its files.
    :param used: When it was last started, in seconds since 1970.
    """

    folder: Path
    size: int
    used: float


def place_of(key: str) -> Path:
    """Return the folder of the conversion that has a key."""
    return cache_folder() / MADE / key


def allowed_bytes() -> int:
    """Return how many bytes of conversions are kept: `QDRANT_EMBED_CACHE_GB`, or 10 GB.

    :raises ConfigurationError: The variable holds no number.
    """
    stated = os.environ.get(SIZE_VARIABLE, "").strip()
    try:
        gigabytes = float(stated) if stated else USUAL_GB
        return int(max(gigabytes, 0.0) * 2**30)
    except (ValueError, OverflowError):
        raise ConfigurationError(
            f"{SIZE_VARIABLE}={stated!r} is no number of gigabytes; give e.g. {SIZE_VARIABLE}=5."
        ) from None


def conversions() -> list[Conversion]:
    """Return what there is, used last first, what was left unfinished included."""
    made = cache_folder() / MADE
    folders = [made / entry.name for entry in _entries(made) if entry.is_dir(follow_symlinks=False)]
    older = cache_folder() / _OLDER
    found = [_looked_at(folder) for folder in (*folders, *([older] if older.is_dir() else []))]
    return sorted(found, key=lambda one: -one.used)


def lock_file(folder: Path) -> Path:
    """Return what is locked while a conversion is made: it stands beside the folder, which is put there whole."""
    return folder.with_suffix(".lock")


def hold(folder: Path) -> bool:
    """Keep a conversion from being removed as long as this process lives, and note that it is used.

    :return: False if it is being removed.
    """
    with _HOLDING:
        if fcntl is not None and not _is_held(folder):
            with contextlib.suppress(OSError):  # what cannot be written, or locked, is not pruned either
                held = os.open(folder / _IN_USE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                try:
                    fcntl.flock(held, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except OSError as error:
                    os.close(held)
                    if isinstance(error, BlockingIOError):
                        return False
                else:
                    _HELD[folder] = held
        with contextlib.suppress(OSError):
            os.utime(folder)
    return folder.is_dir()


def _is_held(folder: Path) -> bool:
    """Tell whether this process holds the folder that stands there now: it may have been made anew."""
    held = _HELD.get(folder)
    if held is None:
        return False
    with contextlib.suppress(OSError):
        if os.path.samestat(os.fstat(held), (folder / _IN_USE).stat()):
            return True
    os.close(_HELD.pop(folder))
    return False


def prune(keep: Path | None = None, most: int | None = None) -> list[Conversion]:
    """Remove conversions that were not used for long, and of the others those used longest ago until the rest fits.

    What a process has open stays, and counts.

    :param keep: One that stays in any case.
    :param most: Bytes that may be left; None for what is allowed.
    :return: What was removed.
    """
    most, now, total, removed = allowed_bytes() if most is None else most, time.time(), 0, []
    for one in conversions():
        unfinished = one.folder.name.startswith(UNFINISHED)
        stale = now - one.used > (_ABANDONED if unfinished else UNUSED_DAYS * 86_400)
        total += one.size
        if one.folder == keep or (unfinished and not stale) or (not stale and total <= most):
            continue
        if _remove(one.folder):
            removed.append(one)
            total -= one.size
    for file in (cache_folder() / MADE).glob("*.lock"):  # of conversions that failed, or that were removed by hand
        if not file.with_suffix("").exists():
            _remove_lock(file)
    if removed:
        size = sum(one.size for one in removed) / 2**30
        log.info("removed %d converted models (%.1f GB) that were not used lately", len(removed), size)
    return removed


def clear_model_cache() -> Facts:
    """Remove converted models from this machine's cache, but those that a process has open; they are made again.

    :return: `folder`, `removed_bytes`, and `left_bytes` of those in use.
    """
    removed = sum(one.size for one in prune(most=0))
    return Facts(folder=str(cache_folder()), removed_bytes=removed, left_bytes=sum(one.size for one in conversions()))


def _remove(folder: Path) -> bool:
    """Remove a folder unless a process has it open; return whether it is gone."""
    with _HOLDING:
        if _is_held(folder):
            return False
        with contextlib.ExitStack() as stack:
            if fcntl is not None and (folder / _IN_USE).exists():
                try:
                    stream = stack.enter_context((folder / _IN_USE).open("ab"))
                    fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError:
                    return False
            shutil.rmtree(folder, ignore_errors=True)
    return not folder.exists()


def _remove_lock(file: Path) -> None:
    """Remove the lock of those who convert, unless one of them has it: then it is wanted again."""
    # Who waits for a lock on a file that is removed here finds that out when it gets it, and makes the file anew.
    with contextlib.suppress(OSError, NotImplementedError, Timeout), FileLock(file).acquire(timeout=0):
        file.unlink(missing_ok=True)


def _looked_at(folder: Path) -> Conversion:
    sizes = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                sizes += os.lstat(Path(place) / name).st_size
    used = 0.0
    with contextlib.suppress(OSError):
        used = folder.stat().st_mtime
    return Conversion(folder, sizes, used)


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            yield from found
    except OSError:
        return
