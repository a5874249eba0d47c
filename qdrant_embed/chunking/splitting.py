"""Cutting a text at its own boundaries so that an edit stays local.

Packing text from left to right moves every later boundary when a word is added near the top. Here the boundaries of a
text form a *treap* (Seidel and Aragon 1996): each has a priority made of its structural strength and, among equals, of
a hash of the few characters on either side of it. A span that is too long is cut at its boundary of highest priority,
and again, until every part fits; neighbours that fit together are joined on the way back. Which boundaries are used
depends on the text next to them and on whether the parts fit, so an edit changes the chunks that contain it, and the
next one only if the two are joined or parted by it.
"""

from __future__ import annotations

import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass

NEARBY = 24
"""Characters on either side of a boundary that decide among boundaries of equal strength."""

Fits = Callable[[int, int], bool]
Part = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Boundary:
    """A place where a text may be cut.

    :param level: Structural strength, the smaller the stronger.
    :param always: Cut here even if both sides would fit together, unless one of them is tiny.
    """

    position: int
    level: int
    always: bool = False


@dataclass(frozen=True, slots=True)
class Cutter:
    """Cuts spans of one text at its boundaries.

    :param boundaries: Sorted by position.
    :param fits: Whether a span fits the limit.
    :param tiny: Whether a span is too small to stand alone.
    :param leaf: Cuts a span that does not fit and has no boundary inside.
    """

    text: str
    boundaries: Sequence[Boundary]
    fits: Fits
    tiny: Fits
    leaf: Callable[[int, int], Sequence[Part]]

    def cut(self) -> list[Part]:
        """Return the parts of the text, in order, without gaps."""
        positions = [boundary.position for boundary in self.boundaries]
        ranks = [(b.level, self._hash(b.position), b.position) for b in self.boundaries]
        parts: list[Part] = []
        # A stack instead of recursion: a text of one kind of block, however long, must not exhaust Python's.
        work: list[tuple[int, int] | Boundary] = [(0, len(self.text))]
        results: list[list[Part]] = []
        while work:
            task = work.pop()
            if isinstance(task, Boundary):
                right, left = results.pop(), results.pop()
                results.append(self._join(left, right, task))
                continue
            start, end = task
            inner = range(bisect_right(positions, start), bisect_left(positions, end))
            best = min(inner, key=ranks.__getitem__, default=None)
            fits = self.fits(start, end)
            if best is None or (fits and not self.boundaries[best].always):
                results.append([(start, end)] if fits else list(self.leaf(start, end)))
                continue
            boundary = self.boundaries[best]
            work += [boundary, (boundary.position, end), (start, boundary.position)]
        for result in results:
            parts += result
        return parts

    def _join(self, left: list[Part], right: list[Part], boundary: Boundary) -> list[Part]:
        (start, middle), (_, end) = left[-1], right[0]
        wanted = not boundary.always or self.tiny(start, middle) or self.tiny(middle, end)
        if wanted and self.fits(start, end):
            return [*left[:-1], (start, end), *right[1:]]
        return left + right

    def _hash(self, position: int) -> int:
        near = self.text[max(0, position - NEARBY) : position + NEARBY]
        return zlib.crc32("".join(near.split()).encode("utf-8", "surrogatepass"))
