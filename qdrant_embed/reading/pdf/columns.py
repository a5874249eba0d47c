"""Pages set in columns that are drawn row by row across them: their text, column after column."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any

from qdrant_embed.reading.parsed import letters

NARROWEST_GUTTER = 6.0
"""Points; the space between columns. That between words is narrower, save in a line that is stretched."""
CROSSED = 0.2
"""Share of the lines of a column that may cross a gutter: titles, and figures of the whole width."""
NARROWEST_COLUMN = 0.2
"""Share of the width of the text."""
FEWEST_LINES = 6
"""Lines in each column."""
FILLED = 0.7
"""Share of its column that a usual line fills; the cells of a table are shorter."""
FEWEST_LETTERS = 10
"""Width of a column in heights of its lines, about two letters each; narrower ones are of tables."""
CHANGES = 0.5
"""Changes between columns for each line of the shortest, from which on they are drawn row by row."""
BROKEN_WORD = re.compile(r"(?<=[^\W\d_])-[ ]*\r?\n(?=[a-z\u00df-\u00f6\u00f8-\u00ff])")


@dataclass(frozen=True, slots=True)
class Box:
    """Where a piece of a line stands, in points from the lower left."""

    left: float
    bottom: float
    right: float
    top: float


def column_text(text_page: Any, text: str) -> str:
    """Return a page's text column after column, if its columns are drawn row by row; else as it is.

    :param text_page: PDFium's, to ask for the text in a part of the page.
    :param text: The page's text in the order in which it is drawn.
    """
    boxes = [Box(*text_page.get_rect(index)) for index in range(text_page.count_rects())]
    gutters = find_gutters(boxes)
    if not gutters or not _row_by_row(boxes, gutters):
        return text
    far = 10.0**6
    edges = [-far, *gutters, far]
    parts = []
    for top, bottom, across in _bands(boxes, gutters):
        strips = [(-far, far)] if across else list(pairwise(edges))
        parts += [text_page.get_text_bounded(left, bottom, right, top) for left, right in strips]
    ordered = BROKEN_WORD.sub("\x02", "\n".join(part.strip("\r\n") for part in parts if part.strip()))
    # What the parts hold is compared with the whole, so that no piece on a border is lost or doubled.
    return ordered if sorted(letters(ordered)) == sorted(letters(text)) else text


def find_gutters(boxes: Sequence[Box]) -> list[float]:
    """Return the middles of the empty strips between columns of lines; none if there is one column or a table."""
    if len(boxes) < 2 * FEWEST_LINES:
        return []
    left, right = min(box.left for box in boxes), max(box.right for box in boxes)
    covered = _coverage(boxes, left, right)
    limit = CROSSED * max(covered)
    narrowest = NARROWEST_COLUMN * (right - left)
    gutters, start = [], None
    for place, count in enumerate([*covered, len(boxes)]):
        if count <= limit:
            start = place if start is None else start
        elif start is not None:
            middle = left + (start + place) / 2
            if place - start >= NARROWEST_GUTTER and left + narrowest < middle < right - narrowest:
                gutters.append(middle)
            start = None
    return gutters if gutters and _columns_are_text(boxes, gutters) else []


def _coverage(boxes: Sequence[Box], left: float, right: float) -> list[int]:
    """Count the pieces over each point of the width."""
    changes = [0] * (int(min(right - left, 20_000)) + 2)
    for box in boxes:
        changes[min(int(box.left - left), len(changes) - 1)] += 1
        changes[min(int(box.right - left) + 1, len(changes) - 1)] -= 1
    counts, count = [], 0
    for change in changes[:-1]:
        count += change
        counts.append(count)
    return counts


def _columns_are_text(boxes: Sequence[Box], gutters: Sequence[float]) -> bool:
    """Tell whether each column has lines that fill it, as those of running text do."""
    for number in range(len(gutters) + 1):
        lines = _lines([box for box in boxes if _column(box, gutters) == number])
        if len(lines) < FEWEST_LINES:
            return False
        width = max(line.right for line in lines) - min(line.left for line in lines)
        height = median(line.top - line.bottom for line in lines)
        if width < FEWEST_LETTERS * height or median(line.right - line.left for line in lines) < FILLED * width:
            return False
    return True


def _lines(boxes: Sequence[Box]) -> list[Box]:
    """Put the pieces of each line of a column together."""
    lines: list[Box] = []
    for box in sorted(boxes, key=lambda box: -(box.bottom + box.top)):
        last = lines[-1] if lines else None
        if last is not None and last.bottom < (box.bottom + box.top) / 2 < last.top:
            lines[-1] = Box(min(last.left, box.left), last.bottom, max(last.right, box.right), last.top)
        else:
            lines.append(box)
    return lines


def _column(box: Box, gutters: Sequence[float]) -> int | None:
    """Return the number of the column that a piece stands in, None if it crosses a gutter."""
    if any(box.left < gutter < box.right for gutter in gutters):
        return None
    return sum(gutter < box.left for gutter in gutters)


def _row_by_row(boxes: Sequence[Box], gutters: Sequence[float]) -> bool:
    """Tell whether the pieces come in an order that goes from column to column at each line."""
    order = [column for box in boxes if (column := _column(box, gutters)) is not None]
    changes = sum(before != after for before, after in pairwise(order))
    shortest = min(
        len(_lines([box for box in boxes if _column(box, gutters) == number])) for number in range(len(gutters) + 1)
    )
    return changes >= CHANGES * shortest


def _bands(boxes: Sequence[Box], gutters: Sequence[float]) -> list[tuple[float, float, bool]]:
    """Divide a page into bands, from the top: the upper and lower end of each, and whether it crosses the gutters."""
    far = 10.0**6
    bands: list[tuple[float, float, bool]] = []
    for box in sorted(boxes, key=lambda box: -(box.bottom + box.top)):
        across = _column(box, gutters) is None
        if bands and bands[-1][2] == across:
            bands[-1] = (bands[-1][0], min(bands[-1][1], box.bottom), across)
        else:
            bands.append((box.top, box.bottom, across))
    borders = [far, *((upper[1] + lower[0]) / 2 for upper, lower in pairwise(bands)), -far]
    return [(top, bottom, band[2]) for (top, bottom), band in zip(pairwise(borders), bands, strict=True)]
