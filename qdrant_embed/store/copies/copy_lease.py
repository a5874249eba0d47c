"""The mark on a collection that is being copied: by one at a time, and nothing is written to it meanwhile.

The mark stands in the collection's metadata, so that every process sees it, with the time when its copier was last
alive. It is no lock: what was being written when it was set is found by comparing the copy afterwards.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from qdrant_embed.errors import CollectionNotFoundError, StoreError
from qdrant_embed.store.copies.aliases import resolve_alias

if TYPE_CHECKING:
    from qdrant_embed.store.engine import Engine

KEY = "qdrant_embed_copying"
"""Metadata entry, one of its own so that setting it touches no other: `by` whom the collection is being copied, and
when that was last `alive`, in seconds since 1970."""
BEAT_SECONDS = 10.0
DEAD_SECONDS = 300.0
"""A copier on a server that was not heard of for so long is gone: no page of points takes that long."""

_ours: set[str] = set()
"""The copiers of this process that are at work."""


class CopyLease:
    """A mark while it is held; `marked` gives it."""

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine = engine
        self._name = resolve_alias(engine, name)
        self._token = uuid.uuid4().hex
        self._beaten = 0.0
        self._stays = False

    def set(self) -> None:
        """Mark the collection.

        :raises StoreError: It is being copied already.
        """
        found = _mark(self._engine, self._name)
        if found and _is_alive(self._engine, found):
            raise StoreError(
                f"collection {self._name!r} is being copied already, to change its compression. Wait until that is "
                "done, open the collection again, and see whether there is anything left to change."
            )
        _ours.add(self._token)
        self._write()

    def beat(self) -> None:
        """Say that the copier is still alive; to be called more often than every few minutes.

        :raises StoreError: Another one has taken it for dead and begun anew.
        """
        if time.monotonic() - self._beaten < BEAT_SECONDS:
            return
        self.require()
        self._write()

    def require(self) -> None:
        """Refuse to go on where the mark is another's.

        :raises StoreError: It is.
        """
        if _mark(self._engine, self._name).get("by") != self._token:
            raise StoreError(
                f"another process has begun to copy collection {self._name!r} too, so this copy was given up; nothing "
                "was changed by it. Wait for the other one, and open the collection again."
            )

    def stay(self) -> None:
        """Leave the mark where it is: from now on only the end of the change takes it away, with what it stands on."""
        self._stays = True

    def release(self) -> None:
        """Let go of the collection."""
        _ours.discard(self._token)
        if self._stays or not self._engine.collection_exists(self._name):
            return
        if _mark(self._engine, self._name).get("by") == self._token:
            _set(self._engine, self._name, {})

    def _write(self) -> None:
        _set(self._engine, self._name, {"by": self._token, "alive": time.time()})
        self._beaten = time.monotonic()


@contextmanager
def lease_of(engine: Engine, name: str) -> Iterator[CopyLease]:
    """Mark a collection as being copied.

    :raises StoreError: It is being copied already.
    """
    mark = CopyLease(engine, name)
    try:
        mark.set()
        yield mark
    finally:
        mark.release()


def require_no_copy(engine: Engine, name: str) -> None:
    """Refuse to write to a collection that is being copied: what is written now might be missing in the copy.

    :raises StoreError: It is.
    """
    if _mark(engine, name):
        raise StoreError(
            f"collection {name!r} is being copied, to change its compression; what is written now could be lost. Try "
            "again when that is done. If it was cut off, open the collection again: that finishes it or gives it up."
        )


def release_expired(engine: Engine, name: str) -> None:
    """Take the mark off a collection whose copier is gone; nothing where it is alive or there is none."""
    if not engine.collection_exists(name):
        return
    found = _mark(engine, name)
    if found and not _is_alive(engine, found):
        _set(engine, name, {})


class WriteGuard:
    """A collection that is written to for a while: it stays where it is, and is not copied.

    :param name: A name that leads to it.
    """

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine = engine
        self._name = name
        self._own = resolve_alias(engine, name)

    def require(self) -> None:
        """Refuse to write any more where that has changed.

        :raises StoreError: It is being copied, or a copy of it has taken its name.
        """
        if resolve_alias(self._engine, self._name) != self._own:
            raise self._gone()
        with self.watching():
            require_no_copy(self._engine, self._name)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Tell of a change where no collection is found: a name that goes over to a copy leads nowhere for a moment.

        :raises StoreError: What was done within found no collection.
        """
        try:
            yield
        except CollectionNotFoundError as error:
            raise self._gone() from error

    def _gone(self) -> StoreError:
        return StoreError(
            f"the compression of collection {self._name!r} was changed after it was opened here, or it was removed. "
            "Open it again and ingest again: what is there already costs almost nothing."
        )


def _mark(engine: Engine, name: str) -> dict[str, Any]:
    return dict(engine.stored_metadata(name).get(KEY) or {})


def _set(engine: Engine, name: str, mark: dict[str, Any]) -> None:
    engine.update_collection(collection_name=name, metadata={KEY: mark})


def _is_alive(engine: Engine, found: dict[str, Any]) -> bool:
    # Only one process can have a folder open, or a client in memory.
    return found["by"] in _ours or (engine.shared and time.time() - float(found["alive"]) < DEAD_SECONDS)
