"""Documents into chunks that fit the model, with exact character offsets.

Files, in reading order: base, boundaries, markdown_outline, segments, token_ruler, merging, token_limit, markdown,
plain_text, code, auto.

Public: `Chunker` and `ChunkLimit` (what a chunker is and what it is given), `ChunkerByMediaType` and `SegmentChunker`
(for chunkers that look at the kind of a text or at its parts), `make_chunker` (by name, from `CHUNKERS`),
`chunk_document`, and `in_parts`.
"""

from collections.abc import Callable

from qdrant_embed.chunking.base import Chunker, ChunkerByMediaType, ChunkLimit
from qdrant_embed.chunking.segments import SegmentChunker, chunk_document, in_parts
from qdrant_embed.registry import Registry
from qdrant_embed.tokens import TokenCounter

__all__ = [
    "CHUNKERS",
    "ChunkLimit",
    "Chunker",
    "ChunkerByMediaType",
    "SegmentChunker",
    "chunk_document",
    "in_parts",
    "make_chunker",
]

CHUNKERS: Registry[Callable[[TokenCounter, ChunkLimit], Chunker]] = Registry(
    "chunker",
    "qdrant_embed.chunkers",
    {
        "auto": "qdrant_embed.chunking.auto:AutoChunker",
        "code": "qdrant_embed.chunking.code:CodeChunker",
        "document": "qdrant_embed.chunking.plain_text:WholeDocument",
        "markdown": "qdrant_embed.chunking.markdown:MarkdownChunker",
        "recursive": "qdrant_embed.chunking.plain_text:RecursiveChunker",
        "sentences": "qdrant_embed.chunking.plain_text:SentenceChunker",
        "tokens": "qdrant_embed.chunking.plain_text:TokenChunker",
    },
)
"""Every known chunker; other packages add theirs with the entry-point group `qdrant_embed.chunkers`."""


def make_chunker(name: str, counter: TokenCounter, limit: ChunkLimit) -> Chunker:
    """Return the chunker of this name, counting with `counter`.

    :raises UnknownNameError: There is none of this name; near names are listed.
    """
    return CHUNKERS.get(name)(counter, limit)
