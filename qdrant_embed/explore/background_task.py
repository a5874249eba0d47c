"""Work that goes on while a page is looked at: begun when it is first asked for, watched, called off at the end."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from qdrant_embed.concurrency import Cancelled
from qdrant_embed.errors import QdrantEmbedError
from qdrant_embed.native import make_lock
from qdrant_embed.types import Json

T = TypeVar("T")
Report = Callable[[str, float], None]
"""Says what is done now, and which share of all the work is done, 0 to 1; raises `Cancelled` where it is to stop."""

log = logging.getLogger(__name__)


class BackgroundTask(Generic[T]):
    """One result, made in a thread of its own, which is a daemon.

    :param work: Makes the result; it is given what it reports to.
    """

    def __init__(self, work: Callable[[Report], T], name: str) -> None:
        self._work, self._name = work, name
        self._lock = make_lock()
        self._thread: threading.Thread | None = None
        self._stopped = threading.Event()
        self._made: list[T] = []
        self._state: dict[str, Json] = {"state": "working", "doing": "starting", "done": 0.0}

    def result(self) -> T | None:
        """Return the result if it is there; begin to make it where nobody has."""
        with self._lock:
            if self._thread is None and not self._stopped.is_set():
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
        return self._made[0] if self._made else None

    def state(self) -> dict[str, Json]:
        """Return `state` (`working`, `ready`, `failed`), what is done now, how much of it; `error` where it failed."""
        return dict(self._state)

    def wait(self, seconds: float | None = None) -> T | None:
        """Return the result as soon as it is there; None where it failed, or the time is over."""
        self.result()
        if self._thread is not None:
            self._thread.join(seconds)
        return self.result()

    def stop(self, seconds: float = 5.0) -> None:
        """Call it off, and wait a little until it has ended."""
        self._stopped.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(seconds)

    def _report(self, doing: str, done: float) -> None:
        if self._stopped.is_set():
            raise Cancelled
        self._state = {"state": "working", "doing": doing, "done": done}

    def _run(self) -> None:
        try:
            self._made.append(self._work(self._report))
            self._state = {"state": "ready", "done": 1.0}
        except Cancelled:
            self._state = {"state": "failed", "error": "it was called off"}
        except QdrantEmbedError as error:
            self._state = {"state": "failed", "error": str(error)}
        except Exception as error:
            log.exception("%s failed", self._name)
            self._state = {"state": "failed", "error": f"unexpected {type(error).__name__}: {error}"}
