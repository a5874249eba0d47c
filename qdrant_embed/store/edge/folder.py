"""A folder of collections, open in this process: one lock, one catalog, and the shards that have been asked for.

Creating and deleting survive a crash at any line. The catalog decides what exists; a shard is made in `<uuid>.new` and
removed as `<uuid>.deleted`, and what a crash left under these two names is cleared up at the next opening. A folder of
any other name is never removed.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qdrant_embed.display import reason
from qdrant_embed.errors import CollectionExistsError, CollectionNotFoundError, ConfigurationError, StoreError
from qdrant_embed.native import make_reentrant_lock
from qdrant_embed.store.edge.catalog_file import CATALOG_FILE, Catalog, Entry, sync_folder
from qdrant_embed.store.edge.lock import FolderLock, FolderServing, let_go_of_files
from qdrant_embed.store.edge.shard import Shard, config_of, lost
from qdrant_embed.store.edge.shard_config import edge_config

if TYPE_CHECKING:
    from qdrant_client import models

SHARDS = "shards"
ATTACHMENTS = "attachments"
NEW, DELETED = ".new", ".deleted"

_open: dict[Path, EdgeFolder] = {}
_opening = make_reentrant_lock()


class EdgeFolder:
    """One folder; made by `acquire`, which shares it among all who open it in this process."""

    def __init__(self, path: Path, *, make: bool = True) -> None:
        self.path = path
        self.process = os.getpid()
        self.closed = False
        self.server: FolderServing | None = None
        self._users = 0
        self._shards: dict[str, Shard] = {}
        self._changing = make_reentrant_lock()
        _require_ours(path)
        if not make and not (path / CATALOG_FILE).exists():
            raise CollectionNotFoundError(f"the folder {str(path)!r} holds no collections.")
        try:
            (path / SHARDS).mkdir(parents=True, exist_ok=True)
            self._lock = FolderLock(path)
        except OSError as error:
            raise StoreError(f"the folder {str(path)!r} cannot be used: {reason(error)}.") from error
        try:
            self.catalog = Catalog.read(path)
            if not (path / CATALOG_FILE).exists():
                self.commit(self.catalog)
            _clear_up(self)
        except BaseException:
            self._lock.release()
            raise

    # Sharing

    @staticmethod
    def acquire(path: Path, *, make: bool = True) -> EdgeFolder:
        """Open a folder, or join those who have it open in this process.

        :param make: Make it one of collections where it is none yet; else nothing is written into it.
        :raises CollectionNotFoundError: It is none, and shall not become one.
        :raises LocationLockedError: Another process holds it.
        """
        key = path.resolve()
        with _opening:
            while True:
                folder = _open.get(key)
                if folder is None:
                    folder = _open[key] = EdgeFolder(key, make=make)
                folder._users += 1
                # The garbage collector may have let the folder's last user go between these lines.
                if not folder.closed:
                    return folder

    def release(self) -> None:
        """Leave the folder; the last one closes it."""
        if self.process != os.getpid():
            return
        with _opening:
            self._users -= 1
            if not self._users:
                del _open[self.path]
                self._close()

    def serve(self, make: Callable[[], FolderServing]) -> None:
        """Let other processes ask this one from now on, where that is possible."""
        with _opening:
            if self.server is None and not self.closed:
                with suppress(OSError):
                    self.server = make()
                self._lock.tell(self.server.address if self.server else None)

    def _close(self) -> None:
        if self.server is not None:
            self.server.close()
        self.closed = True
        try:
            for shard in self._shards.values():
                shard.close()
        finally:
            self._shards.clear()
            self._lock.release()

    def abandon(self) -> None:
        """Forget the folder without touching it: it belongs to the process that this one was forked from."""
        self._lock.abandon()
        if self.server is not None:
            self.server.abandon()
        let_go_of_files(self.path)

    # Collections

    def shard(self, name: str) -> Shard:
        """Return a collection's shard, opened at its first use.

        :raises CollectionNotFoundError: There is no such collection.
        :raises StoreError: The folder was opened before this process was forked.
        """
        if self.process != os.getpid():
            raise StoreError(
                f"the folder {str(self.path)!r} was opened by process {self.process}, from which this one was forked. "
                "Open it after the fork."
            )
        found = self._shards.get(self.catalog.resolve(name)[1].folder)
        if found is not None:
            return found
        with self._changing:
            # Another thread may have removed it, or the name goes elsewhere.
            called, entry = self.catalog.called(name), self.catalog.resolve(name)[1]
            if entry.folder not in self._shards:
                if not (path := self.path / SHARDS / entry.folder).is_dir():
                    raise lost(called, self.path)
                self._shards[entry.folder] = Shard(path, called, config_of(entry.config, called, path))
            return self._shards[entry.folder]

    def create(self, name: str, config: models.CreateCollection, metadata: dict[str, Any] | None) -> None:
        """Make an empty collection.

        :raises CollectionExistsError: The name is taken.
        """
        with self._changing:
            if name in self.catalog:
                raise CollectionExistsError(f"a collection or an alias {name!r} already exists here; choose another.")
            stored = config.model_dump(mode="json", exclude_none=True)
            entry = Entry(folder=uuid.uuid4().hex, config=stored, metadata=metadata)
            final = self.path / SHARDS / entry.folder
            fresh = final.with_suffix(NEW)
            try:
                Shard.create(fresh, name, edge_config(stored))
            except BaseException:
                shutil.rmtree(fresh, ignore_errors=True)
                raise
            self.commit(self.catalog.with_entry(name, entry))
            fresh.rename(final)
            sync_folder(final.parent)

    def delete(self, name: str) -> bool:
        """Remove a collection and its aliases; return whether there was one."""
        with self._changing:
            entry = self.catalog.collections.get(name)
            if entry is None:
                return False
            shard = self._shards.pop(entry.folder, None)
            if shard is not None:
                with suppress(StoreError):  # what a damaged shard could not bring to disk goes anyway
                    shard.remove()
            final = self.path / SHARDS / entry.folder
            # What can no longer be opened, or is no longer there, can still be removed.
            doomed = final.rename(final.with_suffix(DELETED)) if final.exists() else final
            self.commit(self.catalog.without(name))
            # Whatever cannot be removed now (an open file on Windows) is cleared up at the next opening.
            shutil.rmtree(doomed, ignore_errors=True)
            self._attachment_path(entry).unlink(missing_ok=True)
            return True

    def attach(self, name: str, data: bytes) -> None:
        """Keep a file with a collection: after a crash the old one or this one is there, whole."""
        with self._changing:
            path = self._attachment_path(self.catalog.resolve(name)[1])
            path.parent.mkdir(exist_ok=True)
            _write_whole(path, data)

    def attachment(self, name: str) -> bytes | None:
        """Return the file that is kept with a collection, None if there is none."""
        path = self._attachment_path(self.catalog.resolve(name)[1])
        return path.read_bytes() if path.exists() else None

    def _attachment_path(self, entry: Entry) -> Path:
        return self.path / ATTACHMENTS / f"{entry.folder}.safetensors"

    def reconfigure(self, name: str, config: models.CreateCollection) -> None:
        """Change a collection's configuration; its shard is opened anew with it."""
        with self._changing:
            own, entry = self.catalog.resolve(name)
            stored = config.model_dump(mode="json", exclude_none=True)
            wanted = edge_config(stored)
            shard = self.shard(own)
            shard.require_building()
            del self._shards[entry.folder]
            shard.reopen(wanted)
            self._shards[entry.folder] = shard
            self.commit(self.catalog.with_entry(own, replace(entry, config=stored)))

    def set_metadata(self, name: str, changes: dict[str, Any]) -> None:
        """Replace some top-level entries of a collection's metadata."""
        with self._changing:
            own, entry = self.catalog.resolve(name)
            merged = {**(entry.metadata or {}), **changes}
            self.commit(self.catalog.with_entry(own, replace(entry, metadata=merged)))

    def edit(self, change: Callable[[Catalog], Catalog]) -> None:
        """Change the catalog as it is then: no other thread does so meanwhile."""
        with self._changing:
            self.commit(change(self.catalog))

    def commit(self, catalog: Catalog) -> None:
        """Make this catalog the folder's, on disk first."""
        with self._changing:
            try:
                catalog.write(self.path)
            except OSError as error:
                raise StoreError(f"{str(self.path / CATALOG_FILE)!r} cannot be written: {reason(error)}.") from error
            self.catalog = catalog


def closed(path: Path) -> StoreError:
    """Return the error for a folder that was let go of."""
    return StoreError(f"the location {str(path)!r} has been closed; open the collection again.")


def _write_whole(path: Path, data: bytes) -> None:
    fresh = path.with_suffix(NEW)
    with fresh.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    sync_folder(path.parent)


def _clear_up(folder: EdgeFolder) -> None:
    """Finish what a crash interrupted."""
    shards = folder.path / SHARDS
    names = {entry.folder: name for name, entry in folder.catalog.collections.items()}
    for left in [path for path in shards.iterdir() if path.suffix in (NEW, DELETED)]:
        if left.suffix == NEW and left.stem in names:
            left.rename(left.with_suffix(""))
            continue
        if left.suffix == DELETED and left.stem in names:
            folder.commit(folder.catalog.without(names[left.stem]))
        shutil.rmtree(left)
    for file in (folder.path / ATTACHMENTS).glob("*"):
        if file.stem not in names or file.suffix == NEW:
            file.unlink()


def _require_ours(path: Path) -> None:
    """Refuse a folder that something else keeps its data in.

    :raises ConfigurationError: It is a file, or the data of another kind of Qdrant.
    """
    if path.exists() and not path.is_dir():
        raise ConfigurationError(f"{str(path)!r} is a file; give the folder that shall hold the collections.")
    if (path / CATALOG_FILE).exists():
        return
    if (path / "meta.json").exists() and not (path / SHARDS).exists():
        raise ConfigurationError(
            f"{str(path)!r} was written by QdrantClient(path=…), whose files this engine does not read. "
            "Choose another folder, or pass the client itself: at=QdrantClient(path=…)."
        )
    if (path / "raft_state.json").exists() or (path / "edge_config.json").exists():
        raise ConfigurationError(
            f"{str(path)!r} is the storage of a Qdrant server or a single Edge shard. Give the server's URL, "
            "or choose another folder."
        )
    if any(shard.suffix not in (NEW, DELETED) for shard in (path / SHARDS).glob("*")):
        raise StoreError(f"{str(path)!r} holds shards but no {CATALOG_FILE}. Restore it from a copy of the folder.")


def _after_fork() -> None:
    for folder in _open.values():
        folder.abandon()
    _open.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
