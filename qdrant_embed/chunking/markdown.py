"""The `markdown` chunker: sections and blocks, with the path of headings as context."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from qdrant_embed.chunking.base import ChunkLimit
from qdrant_embed.chunking.fitting import CONTEXT_SHARE, Fitter, split_plain, trimmed
from qdrant_embed.chunking.plain import TINY_SHARE
from qdrant_embed.chunking.ruler import Ruler
from qdrant_embed.chunking.splitting import Boundary, Cutter
from qdrant_embed.tokens import TokenCounter
from qdrant_embed.types import Span

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

SEPARATOR = " › "
_BLOCK, _ITEM, _LINE = 10, 11, 12
_FRONT_MATTER = re.compile(r"\A---[ \t]*\r?\n.*?^(?:---|\.\.\.)[ \t]*$", re.DOTALL | re.MULTILINE)
_ATTRIBUTES = re.compile(r"\s*\{[^{}]*\}\s*$")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_EMPHASIS = re.compile(r"(?<!\w)[*_`]+(?=\S)|(?<=\S)[*_`]+(?!\w)")
_ITEMS = frozenset({"list_item_open", "tr_open", "paragraph_open", "fence", "blockquote_open"})


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading: where its line begins, where its text's lines end, its level, and its words."""

    start: int
    end: int
    level: int
    title: str


@dataclass(frozen=True, slots=True)
class Outline:
    """The structure of a Markdown text."""

    headings: Sequence[Heading]
    boundaries: Sequence[Boundary]


class MarkdownChunker:
    """Cuts by headings, then blocks, list items and lines; embeds each chunk under its path of headings.

    *Does*: keeps sections apart unless one is tiny; code fences are cut only when they do not fit.
    *Needs*: CommonMark with tables (parsed by markdown-it). *Relation*: `recursive` with a sense of structure.
    """

    def __init__(self, counter: TokenCounter, limit: ChunkLimit) -> None:
        self._counter = counter
        self._limit = limit
        self._fitter = Fitter(counter, limit)

    def spans(self, text: str) -> Iterator[Span]:
        """Yield the spans of the text, in order."""
        ruler = Ruler(text, self._counter)
        outline = read_outline(text)
        paths = Paths(outline.headings)
        room = self._limit.tokens - self._limit.overlap
        costs: dict[str, int] = {}

        def room_at(start: int, end: int) -> int:
            context = paths.context(*trimmed(text, start, end))
            if context not in costs:
                costs[context] = self._counter.count(context)
            return room - min(costs[context], self._limit.tokens // CONTEXT_SHARE)

        def fits(start: int, end: int) -> bool:
            return ruler.tokens(*trimmed(text, start, end)) <= room_at(start, end)

        cutter = Cutter(
            text,
            outline.boundaries,
            fits=fits,
            tiny=lambda start, end: ruler.tokens(start, end) < room // TINY_SHARE,
            leaf=lambda start, end: split_plain(ruler, start, end, room_at(start, end)),
        )
        return self._fitter.fit(ruler, (self._span(text, paths, *part) for part in cutter.cut()))

    def _span(self, text: str, paths: Paths, start: int, end: int) -> Span:
        start, end = trimmed(text, start, end)
        return Span(start, end, paths.headings(start, end), paths.context(start, end))


class Paths:
    """Which headings a span stands under."""

    def __init__(self, headings: Sequence[Heading]) -> None:
        self._starts = [heading.start for heading in headings]
        self._headings = headings
        self._paths: list[tuple[Heading, ...]] = []
        open_headings: tuple[Heading, ...] = ()
        for heading in headings:
            open_headings = (*(above for above in open_headings if above.level < heading.level), heading)
            self._paths.append(open_headings)

    def headings(self, start: int, end: int) -> tuple[str, ...]:
        """Return the titles that everything in the span stands under."""
        inside = self._paths[bisect_right(self._starts, start) - 1 : bisect_right(self._starts, max(start, end - 1))]
        paths = [self._at(start), *inside] if bisect_right(self._starts, start) else [(), *self._inside(start, end)]
        common = list(paths[0])
        for path in paths[1:]:
            while common and (len(path) < len(common) or path[len(common) - 1] is not common[-1]):
                common.pop()
        return tuple(heading.title for heading in common)

    def context(self, start: int, end: int) -> str:
        """Return the titles above the span that its own text does not show, as one line."""
        above = [heading.title for heading in self._at(start) if heading.start < start]
        return SEPARATOR.join(above)

    def _at(self, position: int) -> tuple[Heading, ...]:
        place = bisect_right(self._starts, position) - 1
        return self._paths[place] if place >= 0 else ()

    def _inside(self, start: int, end: int) -> list[tuple[Heading, ...]]:
        return self._paths[bisect_right(self._starts, start) : bisect_right(self._starts, max(start, end - 1))]


def read_outline(text: str) -> Outline:
    """Parse the headings of a Markdown text and the places where it may be cut."""
    front = _FRONT_MATTER.match(text)
    skipped = front.end() if front else 0
    body = "\n" * text.count("\n", 0, skipped) + text[skipped:] if front else text
    line_starts = [0, *(match.end() for match in re.finditer(r"\r\n|\n|\r", text))]
    headings: list[Heading] = []
    boundaries: dict[int, Boundary] = {}

    def add(line: int, level: int, *, always: bool = False) -> None:
        place = line_starts[line]
        if place >= skipped and (place not in boundaries or boundaries[place].level > level):
            boundaries[place] = Boundary(place, level, always)

    for start in line_starts[1:]:
        if start < len(text):
            boundaries[start] = Boundary(start, _LINE)
    tokens = _parser().parse(body)
    for place, token in enumerate(tokens):
        if token.map is None or token.map[0] >= len(line_starts):
            continue
        if token.type == "heading_open" and token.level == 0:
            level = int(token.tag[1:])
            add(token.map[0], level, always=True)
            headings.append(_heading(token, tokens[place + 1].content, level, line_starts, len(text)))
        elif token.level == 0 and token.nesting >= 0:
            add(token.map[0], _BLOCK)
        elif token.type in _ITEMS:
            add(token.map[0], _ITEM)
    _glue_headings(headings, boundaries, text)
    return Outline(headings, [boundaries[place] for place in sorted(boundaries) if place > 0])


def _heading(token: Token, title: str, level: int, line_starts: Sequence[int], length: int) -> Heading:
    first, last = token.map or (0, 0)
    end = line_starts[last] if last < len(line_starts) else length
    return Heading(line_starts[first], end, level, plain_title(title))


def plain_title(markup: str) -> str:
    """Return a heading's words, without attributes (`{ #id }`), links' targets and emphasis."""
    words = _LINK.sub(r"\1", _ATTRIBUTES.sub("", markup))
    # A snake_case name keeps its underscores: only markers at the edge of a word are markup.
    return " ".join(_EMPHASIS.sub("", words).split())


def _glue_headings(headings: Sequence[Heading], boundaries: dict[int, Boundary], text: str) -> None:
    """Remove the boundary between a heading and what follows it, so that no chunk ends with a bare heading."""
    for heading in headings:
        following = heading.end
        while following < len(text) and text[following].isspace():
            following += 1
        for place in [heading.end, text.rfind("\n", 0, following) + 1]:
            if place in boundaries and not boundaries[place].always:
                del boundaries[place]


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    # Inline markup does not move block boundaries; leaving it out makes parsing several times faster.
    parser = MarkdownIt("commonmark").enable("table")
    parser.core.ruler.disable("inline")
    return parser
