"""What a chunker is, and the limit it keeps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from qdrant_embed.errors import ConfigurationError
from qdrant_embed.types import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkLimit:
    """How large a chunk may be.

    :param tokens: The most tokens of context and text together, as the model counts them; prompt and special tokens
        are subtracted before.
    :param overlap: Tokens that a chunk repeats of the text before it; part of `tokens`.
    :raises ConfigurationError: Nothing sensible fits.
    """

    tokens: int
    overlap: int = 0

    def __post_init__(self) -> None:
        if self.tokens < 1:
            raise ConfigurationError(f"a chunk needs room for at least 1 token, not {self.tokens}.")
        if not 0 <= self.overlap <= self.tokens // 2:
            raise ConfigurationError(
                f"overlap={self.overlap} with chunks of {self.tokens} tokens: give 0 to {self.tokens // 2}, since the "
                "overlap is part of the chunk."
            )


class Chunker(Protocol):
    """Cuts a text into spans.

    The spans fit the limit, are not blank, are in order, and cover everything that is not white space; the same text
    gives the same spans. `qdrant_embed.testing.check_chunker` holds a chunker to that.
    """

    def spans(self, text: str) -> Iterable[Span]:
        """Yield the spans of the text, in order."""


@runtime_checkable
class ChunkerByMediaType(Protocol):
    """A chunker that leaves the work to another one, chosen by the kind of text."""

    def for_media_type(self, media_type: str) -> Chunker:
        """Return the chunker for a text of this IANA media type."""
