"""Batches that fail: wait and try again, then halve, then hand over the single items that cannot be done."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

from qdrant_embed.concurrency import pause
from qdrant_embed.errors import CollectionNotFoundError, DiskFullError, QdrantEmbedError, TextTooLongError

log = logging.getLogger(__name__)

T = TypeVar("T")

ATTEMPTS = 3
"""Tries of a whole batch before it is halved."""

FAILURES_IN_A_ROW = 4
"""If this many items fail one after the other and none has worked, the fault is not in the items."""


def _transient(error: BaseException) -> bool:
    """Our own errors are judgments on the input and come again; anything else may be transient."""
    return isinstance(error, Exception) and not isinstance(error, QdrantEmbedError)


def in_halves(
    items: Sequence[T],
    action: Callable[[Sequence[T]], None],
    give_up: Callable[[T, Exception], None],
    *,
    first_wait: float = 0.2,
) -> None:
    """Do `action` with all items, in as few calls as possible.

    A call that fails is tried again with growing pauses; then its items are halved, down to single ones, which are
    handed to `give_up` with their error. Order is kept.

    :param first_wait: Seconds before the second try; each further pause is twice as long, with jitter.
    :raises Exception: Nothing worked at all: the last error, since the fault is not in single items.
    """
    worked = 0
    given_up = 0

    def run(part: Sequence[T], wait: float) -> None:
        nonlocal worked, given_up
        try:
            _with_retries(part, action, wait)
            worked += 1
        except Exception as error:
            log.debug("a batch of %d failed: %s", len(part), error)
            if isinstance(error, (DiskFullError, CollectionNotFoundError)):
                raise _NothingWorks(error) from error
            if len(part) > 1:
                middle = len(part) // 2
                run(part[:middle], 0.0)
                run(part[middle:], 0.0)
                return
            given_up += not isinstance(error, TextTooLongError)
            if not worked and given_up >= min(FAILURES_IN_A_ROW, len(items)) and len(items) > 1:
                raise _NothingWorks(error) from error
            give_up(part[0], error)

    try:
        run(items, first_wait)
    except _NothingWorks as nothing:
        raise nothing.error from None


class _NothingWorks(BaseException):
    """Carries the last error past the handlers of the halves above it."""

    def __init__(self, error: Exception) -> None:
        self.error = error


def _with_retries(part: Sequence[T], action: Callable[[Sequence[T]], None], wait: float) -> None:
    from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

    attempts = ATTEMPTS if wait else 1
    for attempt in Retrying(
        stop=stop_after_attempt(attempts),
        wait=wait_random_exponential(multiplier=wait, max=30),
        retry=retry_if_exception(_transient),
        sleep=pause,
        reraise=True,
    ):
        with attempt:
            action(part)
