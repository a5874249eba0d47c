"""Joining neighbours as long as they fit together, in an order that an edit disturbs only near itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable

Fits = Callable[[int, int, int], bool]
"""First piece of the group on the left, first and last piece of the group on the right → whether they may be one."""


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
