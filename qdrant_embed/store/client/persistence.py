"""What is asked of a server asked again, until it works or patience (`servers.patience`) is at its end.

Threads that wait for one server wait together, and one warning is given for all of them.
"""

from __future__ import annotations

import logging
import random
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from qdrant_embed.concurrency import Cancelled, pause
from qdrant_embed.errors import QdrantEmbedError
from qdrant_embed.servers.patience import SEARCH_SECONDS, patience_now
from qdrant_embed.store.client.errors import FaultError, Kind, ServerFault, diagnose

log = logging.getLogger("qdrant_embed.servers")

SAID_AFTER = 2.0
"""Seconds after which a run says that it waits."""
LONGEST_PAUSE = 1.0
"""Seconds between two tries while a server is away, at most: it is to be found soon after it is back."""

SAME_ABSENCE = 10.0
"""Seconds between two requests that fail after which the second one's server is away anew."""

AWAY: frozenset[Kind] = frozenset({"unreachable", "cut", "timeout", "away"})
"""Faults of a server that may come back; after the others it is there, and asking it often will not help."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """How what failed is tried again.

    :param attempts: Tries in all where the server is there and refuses; while it is away only time counts.
    :param first_wait: Upper bound of the random pause before the second try, in seconds; doubled each time.
    :param longest_wait: Upper bound of every pause; a server that wants a longer one is given up, but by what waits for
        longer anyway.
    :param clock: Returns seconds.
    :param sleep: Waits so many seconds.
    """

    attempts: int = 6
    first_wait: float = 0.5
    longest_wait: float = 60.0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = lambda seconds: pause(seconds)

    def before_next(self, fault: ServerFault, attempt: int, gone: float) -> float | None:
        """Return the seconds to wait before the next try, None to give up.

        :param attempt: Number of the one that failed, from 1.
        :param gone: Seconds since the first one failed.
        """
        left = patience_now() - gone
        doubled = self.first_wait * 2 ** min(attempt - 1, 20)
        if fault.kind in AWAY:
            # The last try is made when the time is over.
            return min(_about(min(doubled, LONGEST_PAUSE)), left) if left > 0 else None
        wanted = fault.wait if fault.wait is not None else _about(min(doubled, self.longest_wait))
        limited = fault.kind == "busy" and wanted <= left
        return wanted if limited or (attempt < self.attempts and wanted <= self.longest_wait) else None


AT_ONCE = Retries(attempts=1)
"""Together with no patience: fail at once."""


class _Absence:
    """Since when a server is away, shared by all threads that ask it; it is warned of once.

    :param place: What to call the server.
    """

    def __init__(self, place: str) -> None:
        self._place = place
        self._lock = threading.Lock()
        self._since: float | None = None
        self._last = 0.0
        self._said = False

    def note(self, now: float, detail: str) -> float:
        """Note that it did not answer; return the seconds since it first did not.

        What gave up asks no more; whoever asks later begins to wait anew.
        """
        patience = patience_now()
        with self._lock:
            if self._since is None or now - self._last > SAME_ABSENCE:
                self._since, self._said = now, False
            self._last, gone = now, now - self._since
            said = self._said or gone < SAID_AFTER or patience <= SEARCH_SECONDS
            self._said |= not said
        if not said:
            begun = time.time() - gone
            since, until = (time.strftime("%H:%M:%S", time.localtime(moment)) for moment in (begun, begun + patience))
            log.warning("%s is away since %s, waiting until %s: %s", self._place, since, until, detail)
        return gone

    def end(self, now: float) -> None:
        """Note that it answers."""
        if self._since is None:
            return
        with self._lock:
            since, said = self._since, self._said
            self._since, self._said = None, False
        if said and since is not None:
            log.warning("%s is back after %.0f s", self._place, now - since)


class Persistence:
    """Does what is asked of a server until it works or there is no more hope; one for all threads of an engine.

    :param place: What to call the server.
    :param secret: The API key, which is struck out of whatever the server says.
    """

    def __init__(self, place: str, retries: Retries, secret: str | None) -> None:
        self.retries = retries
        self._secret = secret
        self._absence = _Absence(place)

    def ask(self, action: Callable[[], T], repeatable: frozenset[Kind]) -> T:
        """Do the action, again where that may help.

        :param repeatable: Kinds of fault after which it may be done again.
        :raises FaultError: It failed for good.
        :raises BaseException: It failed, and is asked only because that ended what went before.
        """
        attempt, since = 0, 0.0
        while True:
            attempt += 1
            try:
                found = self._once(action)
            except FaultError as error:
                fault, now = error.fault, self.retries.clock()
            else:
                self._absence.end(self.retries.clock())
                return found
            since = now if attempt == 1 else since
            gone = now - since
            if fault.kind in AWAY:
                gone = max(gone, self._absence.note(now, fault.detail))
            wait = self.retries.before_next(fault, attempt, gone) if fault.kind in repeatable else None
            if (ended := _called_off()) is not None:
                raise ended
            if wait is None:
                waited = f"{fault.detail}; waited {gone:.0f} s" if gone >= 1 else fault.detail
                raise FaultError(replace(fault, detail=waited)) from None
            self.retries.sleep(wait)

    def _once(self, action: Callable[[], T]) -> T:
        try:
            return action()
        except QdrantEmbedError:
            raise
        except Exception as error:
            fault = diagnose(error, self._secret)
            log.debug("a request failed (%s): %s", fault.kind, fault.detail)
            raise FaultError(fault) from None


def _called_off() -> BaseException | None:
    """Return what ended the work where something is asked on the way out, to tidy up after Ctrl-C, say."""
    error = sys.exception()
    while error is not None and not isinstance(error, KeyboardInterrupt | Cancelled | GeneratorExit):
        error = error.__context__
    return error


def _about(seconds: float) -> float:
    """Return a random time of at most so many seconds: what failed together is not tried again together."""
    return random.uniform(seconds / 2, seconds)  # noqa: S311
