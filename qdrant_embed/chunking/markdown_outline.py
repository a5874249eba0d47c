"""The structure of a Markdown text: its headings, and how strong the boundary before each line is."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from qdrant_embed.chunking.boundaries import BLOCK, GLUED, HEADING, ITEM, LINE, RULE, line_levels

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

LONGEST_TITLE = 200
"""Characters of a heading that are kept as its title."""
_DEEPEST = 9
_NOT_SPACE = re.compile(r"\S")
_LINE_END = re.compile(r"\r\n|\n|\r")
# Not begun by a blank line: `---` with one after it is a rule.
_FRONT_MATTER = re.compile(
    r"\A---[ \t]*(?:\r\n?|\n)(?![ \t]*[\r\n])(?:.*?[\r\n])??(?:---|\.\.\.)[ \t]*(?=[\r\n]|\Z)", re.DOTALL
)
_ATTRIBUTES = re.compile(r"\s*\{[^{}]*\}\s*$")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_EMPHASIS = re.compile(r"(?<!\w)[*_`]+(?=\S)|(?<=\S)[*_`]+(?!\w)")
_ITEMS = frozenset({"list_item_open", "tr_open", "paragraph_open", "fence", "blockquote_open"})


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading: where its first line begins, where its text does, its level (1 to 6), and its words.

    :param text_start: Where what follows it begins: text, or another heading.
    """

    start: int
    text_start: int
    level: int
    title: str


@dataclass(frozen=True, slots=True)
class Block:
    """A table, or a fence with code.

    :param start: Where its first line begins.
    :param body: Where what follows its head begins: its first row, its first line of code.
    :param end: Where what follows it begins.
    :param head: A table's two first lines, a fence's first one, with the last line end.
    """

    start: int
    body: int
    end: int
    head: str


@dataclass(frozen=True, slots=True)
class Outline:
    """Headings and blocks in order, and position → level of every boundary (see `boundaries`)."""

    headings: Sequence[Heading]
    tables: Sequence[Block]
    fences: Sequence[Block]
    levels: dict[int, int]


def read_outline(text: str, head: str | None = None) -> Outline:
    """Parse a Markdown text (CommonMark with tables; front matter is left whole).

    :param head: What the middle of a text stands in: the head of a table or a fence, or nothing. Places are those
        in the text; what stands in the head is before 0. None for a text from its beginning, which may be front matter.
    """
    outline = _read(text, _FRONT_MATTER.match(text)) if head is None else _read(head + text, None)
    if not head:
        return outline
    back = len(head)
    headings = [replace(one, start=one.start - back, text_start=one.text_start - back) for one in outline.headings]
    tables, fences = (
        [replace(one, start=one.start - back, body=one.body - back, end=one.end - back) for one in blocks]
        for blocks in (outline.tables, outline.fences)
    )
    levels = {place - back: level for place, level in outline.levels.items() if place > back}
    return Outline(headings, tables, fences, levels)


def _read(text: str, front: re.Match[str] | None) -> Outline:
    skipped = front.end() if front else 0
    # Blank lines in place of the front matter keep the parser's line numbers those of the text.
    body = "\n" * len(_LINE_END.findall(text, 0, skipped)) + text[skipped:]
    lines = [0, *(match.end() for match in _LINE_END.finditer(text)), len(text)]
    tokens = [token for token in _parser().parse(body) if token.map is None or lines[token.map[0]] >= skipped]
    levels = line_levels(text)
    for line, level in _block_levels(tokens, lines, levels):
        levels[lines[line]] = level
    headings = [
        Heading(
            lines[lines_of[0]], _next_line(lines, text, lines_of[1]), int(token.tag[1:]), plain_title(inline.content)
        )
        for token, inline in pairwise(tokens)
        if token.type == "heading_open" and token.level == 0 and (lines_of := token.map)
    ]
    for place in _glued(tokens, lines, text):
        if levels.get(place, GLUED) > HEADING + 5:
            levels[place] = GLUED
    levels.pop(0, None)
    tables, fences = (list(_blocks(tokens, kind, lines, text)) for kind in ("table_open", "fence"))
    return Outline(headings, tables, fences, {place: level for place, level in levels.items() if place < len(text)})


def _blocks(tokens: Sequence[Token], kind: str, lines: Sequence[int], text: str) -> Iterator[Block]:
    for token in tokens:
        if token.type == kind and token.map is not None and (kind == "table_open" or token.level == 0):
            first, last = token.map
            body = min(first + (2 if kind == "table_open" else 1), last)
            yield Block(lines[first], lines[body], lines[last], text[lines[first] : lines[body]])


def _block_levels(tokens: Sequence[Token], lines: Sequence[int], known: dict[int, int]) -> Iterator[tuple[int, int]]:
    """Yield line → level where a block begins, the weakest first, so that the strongest stays."""
    found: list[tuple[int, int]] = []
    for token in tokens:
        if token.map is None or token.nesting < 0:
            continue
        line = token.map[0]
        level = known.get(lines[line], GLUED)
        if token.type == "heading_open" and token.level == 0:
            found.append((line, HEADING + int(token.tag[1:]) - 1))
        elif token.type == "hr" and token.level == 0:
            found.append((line, RULE))
        elif token.level == 0 and level < LINE:
            found.append((line, min(level, BLOCK)))
        elif token.type in _ITEMS and token.level > 0:
            found.append((line, min(level, ITEM + min(token.level // 2, _DEEPEST))))
    yield from sorted(found, key=lambda one: -one[1])


def _glued(tokens: Sequence[Token], lines: Sequence[int], text: str) -> Iterator[int]:
    """Yield where a chunk should not be cut: after a heading, a table's head, a fence's first line, before its last."""
    for token in tokens:
        if token.map is None:
            continue
        first, last = token.map
        if token.type == "heading_open" and token.level == 0:
            yield from (*lines[first + 1 : last + 1], _next_line(lines, text, last))
        elif token.type == "thead_open":
            yield from lines[first + 1 : last + 2]
        elif token.type == "fence":
            yield from {lines[first + 1], lines[max(first + 1, last - 1)]}


def _next_line(lines: Sequence[int], text: str, line: int) -> int:
    """Return where the first line that is not blank begins, at this line or after it."""
    found = _NOT_SPACE.search(text, lines[line])
    return lines[bisect_right(lines, found.start()) - 1] if found else len(text)


def plain_title(markup: str) -> str:
    """Return a heading's words, without attributes (`{ #id }`), links' targets and emphasis; very long ones in part.

    A file that has lost its line breaks may be one heading; its chunks shall not each carry a copy of it.
    """
    words = _LINK.sub(r"\1", _ATTRIBUTES.sub("", markup[: 4 * LONGEST_TITLE]))
    # A snake_case name keeps its underscores: only markers at the edge of a word are markup.
    return shortened(" ".join(_EMPHASIS.sub("", words).split()))


def shortened(title: str) -> str:
    """Return a title of bearable length, cut between words."""
    if len(title) <= LONGEST_TITLE:
        return title
    kept = title[: LONGEST_TITLE - 1]
    return (kept.rpartition(" ")[0] or kept) + "…"


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    # Inline markup does not move block boundaries; leaving it out makes parsing several times faster.
    parser = MarkdownIt("commonmark").enable("table")
    parser.core.ruler.disable("inline")
    return parser
