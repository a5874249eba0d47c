"""Joining the pieces of a text into chunks so that an edit stays local.

Packing from left to right moves every later boundary when a word is added near the top. Here a text is first taken
apart at all its boundaries; then the boundaries are gone through once, the weakest first, and each is removed if what
lies on its two sides fits into one chunk. Among boundaries of equal strength the order is that of a hash of the few
characters around each. (This is Kruskal's algorithm on a path, and random sequential adsorption in physics.)

* *Well filled*: no two neighbors would fit together, so chunks are more than half full on average, by construction.
* *Local*: whether a boundary stays depends only on its neighbors of lower order, on theirs, and so on outwards. Such a
  chain of k boundaries in rising order of hash has a chance of 1/k!, so an edit is forgotten within a chunk or two.
* *Fast*: one sort and one pass; nothing is tokenized again.

The worst case is a text whose boundaries are in rising order of hash for long, which takes intent or much repetition.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from qdrant_embed.chunking.boundaries import GLUED, LINE, RUN, SENTENCE, natural_cut, nearby_hash, sentence_starts
from qdrant_embed.chunking.token_ruler import Ruler, trimmed
from qdrant_embed.types import CharSpan

Fits = Callable[[int, int, int], bool]
"""First piece of the group on the left, first and last piece of the group on the right → whether they may be one."""

SECTION = 9
"""Boundaries up to this level part sections: they stay even if both sides fit, unless a whole section is tiny."""
TINY_SHARE = 4
"""A section smaller than one in so many of a chunk is tiny."""

Costs = Callable[[Sequence[int]], Sequence[int]]
"""Span starts → tokens that the context of a span beginning there would take."""


@dataclass(frozen=True, slots=True)
class Atoms:
    """The smallest pieces, none blank; lists of equal length.

    :param levels: Level of the boundary before each.
    :param first: Index of its first token.
    :param last: Index after its last token.
    :param costs: Tokens of the context of a span that begins with it.
    """

    starts: Sequence[int]
    ends: Sequence[int]
    levels: Sequence[int]
    first: Sequence[int]
    last: Sequence[int]
    costs: Sequence[int]


def cut(ruler: Ruler, levels: Mapping[int, int], room: int, costs: Costs) -> list[CharSpan]:
    """Return the spans into which a text is cut: in order, trimmed, none blank.

    :param levels: Position → level of every boundary of the text.
    :param room: Tokens that context and text may take.
    """
    atoms = _atoms(ruler, _finer(ruler, levels, room, costs), costs)
    return [(atoms.starts[one], atoms.ends[other]) for one, other in _merge(ruler.text, atoms, room)]


def _finer(ruler: Ruler, levels: Mapping[int, int], room: int, costs: Costs) -> dict[int, int]:
    """Add boundaries within what does not fit: sentences within paragraphs, cuts within sentences."""
    finer = dict(levels)
    paragraphs = {position: level for position, level in levels.items() if level < LINE}
    for start, end in _too_long(ruler, paragraphs, room, costs):
        for position in sentence_starts(ruler.text, start, end):
            finer.setdefault(position, SENTENCE)
    # What is glued together is cut as one, so that the first part of a long paragraph stays with its heading.
    loose = {position: level for position, level in finer.items() if level != GLUED}
    glued = sorted(finer.keys() - loose.keys())
    for start, end in _too_long(ruler, loose, room, costs):
        for position in glued[bisect_right(glued, start) : bisect_left(glued, end)]:
            del finer[position]
        for position in run_cuts(ruler, start, end, room - costs([start])[0]):
            finer[position] = RUN
    return finer


def _too_long(ruler: Ruler, levels: Mapping[int, int], room: int, costs: Costs) -> list[CharSpan]:
    edges = [0, *sorted(levels), len(ruler.text)]
    sizes = (after - before for before, after in pairwise(ruler.indices(edges)))
    spans = zip(pairwise(edges), sizes, costs(edges[:-1]), strict=True)
    return [span for span, size, cost in spans if size > room - cost]


def run_cuts(ruler: Ruler, start: int, end: int, room: int) -> list[int]:
    """Return where to cut a span that has no boundaries, each part between half full and full."""
    cuts: list[int] = []
    while (left := ruler.tokens(start, end)) > room:
        # What remains at the end shall not be tiny.
        most = max(1, min(room, left - room // TINY_SHARE))
        high = ruler.forward(start, most, end)
        low = min(high, max(start + 1, ruler.forward(start, max(1, room // 2), end)))
        place = natural_cut(ruler.text, start, low, high)
        if not start < place < end:
            break
        cuts.append(place)
        start = place
    return cuts


def _atoms(ruler: Ruler, levels: Mapping[int, int], costs: Costs) -> Atoms:
    starts: list[int] = []
    ends: list[int] = []
    kept: list[int] = []
    pending = GLUED
    for start, end in pairwise([0, *sorted(levels), len(ruler.text)]):
        pending = min(pending, levels.get(start, GLUED))
        first, last = trimmed(ruler.text, start, end)
        if first < last:
            starts.append(first)
            ends.append(last)
            kept.append(pending)
            pending = GLUED
    return Atoms(starts, ends, kept, ruler.indices(starts), ruler.indices(ends), costs(starts))


def _merge(text: str, atoms: Atoms, room: int) -> list[tuple[int, int]]:
    """Return the first and last atom of each chunk."""
    count = len(atoms.starts)
    tiny = room // TINY_SHARE

    def tiny_section(left: int, right: int) -> bool:
        opens = left == 0 or atoms.levels[left] <= SECTION
        closes = right + 1 == count or atoms.levels[right + 1] <= SECTION
        return opens and closes and atoms.last[right] - atoms.first[left] < tiny

    def fits(left: int, here: int, right: int) -> bool:
        if atoms.last[right] - atoms.first[left] > room - atoms.costs[left]:
            return False
        return atoms.levels[here] > SECTION or tiny_section(left, here - 1) or tiny_section(here, right)

    order = sorted((-atoms.levels[place], nearby_hash(text, atoms.starts[place]), place) for place in range(1, count))
    return joined(count, (here for _, _, here in order), fits)


def joined(count: int, borders: Iterable[int], fits: Fits) -> list[tuple[int, int]]:
    """Return the first and the last piece of each group, in order.

    Every border is looked at once, and removed if what lies on its two sides may be one. (Kruskal's algorithm on a
    path.)

    :param count: Pieces, which are numbered from 0.
    :param borders: The pieces from 1 on, each for the border before it, in the order in which borders are tried.
    """
    leftmost, rightmost = list(range(count)), list(range(count))  # of the group that ends, begins at a piece
    for here in borders:
        left, right = leftmost[here - 1], rightmost[here]
        if fits(left, here, right):
            rightmost[left], leftmost[right] = right, left
    groups: list[tuple[int, int]] = []
    left = 0
    while left < count:
        groups.append((left, rightmost[left]))
        left = rightmost[left] + 1
    return groups
