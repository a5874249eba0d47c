"""Fewer vectors of tokens: those that say nearly the same become one."""

from __future__ import annotations

import numpy as np

from qdrant_embed.types import FloatArray

BLOCK = 512
"""Vectors that are compared with each other at once: of ten thousand tokens, all cosines take 400 MB."""


def merged(vectors: FloatArray, share: float) -> FloatArray:
    """Return a share of unit vectors (n, dim), at least one of each block: the two nearest become one, again and again.

    (Clavié, Chaffin and Adams 2024, arXiv 2409.14683, section 3, with the mean of a cluster as its vector.)
    """
    starts = range(0, len(vectors), BLOCK)
    return np.concatenate([_merged(vectors[start : start + BLOCK], share) for start in starts])


def _merged(vectors: FloatArray, share: float) -> FloatArray:
    sums, units = vectors.astype(np.float64), vectors.astype(np.float64)
    near = units @ units.T
    np.fill_diagonal(near, -np.inf)
    left = np.ones(len(units), bool)
    for _ in range(len(units) - max(1, int(len(units) * share))):
        one, other = divmod(int(np.argmax(near)), len(units))
        sums[one] += sums[other]
        units[one] = sums[one] / max(float(np.linalg.norm(sums[one])), np.finfo(np.float32).tiny)
        left[other] = False
        near[other] = near[:, other] = -np.inf
        near[one] = near[:, one] = np.where(left, units @ units[one], -np.inf)
        near[one, one] = -np.inf
    return units[left].astype(np.float32)
