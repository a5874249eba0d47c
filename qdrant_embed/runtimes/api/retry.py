"""One batch: asked until it is answered or there is no point in asking again."""

from __future__ import annotations

import logging
import threading
from functools import partial
from typing import TYPE_CHECKING

from qdrant_embed.concurrency import went_on
from qdrant_embed.runtimes.api.connection import Connection
from qdrant_embed.runtimes.api.errors import (
    MalformedResponseError,
    PerhapsTooLargeError,
    RejectedError,
    RequestError,
    TransientError,
)
from qdrant_embed.runtimes.api.rate_limit import Gate, sleep
from qdrant_embed.runtimes.api.responses import read_vectors
from qdrant_embed.runtimes.api.settings import ApiSettings
from qdrant_embed.tokenization.batch import TextBatch
from qdrant_embed.types import FloatArray

if TYPE_CHECKING:
    from tenacity import RetryCallState

log = logging.getLogger(__name__)

MALFORMED_ATTEMPTS = 3
"""An answer that makes no sense is rarely transient, and each one may have been paid for."""
TOO_LARGE_ATTEMPTS = 2
"""A server that breaks down over a request's size does so again, or was not asked for too much."""


class Caller:
    """Asks one server, patiently. For several threads."""

    def __init__(self, settings: ApiSettings) -> None:
        self._settings = settings
        self._gate = Gate(
            requests=settings.requests_per_window, tokens=settings.tokens_per_window, window=settings.window
        )
        self._connection = Connection(
            settings.address, settings.key, timeout=settings.timeout, size=settings.concurrency
        )
        self._without: frozenset[str] = frozenset()

    def close(self) -> None:
        """Close the sockets."""
        self._connection.close()

    def ask(self, batch: TextBatch, tokens: int, stop: threading.Event) -> FloatArray:
        """Return the vectors (n, dim) of the texts of one request.

        Waits between tries are those that the server asks for, else they double, with jitter so that callers that
        failed together do not come back together.

        :param tokens: What they count against the limit per minute.
        :raises Fault: The last one, when trying again is of no use any more.
        :raises Stopped: `stop` was set while it waited.
        """
        from tenacity import Retrying, retry_if_exception_type

        retrying = Retrying(
            retry=retry_if_exception_type((TransientError, PerhapsTooLargeError)),
            stop=self._gives_up,
            wait=self._wait,
            before_sleep=self._before_waiting,
            sleep=partial(sleep, stop=stop),
            reraise=True,
        )
        return retrying(self._once, batch, tokens, stop)

    def _once(self, batch: TextBatch, tokens: int, stop: threading.Event) -> FloatArray:
        settings, without = self._settings, self._without
        went_on()
        self._gate.enter(tokens, stop)
        request = settings.protocol.body(
            settings.model, batch.texts, kind=batch.kind, dim=batch.dim if settings.asks_dim else 0, without=without
        )
        try:
            body = self._connection.post(request)
        except RejectedError as fault:
            field = settings.protocol.refused_field(str(fault))
            if not field or field in without:
                raise
            self._without |= {field}
            if field == settings.protocol.kind:
                log.warning("%s tells documents and questions not apart: it takes no %r", settings.model, field)
        else:
            return read_vectors(body, len(batch.texts), batch.dim)
        return self._once(batch, tokens, stop)

    def _gives_up(self, state: RetryCallState) -> bool:
        fault = _fault(state)
        few = {MalformedResponseError: MALFORMED_ATTEMPTS, PerhapsTooLargeError: TOO_LARGE_ATTEMPTS}
        most = min(self._settings.attempts, few.get(type(fault), self._settings.attempts))
        return state.attempt_number >= most or (fault.wait or 0) > self._settings.longest_wait

    def _wait(self, state: RetryCallState) -> float:
        from tenacity import wait_random_exponential

        fault, first = _fault(state), self._settings.first_wait
        wait = float(wait_random_exponential(multiplier=first, max=self._settings.longest_wait)(state))
        # Never earlier than asked for; a little later, for the jitter.
        return wait if fault.wait is None else fault.wait + min(wait, first)

    def _before_waiting(self, state: RetryCallState) -> None:
        fault = _fault(state)
        if fault.wait is not None:
            self._gate.pause(fault.wait)
        log.info("%s; trying again in %.1f s", fault, state.next_action.sleep if state.next_action else 0.0)


def _fault(state: RetryCallState) -> RequestError:
    fault = state.outcome.exception() if state.outcome else None
    if not isinstance(fault, RequestError):
        raise TypeError(f"only faults are tried again, not {fault!r}")
    return fault
