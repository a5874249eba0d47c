"""Where a text may be cut, and how gladly: levels, lines, sentences, and the best place when nothing else is left.

A *level* says how strong a boundary is; the smaller, the stronger. `merging` joins across weak boundaries first.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import regex

HEADING = 1
"""A heading of level n stands at `HEADING + n - 1`; see `merging.SECTION`."""
PAGE, RULE, BLOCK, ITEM = 10, 12, 20, 30
PARAGRAPH, LINE = 40, 50
"""Each plus up to nine for indentation: what is indented belongs to what stands above it."""
SENTENCE, WRAPPED, RUN, GLUED = 60, 65, 70, 90
"""A sentence; a line broken in mid-sentence; a cut made for want of others; what should not be cut off from what
comes before (the first block after its heading)."""

NEARBY = 24
"""Characters on either side of a boundary that decide among boundaries of equal strength."""
_DEEPEST = 9
_FULL_LINE = 40
"""Only a line at least this long is taken for broken by its width."""
_LINE_BREAK = regex.compile(r"\r\n|[\n\r\f\v\x1c-\x1e\x85\u2028\u2029]")
# Possessive, and never begun inside a row of marks: a line of a million dots takes linear time.
_SENTENCE = regex.compile(
    r"""(?<![.!?…।॥؟۔։]|\b(?:\p{Lu}|e\.g|i\.e|cf|vs|Dr|Mr|Mrs|Ms|Prof|St|No|Fig|Nr))
        [.!?…।॥؟۔։]++["'”’»)\]*_]*+\s++(?=[^\p{Ll}\p{M}])
      | (?<![。！？．])[。！？．]++[」』”’）】]*+\s*+(?!\p{M})""",
    regex.VERBOSE,
)
_CLAUSE = regex.compile(r"[,;:–—]\s+(?!\p{M})|[、，；：]\s*(?!\p{M})")
_SPACE = regex.compile(r"\s+(?!\p{M})")
# Flags are pairs of regional indicators: to tell where a pair begins, `\X` alone would look back over the whole row.
_GRAPHEME = regex.compile(r"\p{Regional_Indicator}{1,2}+[\p{Grapheme_Extend}\p{Mc}\u200d]*+|\X")
# Brackets, and the ends of admonitions (`///`, `:::`).
_CLOSER = regex.compile(r"(?:[\])}>]+[;,.]?|/{3,}|:{3,})\s*$")
_UNFINISHED = regex.compile(r"[\p{L},\-]")
_LOWER = regex.compile(r"\p{Ll}")


def line_levels(text: str) -> dict[int, int]:
    """Return start → level of every line but the first; blank lines belong to what stands above them."""
    levels: dict[int, int] = {}
    above, start, blank, page = "", 0, False, False
    breaks = [(match.start(), match.end(), match[0]) for match in _LINE_BREAK.finditer(text)]
    for end, following, mark in [*breaks, (len(text), len(text), "")]:
        line = text[start:end]
        if line.strip():
            if start:
                levels[start] = PAGE if page else _line_level(line, above, blank=blank)
            above, blank, page = line, False, False
        else:
            blank = True
        page = page or mark == "\f"
        start = following
    return levels


def _line_level(line: str, above: str, *, blank: bool) -> int:
    body = line.lstrip()
    indent = len(line[: len(line) - len(body)].expandtabs(4))
    if _CLOSER.match(body):
        return GLUED
    if blank:
        # What a colon announces stays with it, if it fits.
        announced = above.rstrip().endswith((":", "："))
        return (LINE if announced else PARAGRAPH) + min(indent // 2, _DEEPEST)
    if len(above) >= _FULL_LINE and _UNFINISHED.match(above.rstrip()[-1:]) and _LOWER.match(body):
        return WRAPPED
    return LINE + min(indent // 2, _DEEPEST)


def sentence_starts(text: str, start: int, end: int) -> Iterator[int]:
    """Yield where sentences begin in `(start, end)`."""
    for match in _SENTENCE.finditer(text, start, end):
        if start < match.end() < end:
            yield match.end()


def natural_cut(text: str, start: int, low: int, high: int) -> int:
    """Return the best place in `[low, high]` to cut a text that begins at `start`.

    After a line, else a sentence, a clause, a word, a user-perceived character; of the places of the best kind the one
    whose neighborhood hashes lowest, so that the same words are cut alike wherever the span begins.

    :param low: More than `start`.
    """
    for pattern in (_LINE_BREAK, _SENTENCE, _CLAUSE, _SPACE):
        # A little more than the window, since a pattern looks at what follows.
        ends = (int(match.end()) for match in pattern.finditer(text, max(start, low - 4), high + 4))
        found = [end for end in ends if low <= end <= high]
        if found:
            return min(found, key=lambda place: (nearby_hash(text, place), place))
    # Whole characters are told apart only from a place known to begin one: the span's start.
    wholes = [int(match.end()) for match in _GRAPHEME.finditer(text, start, high + NEARBY)]
    inside = [place for place in wholes if low <= place <= high]
    if inside:
        return min(inside, key=lambda place: (nearby_hash(text, place), place))
    return max((place for place in wholes if place <= high), default=high)


def is_one_character(text: str, start: int, end: int) -> bool:
    """Tell whether a span is a single character as a reader perceives it, however many code points it has."""
    return _GRAPHEME.fullmatch(text, start, end) is not None


def nearby_hash(text: str, position: int) -> int:
    """Return a number that depends on the characters around a position and on nothing else."""
    near = text[max(0, position - NEARBY) : position + NEARBY]
    return zlib.crc32("".join(near.split()).encode("utf-8", "surrogatepass"))
