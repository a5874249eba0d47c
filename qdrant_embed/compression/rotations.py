"""Rotations that make the signs of a vector say more; all are orthogonal, so that lengths and cosines stay."""

from __future__ import annotations

import numpy as np

from qdrant_embed.types import FloatArray

ITERATIONS = 30
INERTIA = 1e-3


def random_rotation(dim: int, seed: int = 0) -> FloatArray:
    """Return a (dim, dim) rotation drawn uniformly (Haar measure; QR with signs fixed, Mezzadri 2007, section 5).

    It spreads what a vector says over all dimensions, so that no sign is wasted on an empty one.
    """
    drawn = np.random.default_rng(seed).standard_normal((dim, dim))
    q, r = np.linalg.qr(drawn)
    return (q * np.sign(np.diag(r))).astype(np.float32)


def itq(vectors: FloatArray, seed: int = 0, iterations: int = ITERATIONS) -> FloatArray:
    """Return the (dim, dim) rotation that brings vectors (n, dim) nearest to corners of the hypercube.

    Iterative quantization (Gong and Lazebnik 2011, section 3.2): take the signs, turn the vectors toward them
    (an orthogonal Procrustes problem), repeat. Rows are directions: `vectors @ itq(vectors).T` is rotated.
    """
    sample = vectors.astype(np.float64)
    turned = random_rotation(vectors.shape[1], seed).astype(np.float64)
    # What the sample says nothing about stays as it was: directions that no vector has would else be drawn from noise.
    inertia = INERTIA * max(1.0, float(np.abs(sample).sum()) / vectors.shape[1])
    before = np.zeros((0, 0), bool)
    for _ in range(iterations):
        above = sample @ turned.T > 0
        if np.array_equal(above, before):
            break
        signs = np.where(above, 1.0, -1.0)
        left, _, right = np.linalg.svd(signs.T @ sample + inertia * turned, full_matrices=False)
        turned, before = left @ right, above
    return turned.astype(np.float32)


def balanced(vectors: FloatArray, parts: int) -> FloatArray:
    """Return the (dim, dim) rotation whose `parts` runs of dimensions are independent and carry equal variance.

    Optimized product quantization, its parametric solution (Ge et al. 2013, section 3.3): principal directions are
    dealt out, largest first, each to the part whose product of variances is least and that still has room.
    """
    dim = vectors.shape[1]
    centered = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    variances, directions = np.linalg.eigh(centered.T @ centered / max(1, len(vectors)))
    order = np.argsort(-variances, kind="stable")
    room = [len(part) for part in np.array_split(np.arange(dim), parts)]
    logarithms = [0.0] * parts
    dealt: list[list[int]] = [[] for _ in range(parts)]
    # A floor keeps directions without any variance from drawing all others to their part; the shift by the least
    # keeps every logarithm positive, as the greedy allocation needs.
    floor = np.log(max(float(variances.max()), 1e-30) * 1e-12)
    for direction in order:
        weight = max(float(np.log(max(variances[direction], 1e-300))), floor) - floor
        open_parts = [part for part in range(parts) if len(dealt[part]) < room[part]]
        chosen = min(open_parts, key=lambda part: (logarithms[part], part))
        dealt[chosen].append(int(direction))
        logarithms[chosen] += weight
    return directions[:, [direction for part in dealt for direction in part]].T.astype(np.float32)
