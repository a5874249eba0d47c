"""Where requests wait: limits per minute, and pauses that a server asked for."""

from __future__ import annotations

import threading
import time
from collections import deque

from qdrant_embed.concurrency import pause
from qdrant_embed.native import make_lock


class Stopped(BaseException):
    """The call has ended; whoever still waits need not."""


class Gate:
    """Lets requests through so that no `window` seconds see more than was allowed. For several threads.

    A log of what went through, not a bucket that refills: after a pause a bucket would let twice the limit through
    within one window.

    :param requests: Requests per window, 0 for any number.
    :param tokens: Tokens per window, 0 for any number; a larger request goes alone.
    :param window: Seconds.
    """

    def __init__(self, *, requests: int = 0, tokens: int = 0, window: float = 60.0) -> None:
        self._requests, self._tokens, self._window = requests, tokens, window
        self._passed: deque[tuple[float, int]] = deque()
        self._closed_until = 0.0
        self._lock = make_lock()

    def enter(self, tokens: int, stop: threading.Event) -> None:
        """Wait until a request of so many tokens may go out.

        :raises Stopped: `stop` was set.
        """
        while (wait := self._admit(tokens)) > 0:
            sleep(wait, stop)

    def pause(self, seconds: float) -> None:
        """Let nothing through for so long: a server that is too busy for one request is too busy for the others."""
        with self._lock:
            self._closed_until = max(self._closed_until, time.monotonic() + seconds)

    def _admit(self, tokens: int) -> float:
        """Note the request and return 0, or return the seconds after which to ask again."""
        with self._lock:
            now = time.monotonic()
            if now < self._closed_until:
                return self._closed_until - now
            while self._passed and self._passed[0][0] <= now - self._window:
                self._passed.popleft()
            full = self._requests and len(self._passed) >= self._requests
            spent = sum(of_request for _, of_request in self._passed)
            if self._passed and (full or (self._tokens and spent + tokens > self._tokens)):
                return max(self._passed[0][0] + self._window - now, 0.001)
            if self._requests or self._tokens:
                self._passed.append((now, tokens))
            return 0.0


def sleep(seconds: float, stop: threading.Event) -> None:
    """Wait, but no longer than until the call ends.

    :raises Stopped: `stop` was set.
    """
    pause(seconds, stop)
    if stop.is_set():
        raise Stopped
