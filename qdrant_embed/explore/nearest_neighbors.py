"""The nearest neighbors of every point, by an inverted file: cells of a k-means, of which the nearest few are read."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from qdrant_embed.types import FloatArray, IntArray

EXACT = 2000
"""Points up to which all pairs are compared."""
PROBES = 5
"""Cells that are read for the points of one cell, its own included."""
ROUNDS = 6


def kmeans(points: FloatArray, k: int, *, seed: int = 0, rounds: int = ROUNDS) -> tuple[FloatArray, IntArray]:
    """Return k centers (k, dim) and the number of the nearest center of each point (n,): Lloyd 1982.

    Centers begin as points drawn without repetition; one that loses all of its points is put onto another.
    """
    draw = np.random.default_rng(seed)
    k = min(k, len(points))
    centers = points[draw.choice(len(points), k, replace=False)].copy()
    nearest = assigned(points, centers)
    for _ in range(rounds):
        order = np.argsort(nearest, kind="stable")
        counts = np.bincount(nearest, minlength=k)
        starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
        filled = counts > 0
        sums = np.add.reduceat(points[order], starts[filled], axis=0)
        centers[filled] = sums / counts[filled, None]
        if not filled.all():
            centers[~filled] = points[draw.choice(len(points), int((~filled).sum()))]
        nearest = assigned(points, centers)
    return centers, nearest


def assigned(points: FloatArray, centers: FloatArray, block: int = 8192) -> IntArray:
    """Return the number of the nearest center of each point (n,)."""
    half = (centers**2).sum(1) / 2
    found = [np.argmax(points[at : at + block] @ centers.T - half, axis=1) for at in range(0, len(points), block)]
    return np.concatenate(found) if found else np.zeros(0, np.int64)


def neighbors(points: FloatArray, k: int, *, on: Callable[[float], None] = lambda _: None, seed: int = 0) -> IntArray:
    """Return the k nearest others of each point (n, k), nearest first: exact for few, approximate for many points.

    :param on: Called with the share that is done.
    """
    n = len(points)
    k = min(k, n - 1)
    if n <= EXACT:
        return _nearest_in(points, np.arange(n), np.arange(n), k)
    sample = points[np.random.default_rng(seed).choice(n, min(n, 30_000), replace=False)]
    centers, _ = kmeans(sample, round(np.sqrt(n)), seed=seed)
    home = assigned(points, centers)
    members = np.split(np.argsort(home, kind="stable"), np.cumsum(np.bincount(home, minlength=len(centers)))[:-1])
    between = centers @ centers.T - (centers**2).sum(1) / 2
    found = np.zeros((n, k), np.int64)
    for cell, own in enumerate(members):
        if not len(own):
            continue
        order = np.argsort(-between[cell])
        probes = PROBES
        candidates = np.concatenate([members[other] for other in order[:probes]])
        while len(candidates) <= k and probes < len(order):
            probes *= 2
            candidates = np.concatenate([members[other] for other in order[:probes]])
        for at in range(0, len(own), 1024):
            found[own[at : at + 1024]] = _nearest_in(points, own[at : at + 1024], candidates, k)
        on((cell + 1) / len(members))
    return found


def _nearest_in(points: FloatArray, own: IntArray, candidates: IntArray, k: int) -> IntArray:
    there = points[candidates]
    near = points[own] @ there.T - (there**2).sum(1) / 2
    near[own[:, None] == candidates[None]] = -np.inf
    if k < near.shape[1]:
        best = np.argpartition(-near, k - 1, axis=1)[:, :k]
    else:
        best = np.tile(np.arange(near.shape[1]), (len(own), 1))[:, :k]
    order = np.argsort(-np.take_along_axis(near, best, 1), axis=1, kind="stable")
    return np.asarray(candidates[np.take_along_axis(best, order, 1)], np.int64)
