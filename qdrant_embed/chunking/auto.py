"""The `auto` chunker: picks one by media type."""

from __future__ import annotations

from collections.abc import Iterable

from qdrant_embed.chunking.base import Chunker, ChunkLimit
from qdrant_embed.chunking.code import GRAMMARS, CodeChunker
from qdrant_embed.chunking.markdown import MarkdownChunker
from qdrant_embed.chunking.plain_text import RecursiveChunker
from qdrant_embed.tokens import TokenCounter
from qdrant_embed.types import Span


class AutoChunker:
    """Leaves Markdown to `markdown`, source code to `code`, and everything else to `recursive`."""

    def __init__(self, counter: TokenCounter, limit: ChunkLimit) -> None:
        self._markdown = MarkdownChunker(counter, limit)
        self._code = CodeChunker(counter, limit)
        self._plain = RecursiveChunker(counter, limit)

    def for_media_type(self, media_type: str) -> Chunker:
        """Return the chunker for a text of this media type."""
        if media_type == "text/markdown":
            return self._markdown
        return self._code.for_media_type(media_type) if media_type in GRAMMARS else self._plain

    def spans(self, text: str) -> Iterable[Span]:
        """Yield the spans of a text of which nothing is known."""
        return self._plain.spans(text)
