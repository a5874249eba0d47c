"""Vectors laid out in the plane so that neighbors stay neighbors.

Principal components give the start (Kobak and Linderman 2021: the start decides how much of the large structure a map
keeps); then points are pulled to their nearest neighbors and pushed from all others, as in LargeVis (Tang et al. 2016)
and UMAP (McInnes et al. 2018), with the similarity 1 / (1 + d²): here all points at once, without drawing any.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from qdrant_embed.explore.nearest_neighbors import neighbors
from qdrant_embed.explore.repulsion import pushes
from qdrant_embed.types import FloatArray, IntArray

NEIGHBORS = 12
COMPONENTS = 48
"""Principal components in which neighbors are looked for."""
PUSH = 40.0
"""How much all pushes on a point count for each of its neighbors: UMAP's 5 keeps fewer of them together."""
START_SPREAD = 10.0
"""Standard deviation of the first coordinate at the start: as far as pulls and pushes reach in some rounds."""
FARTHEST = 2.5
"""Standard deviations from the middle beyond which no point starts."""
GRAVITY = 0.003
"""Pull to the middle for each unit of distance: parts that share no neighbor would drift apart for ever."""
MOST_STEP = 2.0
"""Distance that a point moves in a round at the most."""
TESTED = 1000
"""Points of which `kept_neighbors` is measured."""


def principal_components(vectors: FloatArray, most: int) -> FloatArray:
    """Return the first principal components of vectors (n, dim) as (n, at most `most`), each in the order of size."""
    centered = vectors - vectors.mean(0)
    _, axes = np.linalg.eigh(centered.T @ centered)
    chosen = axes[:, ::-1][:, :most]
    # The sign of an axis is arbitrary; it is made that of its largest part, so that a map is the same every time.
    signs = np.sign(chosen[np.abs(chosen).argmax(0), np.arange(chosen.shape[1])])
    return np.ascontiguousarray(centered @ (chosen * np.where(signs == 0, 1, signs)), np.float32)


def laid_out(
    vectors: FloatArray, *, rounds: int | None = None, seed: int = 0, on: Callable[[str, float], None] = lambda *_: None
) -> tuple[FloatArray, float]:
    """Return a place in the plane for each vector (n, 2), and the share of their neighbors that stayed such.

    :param vectors: Unit vectors (n, dim).
    :param rounds: How often all points move; None for as many as so many points need.
    :param on: Called with what is done, and the share of it.
    """
    if len(vectors) < 4:
        return np.stack([np.arange(len(vectors)), np.zeros(len(vectors))], 1).astype(np.float32), 1.0
    on("finding the principal components", 0.02)
    reduced = principal_components(vectors, COMPONENTS)
    near = neighbors(reduced, NEIGHBORS, on=lambda done: on("finding neighbors", 0.05 + 0.25 * done), seed=seed)
    places = np.zeros((len(vectors), 2), np.float32)
    start = reduced[:, :2]
    spread = np.clip(start / max(float(start[:, 0].std()), 1e-9), -FARTHEST, FARTHEST)
    places[:, : start.shape[1]] = spread * START_SPREAD
    places += np.random.default_rng(seed).normal(0, 1e-3, places.shape).astype(np.float32)
    number = rounds if rounds is not None else int(np.clip(15_000_000 / (len(vectors) + 1), 150, 400))
    for turn in range(number):
        move(places, near, 1 - turn / number)
        if turn % 5 == 0:
            on("laying out the map", 0.3 + 0.6 * turn / number)
    return places, kept_neighbors(places, near)


def move(places: FloatArray, near: IntArray, rate: float) -> None:
    """Move all points (n, 2) by one round of the gradient, in place.

    :param near: The neighbors of each (n, k).
    :param rate: Length of the steps, 1 at the beginning and 0 at the end.
    """
    n, k = near.shape
    apart = places[:, None] - places[near]
    pull = apart * (-2 / (1 + (apart**2).sum(2, keepdims=True)))
    moved = pull.sum(1)
    flat = near.ravel()
    for axis in (0, 1):  # a neighbor is pulled as strongly the other way
        moved[:, axis] -= np.bincount(flat, pull[:, :, axis].ravel(), minlength=n).astype(np.float32)
    moved += pushes(places) * (PUSH * k)
    moved -= GRAVITY * k * places
    length = np.sqrt((moved**2).sum(1, keepdims=True))
    step = rate * 0.12
    places += moved * np.minimum(step, MOST_STEP * rate / np.maximum(length, 1e-9))


def kept_neighbors(places: FloatArray, near: IntArray, seed: int = 0) -> float:
    """Return which share of the neighbors of points are among as many nearest ones in the plane, 0 to 1."""
    n, k = near.shape
    tested = np.random.default_rng(seed).choice(n, min(n, TESTED), replace=False)
    kept = 0
    for one in tested:
        far = ((places - places[one]) ** 2).sum(1)
        far[one] = np.inf
        kept += len(np.intersect1d(np.argpartition(far, k - 1)[:k], near[one]))
    return float(kept / (len(tested) * k))
