"""What fails in one ingest, noted with the collection while it goes on: a run that is killed leaves what it had met."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from qdrant_embed.display import one_line
from qdrant_embed.errors import AccessDeniedError, QdrantEmbedError, StoreError
from qdrant_embed.ingest.monitoring.failure_record import (
    LONGEST_REASON,
    RecordedFailure,
    entry_of,
    read_entry,
    room_for,
)
from qdrant_embed.ingest.monitoring.report import Tally
from qdrant_embed.servers.patience import patient
from qdrant_embed.store.metadata import FAILED_KEY

if TYPE_CHECKING:
    from qdrant_embed.store.engine import Engine

PAUSE_SECONDS = 2.0
"""Between two notes of a run; the first failure is noted at once."""
ATTEMPTS = 3
"""At an entry that another program changes at the same moment."""


class FailureLedger:
    """Keeps what one ingest finds to fail, beside what is known of the other documents of its root.

    :param place: Where the root's folder is: a reason that names it goes without it, for others need not know it.
    """

    def __init__(self, engine: Engine, name: str, root: str, tally: Tally) -> None:
        self._engine, self._name, self._root, self._tally = engine, name, root, tally
        self.place = ""
        self._times: dict[str, str] = {}
        self._noted, self._due = 0, 0.0
        self._unlisted: Mapping[str, int] | None = None
        self._lock = threading.Lock()

    @contextmanager
    def kept(self, place: str = "") -> Iterator[None]:
        """Note what failed so far if the block fails."""
        self.place = place
        try:
            yield
        except BaseException as error:
            if not isinstance(error, StoreError):  # what is away is not waited for once more
                with suppress(QdrantEmbedError), patient(0):
                    self._note(lambda _: True)
            raise

    def note(self) -> None:
        """Note what failed so far, now and then; what was noted before stays until all has been looked at."""
        failed = len(self._tally.failed())
        if failed == self._noted or time.monotonic() < self._due or not self._lock.acquire(blocking=False):
            return
        try:
            self._note(lambda _: True)
            self._noted, self._due = failed, time.monotonic() + PAUSE_SECONDS
        finally:
            self._lock.release()

    def settle(
        self, within: str, looked_at: Callable[[str], bool], gone: Callable[[str], bool] = lambda _: False
    ) -> None:
        """Note what failed, at the end of a run, and forget what failed before and has been looked at since.

        :param within: Prefix of the sources that were offered; `looked_at` tells which of them were.
        :param gone: Tells of a source that was not whether it is there no more.
        """

        def still(failed: RecordedFailure) -> bool:
            if not failed.source.removeprefix(f"{self._root}/").startswith(within):
                return True
            if failed.kind == "nameless" or looked_at(failed.source):
                return False
            return failed.source.endswith("/") or not gone(failed.source)

        with self._lock:
            if not within and looked_at(""):  # and with the whole root what is not listed for want of room
                self._unlisted = {}
            self._note(still)

    def _note(self, still: Callable[[RecordedFailure], bool]) -> None:
        if self._tally.dry:
            return
        try:
            for _ in range(ATTEMPTS):  # until what is read is what was written
                if self._noted_already(still):
                    return
        except AccessDeniedError:
            self._tally.warn("what failed was not noted with the collection: the key may not change its metadata")

    def _noted_already(self, still: Callable[[RecordedFailure], bool]) -> bool:
        key = f"{FAILED_KEY}{self._root}"
        stored = self._engine.stored_metadata(self._name)
        before = read_entry(stored.get(key), self._root)
        if self._unlisted is None:
            self._unlisted = before.unlisted
        failed = self._failed()
        # What stays stands first: it did fit, so that it fits again, and is counted once.
        stays = [one for one in before if one.source not in failed and still(one)]
        wanted = entry_of([*stays, *failed.values()], self._unlisted, room_for(stored, self._root))
        if wanted == (stored.get(key) or ""):
            return True
        self._engine.update_collection(self._name, metadata={key: wanted})
        return False

    def _failed(self) -> dict[str, RecordedFailure]:
        """Return what failed in this run by its sources, each with the first of its reasons."""
        found: dict[str, RecordedFailure] = {}
        now = datetime.now(UTC).isoformat(timespec="seconds")
        for one in self._tally.failed():
            source = one.source.encode("utf-8", "backslashreplace").decode()
            if source not in found:
                reason = one.reason.replace(f"{self.place}/", "") if self.place else one.reason
                found[source] = RecordedFailure(
                    source=source, root=self._root, kind=one.kind, reason=_cut(one_line(reason)),
                    at=self._times.setdefault(source, now),
                )  # fmt: skip
        return found


def _cut(reason: str) -> str:
    return reason if len(reason) <= LONGEST_REASON else f"{reason[: LONGEST_REASON - 1]}…"
