"""How much text one file may become: a few kilobytes of nested records can be written out as gigabytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from qdrant_embed.errors import ReadError

TEXT_CHARACTERS = 2**26
"""Characters that the text of one file may have, unless the file itself is larger."""


@dataclass(frozen=True, slots=True)
class Growth:
    """A limit of characters."""

    characters: int

    def check(self, characters: int) -> None:
        """Refuse a text of more characters.

        :raises ReadError: It is too long.
        """
        if characters > self.characters:
            raise ReadError(
                f"too large: its text would be more than {self.characters:,} characters; raise "
                "ReadOptions.max_text_characters"
            )


_limit: ContextVar[Growth] = ContextVar("growth_limit")


@contextmanager
def growth_limit(characters: int) -> Iterator[Growth]:
    """Set the limit for the file that is read within the `with` block."""
    growth = Growth(characters)
    token = _limit.set(growth)
    try:
        yield growth
    finally:
        _limit.reset(token)


def joined(parts: Iterable[str], separator: str) -> str:
    """Join the parts of a text as they are made, up to the limit.

    :raises ReadError: They are too long.
    """
    growth, kept, total = _limit.get(Growth(TEXT_CHARACTERS)), [], 0
    for part in parts:
        kept.append(part)
        total += len(part) + len(separator)
        if total > growth.characters:
            growth.check(total)
    return separator.join(kept)
