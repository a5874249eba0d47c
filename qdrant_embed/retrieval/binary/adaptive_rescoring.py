"""Which whole vectors are read to rank what learned codes found: chosen in rounds, each of which teaches the next.

A short code is wrong about neighbors alike: what it left out of one it left out of the other. So the whole vectors
are not read all at once. Those of the first round say how far the scores of their codes were off; codes near to them
are taken to be off by as much, and the next round is chosen after that. In all, no more vectors are read than at once.

That what lies near what was found is worth a look is the idea of adaptive re-ranking (MacAvaney, Tonellotto and
Macdonald 2022, section 3), which walks a graph of neighbors; here the codes tell who they are. The error of a code is
the mean of those that are known, weighted by a kernel of their distance (Nadaraya 1964; Watson 1964), and the distance
is asymmetric, since of a code that was read the vector is known (Gordo et al. 2014, section 3).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from qdrant_embed.compression.binary_codes import ByteArray, unpack_signs
from qdrant_embed.types import FloatArray, IntArray

Reader = Callable[[IntArray], tuple[IntArray, FloatArray, FloatArray]]
"""Given places of candidates, returns those (n,) whose vectors are still there, with their real scores (n,) and what
each bit counts for their vectors (n, bits)."""

ROUNDS = 4
CONSIDERED = 15
"""Candidates for each vector that is read: so far down, what was read still brings some up."""
REACH = 0.05
"""Share of bits that differ, over which what is known of one code comes to say e times less about another."""
DOUBT = 0.05
"""How much it counts that a code may not be off at all, beside a known one of the very same code."""


def rescore_in_rounds(scores: FloatArray, codes: ByteArray, bits: int, wanted: int, read: Reader) -> IntArray:
    """Return the places of the `wanted` candidates whose whole vectors shall rank.

    :param scores: (n,) by code, in descending order, in units of the real ones and up to a constant.
    :param codes: (n, bytes) theirs.
    """
    if len(scores) <= wanted:
        return np.arange(len(scores))
    signs = unpack_signs(codes, bits)
    known = ScoreErrors(scores, signs)
    hopes, chosen = scores.copy(), np.zeros(0, np.int64)
    for size in _sizes(wanted):
        fresh = np.argsort(-hopes, kind="stable")[:size]
        chosen = np.concatenate([chosen, fresh])
        if len(chosen) < wanted:
            known.add(*read(fresh))
            hopes = known.mended()
            hopes[chosen] = -np.inf
    return chosen


class ScoreErrors:
    """How far the scores of some codes were off, and what that says of the others.

    :param scores: (n,) by code.
    :param signs: (n, bits), -1 and +1.
    """

    def __init__(self, scores: FloatArray, signs: FloatArray) -> None:
        self._scores, self._signs = scores, signs
        self._errors = np.zeros(0, np.float32)
        self._near, self._off = np.zeros_like(scores), np.zeros_like(scores)

    def add(self, places: IntArray, real: FloatArray, weights: FloatArray) -> None:
        """Learn the real scores (n,) of candidates at these places, given what bits count (n, bits) for them."""
        errors = real - self._scores[places]
        sizes = np.abs(weights).mean(axis=1, keepdims=True)
        toward = weights / np.maximum(sizes, np.finfo(np.float32).tiny)
        differing = (1 - self._signs @ toward.T / self._signs.shape[1]) / 2
        alike = np.exp(-differing / REACH)
        self._errors = np.concatenate([self._errors, errors])
        self._near += alike.sum(axis=1)
        self._off += alike @ errors

    def mended(self) -> FloatArray:
        """Return the scores (n,) as far as they are known to be off, up to a constant."""
        usual = self._errors.mean() if len(self._errors) else np.float32(0)
        return np.asarray(self._scores + (self._off - usual * self._near) / (self._near + DOUBT), np.float32)


def _sizes(wanted: int) -> list[int]:
    """Return how many are read in each round."""
    parts = min(ROUNDS, wanted)
    return [wanted // parts + (place < wanted % parts) for place in range(parts)]
