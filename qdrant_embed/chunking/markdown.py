"""The `markdown` chunker: sections and blocks, with the path of headings as context."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from qdrant_embed.chunking.base import ChunkLimit
from qdrant_embed.chunking.markdown_outline import Block, Heading, Outline, read_outline, shortened
from qdrant_embed.chunking.merging import cut
from qdrant_embed.chunking.segments import Segment, segment_end
from qdrant_embed.chunking.token_limit import Fitter, TextPart
from qdrant_embed.chunking.token_ruler import Ruler
from qdrant_embed.tokens import TokenCounter
from qdrant_embed.types import Span, join_context

SEPARATOR = " › "
SECTIONS = " · "
"""Between the titles of short sections that share a chunk."""
CONTEXT_SHARE = 3
"""The path of headings may take one part in so many of a chunk, and the names of a table's columns another."""


@dataclass(frozen=True, slots=True)
class Carried:
    """What a segment of a long text stands in: headings, and a table or fence, if it begins within one."""

    headings: tuple[Heading, ...] = ()
    head: str = ""


class MarkdownChunker:
    """Cuts by headings, then blocks, list items and lines; embeds each chunk under its path of headings.

    *Does*: keeps sections apart unless one is tiny; a heading stays with what follows it; code fences and tables are
    cut only when they do not fit, and each part of a table has its row of names as context. *Needs*: CommonMark with
    tables. *Relation*: `recursive` with a sense of structure.
    """

    def __init__(self, counter: TokenCounter, limit: ChunkLimit) -> None:
        self._fitter = Fitter(counter, limit)

    def spans(self, text: str) -> Iterator[Span]:
        """Yield the spans of the text, in order."""
        return self._cut(text, read_outline(text), Carried())

    def segment(self, view: str, carried: object, *, last: bool) -> Segment:
        """Cut the beginning of the text that is in view, or all of it if it is the last there is."""
        before = carried if isinstance(carried, Carried) else Carried()
        outline = read_outline(view, None if carried is None else before.head)
        if last:
            return Segment(self._cut(view, outline, before), len(view))
        end = segment_end(view, outline.levels)
        kept = replace(
            outline,
            headings=[heading for heading in outline.headings if heading.start < end],
            levels={place: level for place, level in outline.levels.items() if place < end},
        )
        return Segment(self._cut(view[:end], kept, before), end, _carried(outline, before, end))

    def _cut(self, text: str, outline: Outline, before: Carried) -> Iterator[Span]:
        ruler = Ruler(text, self._fitter.counter)
        most = self._fitter.limit.tokens // CONTEXT_SHARE
        contexts = Contexts(Paths(outline.headings, before.headings), outline.tables, self._fitter.counter, most)
        parts = cut(ruler, outline.levels, self._fitter.room, contexts.costs)
        return self._fitter.fit(ruler, (contexts.piece(start, end) for start, end in parts))


class Contexts:
    """The context of every span of one text, kept to its share, counted once.

    It is the path of headings, and for a span that begins inside a table the table's row of names; each has a share.
    """

    def __init__(self, paths: Paths, tables: Sequence[Block], counter: TokenCounter, most: int) -> None:
        self._paths = paths
        self._tables = tables
        self._table_starts = [table.start for table in tables]
        self._counter = counter
        self._most = most
        self._known: dict[tuple[tuple[str, ...], str], tuple[str, int]] = {}

    def costs(self, starts: Sequence[int]) -> list[int]:
        """Return the tokens of the context of spans that begin at these places."""
        return [self._context(start)[1] for start in starts]

    def piece(self, start: int, end: int) -> TextPart:
        """Return the span with its headings and context; its overlap shall not reach into another section or a table.

        Rows of a table say little without the names of its columns.
        """
        span = Span(start, end, self._paths.shared(start, end), self._context(start)[0])
        floor, table = self._paths.section_start(start), self._table(start)
        return TextPart(span, max(floor, table.end) if table is not None and table.end <= start else floor)

    def _context(self, start: int) -> tuple[str, int]:
        titles, names = self._paths.above(start), self._names(start)
        if (titles, names) not in self._known:
            path = self._shortened(SEPARATOR.join(titles))
            context = "\n\n".join(part for part in (path, self._first_names(names)) if part)
            self._known[titles, names] = context, self._counter.count(join_context(context, "")) if context else 0
        return self._known[titles, names]

    def _names(self, start: int) -> str:
        """Return the first row of the table that a span begins in, below that row."""
        table = self._table(start)
        inside = table is not None and table.body <= start < table.end
        return table.head.split("\n", 1)[0].strip("> \t\r") if table is not None and inside else ""

    def _table(self, start: int) -> Block | None:
        """Return the last table that begins before a place."""
        place = bisect_right(self._table_starts, start) - 1
        return self._tables[place] if place >= 0 else None

    def _shortened(self, context: str) -> str:
        """Leave out outer headings, then words, until the context takes no more than its share."""
        while context and self._counter.count(join_context(context, "")) > self._most:
            _, found, rest = context.partition(SEPARATOR)
            context = rest if found else context[: len(context) // 2].rstrip()
        return context

    def _first_names(self, names: str) -> str:
        """Leave out the last columns until the row takes no more than its share."""
        cells = names.strip("|").split("|")
        while len(cells) > 1 and self._counter.count(join_context(names, "")) > self._most:
            cells = cells[: len(cells) * 3 // 4]
            names = f"|{'|'.join(cells)}|"
        return names if names.strip("| ") and self._counter.count(join_context(names, "")) <= self._most else ""


class Paths:
    """Which headings a place or a span stands under."""

    def __init__(self, headings: Sequence[Heading], before: tuple[Heading, ...] = ()) -> None:
        self._starts = [heading.start for heading in headings]
        self._paths: list[tuple[Heading, ...]] = []
        self._before = open_headings = before
        for heading in headings:
            open_headings = (*(above for above in open_headings if above.level < heading.level), heading)
            self._paths.append(open_headings)

    def above(self, start: int) -> tuple[str, ...]:
        """Return the titles above a span that begins here, outermost first, without those that its text shows."""
        return tuple(heading.title for heading in self._at(start) if heading.start < start)

    def shared(self, start: int, end: int) -> tuple[str, ...]:
        """Return the titles that all text of the span stands under, and last the sections in it, if it is several."""
        first, last = bisect_right(self._starts, start), bisect_right(self._starts, max(start, end - 1))
        common = self._at(start)
        # Headings with no text between them, at the beginning, are one: that of the text.
        while first < last and common and start <= common[-1].start and common[-1].text_start == self._starts[first]:
            common, first = self._paths[first], first + 1
        paths = [common, *self._paths[first:last]]
        for path in paths:
            same = 0
            while same < min(len(common), len(path)) and common[same] is path[same]:
                same += 1
            common = common[:same]
        titles = tuple(heading.title for heading in common)
        inside = list(dict.fromkeys(path[len(common)].title for path in paths if len(path) > len(common)))
        return (*titles, shortened(SECTIONS.join(inside))) if len(inside) > 1 else titles

    def section_start(self, position: int) -> int:
        """Return where the text of the section begins, after its heading; never more than the place itself."""
        path = self._at(position)
        return max(0, min(path[-1].text_start, position)) if path else 0

    def _at(self, position: int) -> tuple[Heading, ...]:
        place = bisect_right(self._starts, position) - 1
        return self._paths[place] if place >= 0 else self._before

    def carried(self, end: int) -> tuple[Heading, ...]:
        """Return the headings that what begins at `end` stands under, placed before it."""
        return tuple(replace(heading, start=-1, text_start=-1) for heading in self._at(end - 1))


def _carried(outline: Outline, before: Carried, end: int) -> Carried:
    """Return what the text from `end` on stands in."""
    headings = Paths(outline.headings, before.headings).carried(end)
    inside = (block.head for block in (*outline.tables, *outline.fences) if block.body <= end < block.end)
    return Carried(headings, next(inside, ""))
