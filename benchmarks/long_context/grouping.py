"""Fewer vectors than windows: what a document's windows become when it may keep only one vector, or a few."""

import numpy as np

from benchmarks.long_context.scoring import Bags


def means(bags: Bags) -> Bags:
    """Return one vector for each document, the mean of its vectors: what `pcw` does, up to their lengths."""
    return [unit(bag.mean(axis=0, keepdims=True)) for bag in bags]


def salient(bags: Bags) -> Bags:
    """Return one vector for each document: the mean weighted by how unlike the document as a whole a window is."""
    found = []
    for bag in bags:
        odd = np.maximum(1.0 - bag @ unit(bag.mean(axis=0)), 1e-6)
        found.append(unit((odd / odd.sum()) @ bag)[None])
    return found


def centered(bags: Bags) -> Bags:
    """Return one vector for each document: its mean, less the mean of the whole collection."""
    rows = np.concatenate(means(bags))
    return list(unit(rows - rows.mean(axis=0))[:, None])


def grouped(bags: Bags, *, count: int, steps: int = 5) -> Bags:
    """Return at most `count` vectors for each document: means of groups of like windows (spherical k-means).

    Groups begin at the windows that are farthest from all begun before (Gonzalez 1985), so that an odd window is never
    lost among the many; the result depends on nothing but the vectors.
    """
    return [bag if len(bag) <= count else _groups(bag, count, steps) for bag in bags]


def _groups(bag: np.ndarray, count: int, steps: int) -> np.ndarray:
    near = bag @ unit(bag.mean(axis=0))
    chosen = [int(near.argmax())]
    closest = bag @ bag[chosen[0]]
    while len(chosen) < count:
        chosen.append(int(closest.argmin()))
        closest = np.maximum(closest, bag @ bag[chosen[-1]])
    centers = bag[chosen]
    for _ in range(steps):
        belongs = (bag @ centers.T).argmax(axis=1)
        centers = np.stack(
            [unit(bag[belongs == g].mean(axis=0)) if (belongs == g).any() else centers[g] for g in range(count)]
        )
    return centers


def unit(rows: np.ndarray) -> np.ndarray:
    """Return vectors of length 1."""
    return rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-12)
