"""The mark on a collection that is being copied: by one at a time, and nothing is written to it meanwhile.

The mark stands in the collection's metadata, so that every process sees it, with a counter that its copier moves every
few seconds. Whoever finds a mark watches that counter by a clock of their own, since those of two machines may differ:
where it moves, they are told who copies; where it stands still for half a minute, the copier is gone. It is no lock:
what was being written when the mark was set is found by comparing the copy afterwards.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qdrant_embed.concurrency import pause
from qdrant_embed.errors import CollectionNotFoundError, StoreError
from qdrant_embed.store.copies.generations import COPYING, said_own

if TYPE_CHECKING:
    from qdrant_embed.store.engine import Engine

BEAT_SECONDS = 4.0
"""How often a copier on a server moves the counter."""
GONE_SECONDS = 30.0
"""A copier whose counter has not moved for so long is gone."""
LOOK_SECONDS = 1.0
TELL_SECONDS = 10.0
"""How often whoever waits says so."""

log = logging.getLogger(__name__)

_ours: set[str] = set()
"""The copiers of this process that are at work."""


class CopyLease:
    """A mark while it is held; `lease_of` gives it.

    The collection's own name is used, since its other names will lead to the copy.
    """

    def __init__(self, engine: Engine, own: str) -> None:
        self._engine = engine
        self._own = own
        self._token = uuid.uuid4().hex
        self._beats = 0
        self._stays = False
        self._lost = False
        self._ended = threading.Event()
        self._heart = threading.Thread(target=self._beat, name="copy-lease", daemon=True)

    def set(self) -> None:
        """Mark the collection.

        :raises StoreError: It is being copied already.
        """
        give_up_dead_copy(self._engine, self._own)
        _ours.add(self._token)
        self._write()
        self._heart.start()

    def require(self) -> None:
        """Refuse to go on where the mark is another's; to be called between pages.

        :raises StoreError: It is.
        """
        if self._lost or mark_of(self._engine, self._own).get("by") != self._token:
            raise StoreError(
                "another process has taken this copy for given up, since its server did not hear of it for "
                f"{GONE_SECONDS:g} seconds; nothing was changed by it. Open the collection again, and see whether "
                "there is anything left to change."
            )

    def stay(self) -> None:
        """Leave the mark where it is: from now on only the end of the change takes it away, with what it stands on."""
        self._stays = True

    def release(self) -> None:
        """Let go of the collection."""
        self._ended.set()
        if self._heart.is_alive():
            self._heart.join()
        _ours.discard(self._token)
        if self._stays:
            return
        with suppress(CollectionNotFoundError):
            if mark_of(self._engine, self._own).get("by") == self._token:
                _set(self._engine, self._own, {})

    def _beat(self) -> None:
        while not self._ended.wait(BEAT_SECONDS):
            try:
                if not self._engine.joined:
                    continue  # nobody else could look
                if mark_of(self._engine, self._own).get("by") != self._token:
                    self._lost = True
                    return
                self._write()
            except StoreError as error:  # the next page meets it too, and tells
                log.debug("the mark of a copy could not be renewed: %s", error)

    def _write(self) -> None:
        self._beats += 1
        host, program = socket.gethostname(), Path(sys.argv[0]).name or "python"
        by = {"by": self._token, "host": host, "program": program, "process": os.getpid()}
        _set(self._engine, self._own, {**by, "beats": self._beats})


@contextmanager
def lease_of(engine: Engine, own: str) -> Iterator[CopyLease]:
    """Mark a collection, by its own name, as being copied.

    :raises StoreError: It is being copied already.
    """
    mark = CopyLease(engine, own)
    try:
        mark.set()
        yield mark
    finally:
        mark.release()


def give_up_dead_copy(engine: Engine, own: str) -> None:
    """Take the mark off a collection whose copier is gone, which may take half a minute to see.

    :raises StoreError: The copier is at work.
    """
    found = mark_of(engine, own)
    if not found:
        return
    began, told = time.monotonic(), BEAT_SECONDS + LOOK_SECONDS
    while found["by"] in _ours or engine.joined:  # else no other process could be at it
        waited = time.monotonic() - began
        if found["by"] in _ours:
            raise being_copied(found)
        if waited >= GONE_SECONDS:
            break
        if waited >= told:
            told += TELL_SECONDS
            log.warning(_waiting(own, found, waited))
        pause(LOOK_SECONDS)
        looked = time.monotonic()
        now = mark_of(engine, own)
        if not now:
            return
        if time.monotonic() - looked > BEAT_SECONDS:  # the server was away, for the copier, too
            began = time.monotonic()
        if now != found:
            raise being_copied(now)
    _set(engine, own, {})


def being_copied(mark: dict[str, Any]) -> StoreError:
    """Return the error for a change of a collection of which a copy is being made."""
    return StoreError(
        f"the collection is being copied by {_who(mark)}, to change its compression; what is written now could be "
        f"lost. The copier was heard of a moment ago, and is given up after {GONE_SECONDS:g} seconds without a sign of "
        "life. Wait until it is done, and try again."
    )


def copier(metadata: Mapping[str, Any]) -> str:
    """Return who has marked a collection as being copied, by its metadata entries; empty where nobody has."""
    mark = _mark_in(metadata)
    return _who(mark) if mark else ""


def mark_of(engine: Engine, own: str) -> dict[str, Any]:
    """Return the mark of a collection, by its own name; empty where it is not being copied."""
    return _mark_in(engine.stored_metadata(own))


class WriteGuard:
    """A collection that is written to for a while: it stays where it is, and is not copied.

    :param name: A name that leads to it.
    :ivar own: The own name of the collection that the name led to.
    """

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine = engine
        self._name = name
        self.own = said_own(engine, name, engine.stored_metadata(name))

    def require(self) -> None:
        """Refuse to write any more where that has changed.

        :raises StoreError: It is being copied, or a copy of it has taken its name.
        """
        with self.watching():
            metadata = self._engine.stored_metadata(self._name)
        if said_own(self._engine, self._name, metadata) != self.own:
            raise self._gone()
        mark = _mark_in(metadata)
        if mark:
            raise being_copied(mark)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Tell of a change where no collection is found: the one that is written to may have been replaced by a copy.

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


def _mark_in(metadata: Mapping[str, Any]) -> dict[str, Any]:
    return dict(metadata.get(COPYING) or {})


def _set(engine: Engine, own: str, mark: dict[str, Any]) -> None:
    engine.update_collection(collection_name=own, metadata={COPYING: mark})


def _who(mark: dict[str, Any]) -> str:
    if "host" not in mark:  # by an earlier version
        return "another process"
    return f"{mark['program']} (process {mark['process']} on {mark['host']})"


def _waiting(own: str, mark: dict[str, Any], waited: float) -> str:
    return (
        f"a copy of collection {own!r} was begun by {_who(mark)}, of whom nothing was heard for {waited:.0f} s; "
        f"it is given up in {max(0.0, GONE_SECONDS - waited):.0f} s"
    )
