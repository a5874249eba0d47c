"""The hub's cache on this machine, as its client lays it out: revisions, snapshots of links, and what they lead to.

(huggingface_hub, docs "Manage the cache": `refs/NAME` holds a commit, `snapshots/COMMIT` links to `blobs/DIGEST`, which
are named by the sha256 of large files and git's sha1 of small ones.) Read here, so that a start asks no client.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from qdrant_embed.models.hub.hub_names import COMMIT


def hub_folder() -> Path:
    """Return the hub's cache, as `HF_HUB_CACHE`, `HF_HOME` or neither say."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE).expanduser()


def storage_of(repository: str) -> Path:
    """Return where the cache keeps a repository."""
    return hub_folder() / f"models--{repository.replace('/', '--')}"


def local_copy(repository: str, revision: str = "") -> Path | None:
    """Return what this machine has of a repository, which may be a part of it; None for nothing."""
    storage = storage_of(repository)
    commit = revision if COMMIT.fullmatch(revision) else ""
    with suppress(OSError, ValueError):
        commit = commit or (storage / "refs" / (revision or "main")).read_text(encoding="utf-8").strip()
        snapshot = storage / "snapshots" / commit
        return snapshot if COMMIT.fullmatch(commit) and snapshot.is_dir() else None
    return None


def lacks_for_sure(snapshot: Path, name: str) -> bool:
    """Tell whether the hub's client once asked for a file and was told that there is none."""
    return (snapshot.parents[1] / ".no_exist" / snapshot.name / name).is_file()


def note_revision(repository: str, revision: str, commit: str) -> None:
    """Note to which commit a branch or a tag leads."""
    if revision == commit:
        return
    reference = storage_of(repository) / "refs" / (revision or "main")
    reference.parent.mkdir(parents=True, exist_ok=True)
    _replace(reference, lambda new: new.write_text(commit, encoding="utf-8"))


def link(blob: Path, pointer: Path) -> None:
    """Put a file that was downloaded where its snapshot has it; where there are no links, the file itself."""
    from huggingface_hub import constants

    pointer.parent.mkdir(parents=True, exist_ok=True)
    if not getattr(constants, "HF_HUB_DISABLE_SYMLINKS", False):
        with suppress(OSError, NotImplementedError):
            _replace(pointer, lambda new: new.symlink_to(os.path.relpath(blob, pointer.parent)))
            return
    blob.replace(pointer)


def unlink(pointer: Path) -> None:
    """Remove a file of a snapshot and what it leads to."""
    with suppress(OSError):
        if pointer.is_symlink():
            pointer.resolve().unlink(missing_ok=True)
        pointer.unlink(missing_ok=True)


def remove_copies(repository: str) -> int:
    """Remove all that the cache has of a repository and return its bytes.

    :raises OSError: Something of it cannot be removed.
    """
    storage = storage_of(repository)
    size = disk_size(storage)
    if storage.is_dir():
        # Renamed first: whoever looks for the model while it goes finds none, and not a part of it.
        going = storage.with_name(f".removing-{os.getpid()}-{storage.name}")
        storage.rename(going)
        shutil.rmtree(going)
    shutil.rmtree(hub_folder() / ".locks" / storage.name, ignore_errors=True)
    return size


def disk_size(folder: Path) -> int:
    """Return the bytes of all files below a folder, each once."""
    found = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                path = Path(place, name)
                found += 0 if path.is_symlink() else path.stat().st_size
    return found


def _replace(path: Path, write: Callable[[Path], object]) -> None:
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write(new)
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
