"""How long a server that goes away is waited for: some seconds by a search, minutes by what runs for long."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from qdrant_embed.errors import ConfigurationError

SEARCH_SECONDS = 5.0
RUN_SECONDS = 300.0
"""What an ingest and a change of compression wait, unless told otherwise: longer than a restart takes."""

_patience: ContextVar[float] = ContextVar("qdrant_embed_patience", default=SEARCH_SECONDS)


def patience_now() -> float:
    """Return how many seconds what is asked here waits for a server that goes away."""
    return _patience.get()


@contextmanager
def patient(seconds: float) -> Iterator[None]:
    """Let what is asked of servers within, and in the threads that it starts, wait so long for one that goes away."""
    token = _patience.set(seconds)
    try:
        yield
    finally:
        _patience.reset(token)


def require_patience(seconds: object) -> None:
    """Refuse what is no time to wait.

    :raises ConfigurationError: It is none.
    """
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < float("inf"):
        raise ConfigurationError(
            f"patience={seconds!r} is no time to wait for a server that goes away; give seconds, 0 to give up at once."
        )
