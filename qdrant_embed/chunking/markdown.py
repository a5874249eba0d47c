"""The `markdown` chunker: sections and blocks, with the path of headings as context."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from qdrant_embed.chunking.base import ChunkLimit
from qdrant_embed.chunking.fitting import Fitter, Piece
from qdrant_embed.chunking.merging import cut
from qdrant_embed.chunking.outline import Heading, read_outline
from qdrant_embed.chunking.ruler import Ruler
from qdrant_embed.tokens import TokenCounter
from qdrant_embed.types import Span, join_context

SEPARATOR = " › "
CONTEXT_SHARE = 3
"""The path of headings may take one part in so many of a chunk."""


class MarkdownChunker:
    """Cuts by headings, then blocks, list items and lines; embeds each chunk under its path of headings.

    *Does*: keeps sections apart unless one is tiny; a heading stays with what follows it; code fences and tables are
    cut only when they do not fit. *Needs*: CommonMark with tables. *Relation*: `recursive` with a sense of structure.
    """

    def __init__(self, counter: TokenCounter, limit: ChunkLimit) -> None:
        self._fitter = Fitter(counter, limit)

    def spans(self, text: str) -> Iterator[Span]:
        """Yield the spans of the text, in order."""
        ruler = Ruler(text, self._fitter.counter)
        outline = read_outline(text)
        contexts = Contexts(Paths(outline.headings), self._fitter.counter, self._fitter.limit.tokens // CONTEXT_SHARE)
        parts = cut(ruler, outline.levels, self._fitter.room, contexts.costs)
        return self._fitter.fit(ruler, (contexts.piece(start, end) for start, end in parts))


class Contexts:
    """The context of every span of one text, kept to its share, counted once."""

    def __init__(self, paths: Paths, counter: TokenCounter, most: int) -> None:
        self._paths = paths
        self._counter = counter
        self._most = most
        self._known: dict[tuple[str, ...], tuple[str, int]] = {}

    def costs(self, starts: Sequence[int]) -> list[int]:
        """Return the tokens of the context of spans that begin at these places."""
        return [self._context(start)[1] for start in starts]

    def piece(self, start: int, end: int) -> Piece:
        """Return the span with its headings and context; its overlap shall not reach into another section."""
        span = Span(start, end, self._paths.shared(start, end), self._context(start)[0])
        return Piece(span, self._paths.section_start(start))

    def _context(self, start: int) -> tuple[str, int]:
        titles = self._paths.above(start)
        if titles not in self._known:
            self._known[titles] = self._shortened(SEPARATOR.join(titles))
        return self._known[titles]

    def _shortened(self, context: str) -> tuple[str, int]:
        """Leave out outer headings, then words, until the context takes no more than its share."""
        while context and (count := self._counter.count(join_context(context, ""))) > self._most:
            _, found, rest = context.partition(SEPARATOR)
            context = rest if found else context[: len(context) // 2].rstrip()
        return (context, count) if context else ("", 0)


class Paths:
    """Which headings a place or a span stands under."""

    def __init__(self, headings: Sequence[Heading]) -> None:
        self._starts = [heading.start for heading in headings]
        self._paths: list[tuple[Heading, ...]] = []
        open_headings: tuple[Heading, ...] = ()
        for heading in headings:
            open_headings = (*(above for above in open_headings if above.level < heading.level), heading)
            self._paths.append(open_headings)

    def above(self, start: int) -> tuple[str, ...]:
        """Return the titles above a span that begins here, outermost first, without those that its text shows."""
        return tuple(heading.title for heading in self._at(start) if heading.start < start)

    def shared(self, start: int, end: int) -> tuple[str, ...]:
        """Return the titles that all text of the span stands under."""
        first, last = bisect_right(self._starts, start), bisect_right(self._starts, max(start, end - 1))
        common = self._at(start)
        # Headings with no text between them, at the beginning, are one: that of the text.
        while first < last and common and start <= common[-1].start and common[-1].text_start == self._starts[first]:
            common, first = self._paths[first], first + 1
        for path in self._paths[first:last]:
            same = 0
            while same < min(len(common), len(path)) and common[same] is path[same]:
                same += 1
            common = common[:same]
        return tuple(heading.title for heading in common)

    def section_start(self, position: int) -> int:
        """Return where the text of the section begins, after its heading; never more than the place itself."""
        path = self._at(position)
        return min(path[-1].text_start, position) if path else 0

    def _at(self, position: int) -> tuple[Heading, ...]:
        place = bisect_right(self._starts, position) - 1
        return self._paths[place] if place >= 0 else ()
