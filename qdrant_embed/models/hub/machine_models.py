"""The models that the hub's cache on this machine holds, and how much room they take."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from qdrant_embed.errors import ModelError
from qdrant_embed.models.hub.downloads import missing_in
from qdrant_embed.models.hub.hub_names import COMMIT, split_name
from qdrant_embed.models.hub.local_copies import disk_size, hub_folder, local_copy, storage_of


@dataclass(frozen=True, slots=True)
class CachedRepository:
    """A repository of which the cache has something.

    :param size: Bytes on disk, those of unfinished downloads and other revisions included.
    :param revisions: Branches, tags and commits, of those that are here.
    :param missing: What the newest lacks of a model; empty if it is whole.
    """

    name: str
    folder: Path
    size: int
    revisions: tuple[str, ...]
    missing: tuple[str, ...]


def cached_repositories() -> list[CachedRepository]:
    """Return what the cache has, by name."""
    found: list[CachedRepository] = []
    with suppress(OSError):
        for storage in hub_folder().glob("models--*--*"):
            name = storage.name.removeprefix("models--").replace("--", "/", 1)
            if split_name(name) is not None and storage.is_dir():
                found.append(_looked_at(name))
    return sorted(found, key=lambda one: one.name.lower())


def _looked_at(name: str) -> CachedRepository:
    storage = storage_of(name)
    refs, snapshots = storage / "refs", storage / "snapshots"
    named = {path.relative_to(refs).as_posix() for path in refs.rglob("[!.]*") if path.is_file()}
    led_to = {copy.name for one in named if (copy := local_copy(name, one)) is not None}
    loose = [path.name for path in snapshots.iterdir() if COMMIT.fullmatch(path.name)] if snapshots.is_dir() else []
    revisions = (*sorted(named), *sorted(set(loose) - led_to))
    newest = next((copy for one in revisions if (copy := local_copy(name, one)) is not None), None)
    missing = ["everything"]
    with suppress(ModelError):
        missing = missing_in(newest) if newest is not None else missing
    return CachedRepository(name, storage, disk_size(storage), revisions, tuple(missing))
