"""Which files a downloaded model has, and their checksums: kept on this machine, and compared whenever it is loaded.

The hub states the sha256 of large files and git's sha1 of small ones. A file that was found right is hashed again only
when its size or its time has moved: to look at both is all that it costs a start.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Protocol

from qdrant_embed.errors import ModelError
from qdrant_embed.models.files.word_vectors import cache_folder
from qdrant_embed.models.hub.hub_names import download_line
from qdrant_embed.models.hub.needed_files import needed_files

SHA256, GIT = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f]{40}")
_AT_ONCE = 1 << 20
_NOTES = ".qdrant-embed"
_IN_FULL: ContextVar[bool] = ContextVar("_IN_FULL", default=False)


class Digest(Protocol):
    """What the hash functions of Python give."""

    def update(self, data: bytes, /) -> None:
        """Go on."""

    def hexdigest(self) -> str:
        """Return what came out."""


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file of a model.

    :param size: Bytes; -1 where nobody stated it.
    :param digest: sha256, or git's sha1, in hexadecimal digits; empty where nobody stated one.
    :param time: When it had last been changed, in seconds since 1970, when it was found right; 0 if it never was.
        Images of containers keep whole seconds.
    """

    size: int
    digest: str
    time: int = 0


KeptFiles = Mapping[str, KeptFile]
"""Name within the snapshot → the file."""


def digest_for(stated: str, size: int) -> Digest:
    """Return the hash function that a digest comes from, at its beginning."""
    if GIT.fullmatch(stated):
        found = hashlib.sha1(usedforsecurity=False)
        found.update(f"blob {size}\0".encode())
        return found
    return hashlib.sha256()


def feed(digest: Digest, stream: IO[bytes]) -> None:
    """Hash the rest of a stream."""
    while piece := stream.read(_AT_ONCE):
        digest.update(piece)


def digest_of(path: Path, stated: str = "") -> str:
    """Return the digest of a file: of the kind that was stated, else sha256."""
    with path.open("rb") as stream:
        found = digest_for(stated, path.stat().st_size)
        feed(found, stream)
    return found.hexdigest()


def kept_files(snapshot: Path) -> KeptFiles | None:
    """Return the files that a snapshot has to have, as noted when it was downloaded; None where nobody noted it."""
    noted = noted_files(snapshot)
    if noted is not None:
        return noted
    with suppress(OSError, ValueError, KeyError, TypeError, ModelError):
        # What the hub's own client notes when it downloads a repository.
        tree = json.loads(_tree(snapshot).read_text(encoding="utf-8"))
        listed = {
            name: KeptFile(int(entry.get("lfs_size") or entry["size"]), entry.get("lfs_sha256") or entry["blob_id"])
            for name, entry in tree["files"].items()
        }
        return {name: listed[name] for name in needed_files(listed, snapshot)}
    return None


def noted_files(folder: Path) -> KeptFiles | None:
    """Return the files of a folder as they were noted here; None where nobody did."""
    for place in _places_of(folder):
        with suppress(OSError, ValueError, TypeError, KeyError):
            found = json.loads(place.read_text(encoding="utf-8"))
            return {name: KeptFile(**values) for name, values in found["files"].items()}
    return None


def is_listed(snapshot: Path) -> bool:
    """Tell whether the files that are noted are all that the hub lists, rather than what was found here."""
    for place in _places_of(snapshot):
        with suppress(OSError, ValueError, TypeError, KeyError):
            return bool(json.loads(place.read_text(encoding="utf-8"))["listed"])
    return _tree(snapshot).is_file()


def keep_files(snapshot: Path, files: KeptFiles, *, listed: bool = True) -> None:
    """Note the files of a snapshot; where nothing can be written, they are looked at again the next time.

    :param listed: Whether they are all that the hub lists and a model needs.
    """
    values = {name: asdict(file) for name, file in files.items()}
    text = json.dumps({"snapshot": str(snapshot), "listed": listed, "files": values})
    for place in _places_of(snapshot):
        with suppress(OSError):
            place.parent.mkdir(parents=True, exist_ok=True)
            descriptor, new = tempfile.mkstemp(dir=place.parent, suffix=".new")
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                stream.write(text)
            Path(new).replace(place)
            return


def forget_files(snapshot: Path) -> None:
    """Forget what was noted of a snapshot that is removed."""
    for place in _places_of(snapshot):
        place.unlink(missing_ok=True)


def look_at(snapshot: Path, files: KeptFiles, *, whole: bool = False) -> tuple[KeptFiles, list[str]]:
    """Return the files with what was found, and the names of those that are not as they were downloaded.

    :param whole: Whether to hash all of them, whatever their sizes and times say.
    """
    found, damaged = {}, []
    for name, file in files.items():
        path = snapshot / name
        status = path.stat()
        time = int(status.st_mtime)
        if whole or (file.size, file.time) != (status.st_size, time):
            size_moved = file.size not in (-1, status.st_size)
            digest = "" if size_moved else digest_of(path, file.digest)
            if size_moved or (file.digest and digest != file.digest):
                damaged.append(name)
                found[name] = replace(file, time=0)
                continue
            found[name] = KeptFile(status.st_size, digest, time)
        else:
            found[name] = file
    return found, damaged


@contextmanager
def compared_in_full() -> Iterator[None]:
    """Let all files of models be hashed while the block runs, whatever their sizes and times say."""
    token = _IN_FULL.set(True)
    try:
        yield
    finally:
        _IN_FULL.reset(token)


def compares_in_full() -> bool:
    """Tell whether the code runs in such a block."""
    return _IN_FULL.get()


def require_undamaged(snapshot: Path, name: str) -> None:
    """Compare a model's files with what was kept of them; cheap where neither sizes nor times have moved.

    :param name: What it is fetched by.
    :raises ModelError: One of them is not what was downloaded.
    """
    files = kept_files(snapshot)
    before = files if files is not None else _first_seen(snapshot)
    after, damaged = look_at(snapshot, before, whole=_IN_FULL.get())
    if damaged:
        raise ModelError(
            f"{', '.join(damaged)} of {name!r} on this machine ({snapshot}) is not what the hub has: changed, or "
            f"damaged since it was downloaded. To get it again, type: {download_line(name)}"
        )
    if files is None or after != before:
        keep_files(snapshot, after, listed=files is not None and is_listed(snapshot))


def _first_seen(snapshot: Path) -> KeptFiles:
    """Return the files of a snapshot that another program downloaded; what links lead to is named by its digest."""
    names = [path.relative_to(snapshot).as_posix() for path in sorted(snapshot.rglob("*")) if path.is_file()]
    found = {}
    for name in needed_files(names, snapshot):
        blob = (snapshot / name).resolve()
        stated = blob.name if SHA256.fullmatch(blob.name) or GIT.fullmatch(blob.name) else ""
        found[name] = KeptFile(blob.stat().st_size, stated)
    return found


def _tree(snapshot: Path) -> Path:
    return snapshot.parents[1] / "trees" / f"{snapshot.name}.json"


def _places_of(folder: Path) -> list[Path]:
    """Return where the files of a folder are noted, the best place first.

    For a snapshot that is the hub's cache itself: what was noted goes along when the cache is copied into an image.
    """
    key = hashlib.blake2b(str(folder.resolve()).encode(), digest_size=12).hexdigest()
    own = cache_folder() / "downloaded" / f"{key}.json"
    snapshot = folder.parent.name == "snapshots"
    return [folder.parents[1] / _NOTES / f"{folder.name}.json", own] if snapshot else [own]
