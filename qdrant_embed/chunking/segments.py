"""Very long texts in segments, so that chunking one takes memory for a segment and not for the text.

A segment ends at the strongest boundary of its second half. It depends on the text alone, not on how it arrives; a text
that is not longer than `VIEW` is one segment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from qdrant_embed.chunking.base import Chunker, ChunkerByMediaType
from qdrant_embed.chunking.boundaries import GLUED, line_levels, natural_cut
from qdrant_embed.types import Chunk, Document, Span

LONGEST = 2**20
"""Characters of a segment that is not the last."""
VIEW = LONGEST + 4096
"""Characters that are looked at to find its end: what follows a boundary says how strong it is."""


@dataclass(frozen=True, slots=True)
class Segment:
    """The beginning of a text, cut.

    :param end: Where it ends, and the next one begins.
    :param carried: What the chunker needs to know for the next one.
    """

    spans: Iterable[Span]
    end: int
    carried: object = None


@runtime_checkable
class SegmentChunker(Protocol):
    """A chunker that can cut a text of which it sees a part only."""

    def segment(self, view: str, carried: object, *, last: bool) -> Segment:
        """Cut the beginning of the text that is in view, or all of it if it is the last there is.

        :param carried: What the segment before it gave; None for the first.
        """


class LineSegments:
    """Segments of a text whose lines say where it may be parted; a base for chunkers that need to know nothing else."""

    def segment(self: Chunker, view: str, carried: object, *, last: bool) -> Segment:
        """Cut the beginning of the text that is in view, or all of it if it is the last there is."""
        end = len(view) if last else segment_end(view, line_levels(view))
        return Segment(self.spans(view[:end]), end)


def segments(parts: Iterable[str], chunker: Chunker) -> Iterator[tuple[int, str, Iterable[Span]]]:
    """Yield where each segment of a text begins, its text, and its spans, relative to that.

    :param parts: The text, in parts of any size. A chunker that is no `SegmentChunker` is given them joined.
    """
    if not isinstance(chunker, SegmentChunker):
        text = "".join(parts)
        yield 0, text, chunker.spans(text)
        return
    held, base = "", 0
    carried: object = None
    for part in parts:
        held += part
        while len(held) > VIEW:
            found = chunker.segment(held[:VIEW], carried, last=False)
            yield base, held[: found.end], found.spans
            held, base, carried = held[found.end :], base + found.end, found.carried
    yield base, held, chunker.segment(held, carried, last=True).spans


def chunk_document(document: Document, chunker: Chunker, parts: Iterable[str] | None = None) -> Iterator[Chunk]:
    """Yield the chunks of a document; `document.text[chunk.start:chunk.end] == chunk.text`.

    :param parts: The text, in parts of any size, where the document has the first of them only.
    """
    if isinstance(chunker, ChunkerByMediaType):
        chunker = chunker.for_media_type(document.text_type)
    index = 0
    for base, text, spans in segments(in_parts(document.text) if parts is None else parts, chunker):
        for span in spans:
            start = base + span.start
            yield Chunk(
                text=text[span.start : span.end],
                start=start,
                end=base + span.end,
                index=index,
                headings=span.headings,
                context=span.context,
                page=document.page_at(start),
            )
            index += 1


def in_parts(text: str) -> Iterator[str]:
    """Yield a text in parts of moderate size."""
    for start in range(0, len(text), VIEW):
        yield text[start : start + VIEW]


def segment_end(view: str, levels: Mapping[int, int]) -> int:
    """Return the strongest boundary in the second half of a segment, the last of those of equal strength."""
    inside = [(level, -place) for place, level in levels.items() if LONGEST // 2 < place <= LONGEST and level != GLUED]
    return -min(inside)[1] if inside else natural_cut(view, 0, LONGEST // 2, LONGEST)
