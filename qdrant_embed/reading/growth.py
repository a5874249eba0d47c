"""How much text one file may become: a few kilobytes of nested records can be written out as gigabytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from qdrant_embed.errors import ReadError

TEXT_CHARACTERS = 2**26
"""Characters that the text of one file may have, unless the file itself is larger."""

_limit: ContextVar[int] = ContextVar("growth_limit", default=TEXT_CHARACTERS)


@contextmanager
def growth_limit(characters: int) -> Iterator[None]:
    """Set the limit for the file that is read within the `with` block."""
    token = _limit.set(characters)
    try:
        yield
    finally:
        _limit.reset(token)


def require_bearable(characters: int) -> None:
    """Refuse a text of more characters than the limit.

    :raises ReadError: It is too long.
    """
    if characters > _limit.get():
        raise ReadError(
            f"too large: its text would be more than {_limit.get():,} characters; raise ReadOptions.max_text_characters"
        )


def joined(parts: Iterable[str], separator: str) -> str:
    """Join the parts of a text as they are made, up to the limit.

    :raises ReadError: They are too long.
    """
    kept, total = [], 0
    for part in parts:
        kept.append(part)
        total += len(part) + len(separator)
        require_bearable(total)
    return separator.join(kept)
