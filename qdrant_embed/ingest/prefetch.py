"""Stages that overlap: each runs in a thread of its own, a bounded queue away from the next."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from contextvars import Token, copy_context
from typing import Any, Self, TypeVar, cast

from qdrant_embed.concurrency import Cancelled, Job, current_job, join
from qdrant_embed.ingest.monitoring.watchdog import Watchdog

T = TypeVar("T")

_POLL_SECONDS = 0.1
_JOIN_SECONDS = 1.0
"""How long a stage may take to end after the flow was left early; then it is left alone, and nobody reads from it."""
LAST_STAGE = "write"
"""What the thread does that the last stage hands its items to."""


class _End:
    """The last thing in a queue: the source is exhausted, or it raised `error`."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class Prefetcher:
    """A chain of stages that stop together when its `with` block is left.

    An exception in a stage travels down the chain, after everything that was made before it. A stage that works in a
    library which cannot be interrupted is not waited for; its thread is a daemon and ends when it comes back.

    :param stall_seconds: If no stage goes on for so long, stderr says which one stands still, and where; 0 for never.
    :param stop: Called when the block is left, so that a stage does not go on waiting for another process.
    """

    def __init__(self, stall_seconds: float = 0.0, stop: Callable[[], None] | None = None) -> None:
        self._stop = stop
        self._job = Job()
        self._threads: list[threading.Thread] = []
        self._working: dict[int, str] = {}
        """Threads that wait neither for an item nor for room, and their stages."""
        self._watchdog = Watchdog(self._job, self._working, stall_seconds)
        self._outer: Token[Job | None] | None = None

    def __enter__(self) -> Self:
        self._outer = current_job.set(self._job)
        self._working[threading.get_ident()] = LAST_STAGE
        self._watchdog.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._job.cancelled.set()
        self._watchdog.stop()
        if self._stop is not None:
            self._stop()
        if self._outer is not None:
            current_job.reset(self._outer)
        join(self._threads, _JOIN_SECONDS)

    def stage(self, items: Iterable[T], capacity: int, name: str) -> Iterator[T]:
        """Yield `items` in order while a thread runs ahead of the consumer by at most `capacity` of them."""
        channel: queue.Queue[Any] = queue.Queue(capacity)
        run, arguments = copy_context().run, (self._run, items, channel, name)
        thread = threading.Thread(target=run, args=arguments, name=f"qdrant-embed-{name}", daemon=True)
        self._threads.append(thread)
        thread.start()
        return self._drain(channel)

    def _drain(self, channel: queue.Queue[Any]) -> Iterator[Any]:
        while not self._job.cancelled.is_set():
            stage = self._working.pop(threading.get_ident(), "")
            try:
                item = channel.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                continue
            finally:
                self._working[threading.get_ident()] = stage
            self._job.went_on()
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item

    def _run(self, items: Iterable[T], channel: queue.Queue[Any], name: str) -> None:
        error: BaseException | None = None
        self._working[threading.get_ident()] = name
        iterator = iter(items)
        try:
            for item in iterator:
                if not self._put(channel, item):
                    break
        except Cancelled:
            pass
        except BaseException as raised:
            error = raised
        try:
            # Files and worker processes held open by a stage are released in the thread that uses them.
            close = getattr(iterator, "close", None)
            if close is not None:
                cast("Any", close)()
        except BaseException as raised:
            error = error or raised
        self._put(channel, _End(error))
        self._working.pop(threading.get_ident(), None)

    def _put(self, channel: queue.Queue[Any], item: object) -> bool:
        self._job.went_on()
        stage = self._working.pop(threading.get_ident(), "")
        try:
            while not self._job.cancelled.is_set():
                try:
                    channel.put(item, timeout=_POLL_SECONDS)
                except queue.Full:
                    continue
                return True
            return False
        finally:
            self._working[threading.get_ident()] = stage
