"""One Qdrant Edge shard, opened: its updates, its flushing, and its errors in our words.

The extension holds Python's global lock during every call, so threads may share a shard, but wait for each other.

An update is in the write-ahead log, that is in the system's hands, when the call returns: it survives the end of the
process, however sudden. It is on disk only after a flush, so an update that comes `FLUSH_SECONDS` or more after the
last flush is followed by one; the server keeps the same promise with the same interval.
"""

from __future__ import annotations

import errno
import logging
import os
import re
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from shlex import quote
from typing import Any

import qdrant_edge as edge

from qdrant_embed.errors import CollectionNotFoundError, DamagedError, QdrantEmbedError, StoreError
from qdrant_embed.native import make_lock, make_reentrant_lock
from qdrant_embed.store.edge import optimizer
from qdrant_embed.store.edge.lock import held_by_another
from qdrant_embed.store.edge.room import TO_CHANGE, TO_CREATE, has_room_for_copy, require_room
from qdrant_embed.store.edge.shard_config import edge_config

log = logging.getLogger(__name__)

FLUSH_SECONDS = 5.0
POINTS_AT_ONCE = 2000
"""Points of a shard from which its graph is built by a process of its own; below, it is a matter of a second."""
BUILT = "graph_built"
"""File in a shard's folder: its graph is built over all that it holds. It goes before the next change is made."""
_ERROR_NUMBER = re.compile(r"os error (\d+)")
_WRONG_FILES = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EINVAL}
"""What the system says of files that are missing or have no contents; all else that it refuses may work later."""
_LONGEST_REASON = 300
_LET_GO_SECONDS = 0.1
_REDIRECTING = make_lock()
"""There is one stderr for all threads."""


@contextmanager
def refusals(collection: str) -> Iterator[None]:
    """Turn the extension's bare exceptions into `StoreError`."""
    try:
        yield
    except QdrantEmbedError:
        raise
    except RecursionError:
        raise StoreError(f"collection {collection!r}: a filter or a query is nested too deep.") from None
    except Exception as error:
        raise StoreError(f"collection {collection!r}: the embedded engine refused: {_reason(error)}") from error
    except BaseException as error:
        if not _is_panic(error):
            raise
        raise damaged(collection, error) from None


@contextmanager
def _panics_unprinted() -> Iterator[None]:
    """Keep what Rust prints of a panic off stderr, where one plain error will stand; all else is printed afterwards."""
    with _REDIRECTING, tempfile.TemporaryFile() as printed:
        try:
            stderr = os.dup(2)
        except OSError:  # closed: nothing will be seen anyway
            yield
            return
        os.dup2(printed.fileno(), 2)
        panicked = False
        try:
            yield
        except BaseException as error:
            panicked = _is_panic(error)
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            printed.seek(0)
            if not panicked and (text := printed.read()):
                with suppress(OSError):
                    os.write(2, text)


def _is_panic(error: BaseException) -> bool:
    """Tell whether the extension's Rust code gave up: such an error is no `Exception`, so nothing would catch it."""
    return type(error).__name__ == "PanicException"


def _reason(error: BaseException) -> str:
    text = " ".join(str(error).split())
    if "process cancelled by service" in text:
        return (
            "a formula has no value for some point: a division by zero, a logarithm, root, power or acosh of what has "
            "none, a result that is too large for a number, or a field that is missing or no number. Give defaults=… "
            "or by_zero_default=…, or bound what goes in with max and min."
        )
    return text if len(text) <= _LONGEST_REASON else f"{text[:_LONGEST_REASON]}…"


def damaged(collection: str, error: BaseException, path: Path | None = None) -> DamagedError:
    """Return the error for files that the engine cannot read."""
    folder = "its folder" if path is None else f"the folder {str(path.parent.parent)!r}"
    return DamagedError(
        f"the collection {collection!r} is damaged ({_reason(error)}). Restore {folder} from a copy; or remove the "
        f"collection with Collection.drop({collection!r}, at=…) (qdrant-embed delete --all --collection "
        f"{quote(collection)}) and ingest again. The other collections of the folder are not affected."
    )


def config_of(stored: Mapping[str, Any], collection: str, path: Path) -> edge.EdgeConfig:
    """Return what a shard shall be, as the catalog has it.

    :raises DamagedError: It cannot be understood.
    """
    try:
        return edge_config(stored)
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(collection, error, path) from error


def _is_refusal(reason: str) -> bool:
    """Tell whether the system did not let files be read: too many are open, or a permission is lacking."""
    numbers = {int(number) for number in _ERROR_NUMBER.findall(reason)}
    return bool(numbers) and not numbers <= _WRONG_FILES


def lost(collection: str, folder: Path) -> DamagedError:
    """Return the error for a collection whose files are not there."""
    return DamagedError(
        f"the folder {str(folder)!r} has lost the data of {collection!r}: its catalog names it, but its shard is gone. "
        f"Restore the folder from a copy; or remove the collection with Collection.drop({collection!r}, at=…) "
        f"(qdrant-embed delete --all --collection {quote(collection)}) and ingest again."
    )


class _Calls:
    """The extension's methods, which wait while the shard is open in another process."""

    def __init__(self, shard: Shard) -> None:
        self._shard = shard

    def __getattr__(self, name: str) -> Callable[..., Any]:
        shard = self._shard

        def call(*arguments: Any) -> Any:
            with shard._one_at_a_time:
                if shard.removed:  # while this thread waited, or held it without asking the folder
                    raise CollectionNotFoundError(f"there is no collection {shard.collection!r} any more.")
                return getattr(shard._opened, name)(*arguments)

        return call


class Shard:
    """An open shard.

    :param config: What the shard shall be from now on; indexes are rebuilt by the next `optimize` where it differs.
    :raises LocationLockedError: Another process has the shard's log open.
    """

    def __init__(self, path: Path, collection: str, config: edge.EdgeConfig) -> None:
        self.collection = collection
        self.removed = False
        self._path, self._config = path, config
        self._one_at_a_time = make_reentrant_lock()
        self._opened = self._open()
        self.edge: Any = _Calls(self)
        self._flushed = time.monotonic()
        self._built = (path / BUILT).exists()

    def _open(self, tries: int = 10) -> edge.EdgeShard:
        path, collection, config = self._path, self.collection, self._config
        try:
            with _panics_unprinted():
                return edge.EdgeShard.load(str(path), config)
        except BaseException as error:
            if not isinstance(error, Exception) and not _is_panic(error):
                raise
            if "WouldBlock" in str(error) and tries > 1:
                # A child that was forked a moment ago lets go of what it inherited; see `EdgeFolder.abandon`.
                time.sleep(_LET_GO_SECONDS)
                return self._open(tries - 1)
            if "WouldBlock" in str(error):
                # Our own lock was free, so it is a child that this or an earlier process has forked.
                raise held_by_another(path.parent.parent, {}) from None
            if _is_refusal(str(error)):
                reason = f"the collection {collection!r} could not be opened: {_reason(error)}"
                raise StoreError(f"{reason}. Nothing is said of its files by that; try again.") from error
            raise damaged(collection, error, path) from error

    @staticmethod
    def create(path: Path, collection: str, config: edge.EdgeConfig) -> None:
        """Make an empty shard in a folder that does not exist yet."""
        require_room(path.parent, TO_CREATE)
        with refusals(collection):
            edge.EdgeShard.create(str(path), config).close()

    def update(self, operation: edge.UpdateOperation, size: int = 0) -> None:
        """Apply an operation; when this returns it survives the end of the process.

        :param size: Bytes that it writes, roughly.
        :raises DiskFullError: There is no room for it.
        """
        require_room(self._path, TO_CHANGE + size)
        with self._one_at_a_time, refusals(self.collection):
            self.require_building()
            self.edge.update(operation)
            if time.monotonic() - self._flushed >= FLUSH_SECONDS:
                self.flush()

    def flush(self) -> None:
        """Bring everything to disk."""
        with refusals(self.collection):
            self.edge.flush()
        self._flushed = time.monotonic()

    def require_building(self) -> None:
        """Have the next `optimize` build the graph: the shard is about to change."""
        if self._built:
            (self._path / BUILT).unlink(missing_ok=True)
            self._built = False

    def optimize(self) -> None:
        """Build the HNSW graph and merge segments where the engine's thresholds say so, if anything has changed since.

        Where it may take long, another process does it, so that this one goes on and sees Ctrl-C; calls of other
        threads wait. Where that process could not be started, this one does it. Where a signal ended it, as one does
        if memory runs out, nobody does: searches then read all points, and the next `optimize` tries again.
        """
        with self._one_at_a_time, refusals(self.collection):
            if self._built:
                self.flush()
                return
            if not has_room_for_copy(self._path / "segments"):
                log.warning("no room on the disk to build the search graph of %s: searches read all", self.collection)
                self.flush()
                return
            self._built = self._build()
            self.flush()
            if self._built:
                (self._path / BUILT).touch()

    def _build(self) -> bool:
        """Build the graph, here or in a process of its own; return whether it is built."""
        if self._opened.info().points_count < POINTS_AT_ONCE or _forked.is_set():
            self._opened.optimize()
            return True
        self._opened.close()
        try:
            optimizer.build(self._path)
        except optimizer.NotBuiltError as error:
            log.warning("the search graph of %s was not built by a process of its own: %s", self.collection, error)
            if error.killed:
                return False  # this process had better not try
        else:
            return True
        finally:
            self._opened = self._open()
        self._opened.optimize()
        return True

    def close(self) -> None:
        """Flush and let go of the files."""
        with refusals(self.collection):
            self.edge.close()

    def reopen(self, config: edge.EdgeConfig) -> None:
        """Go on with another configuration; calls of other threads wait."""
        with self._one_at_a_time:
            self.close()
            self._config = config
            self._opened = self._open()

    def remove(self) -> None:
        """Let go of the files, for good: whoever holds the shard finds that its collection is gone."""
        with self._one_at_a_time:
            try:
                self.close()
            finally:
                self.removed = True


_forked = threading.Event()
"""Set once this process has been forked: a child may hold the lock of a shard, which could then not be opened again."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_parent=_forked.set)
