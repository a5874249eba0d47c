"""Stages that overlap: each runs in a thread of its own, a bounded queue away from the next."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Self, TypeVar, cast

T = TypeVar("T")

_POLL_SECONDS = 0.1
_JOIN_SECONDS = 30.0


class _End:
    """The last thing in a queue: the source is exhausted, or it raised `error`."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class Flow:
    """A chain of stages that stop together; leave its `with` block and no thread of it is left running.

    An exception in a stage travels down the chain, after everything that was made before it.
    """

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join(_JOIN_SECONDS)

    def stage(self, items: Iterable[T], capacity: int, name: str) -> Iterator[T]:
        """Yield `items` in order while a thread runs ahead of the consumer by at most `capacity` of them."""
        channel: queue.Queue[Any] = queue.Queue(capacity)
        thread = threading.Thread(target=self._run, args=(items, channel), name=f"qdrant-embed-{name}", daemon=True)
        self._threads.append(thread)
        thread.start()
        return self._drain(channel)

    def _drain(self, channel: queue.Queue[Any]) -> Iterator[Any]:
        while not self._stopped.is_set():
            try:
                item = channel.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                continue
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item

    def _run(self, items: Iterable[T], channel: queue.Queue[Any]) -> None:
        error: BaseException | None = None
        iterator = iter(items)
        try:
            for item in iterator:
                if not self._put(channel, item):
                    break
        except BaseException as raised:
            error = raised
        finally:
            # Files and worker processes held open by a stage are released in the thread that uses them.
            close = getattr(iterator, "close", None)
            if close is not None:
                cast("Any", close)()
        self._put(channel, _End(error))

    def _put(self, channel: queue.Queue[Any], item: object) -> bool:
        while not self._stopped.is_set():
            try:
                channel.put(item, timeout=_POLL_SECONDS)
            except queue.Full:
                continue
            return True
        return False
