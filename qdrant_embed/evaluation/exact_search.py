"""What is right and how near one comes to it: exact search, recall with its interval, nDCG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qdrant_embed.types import FloatArray

BLOCK = 256
TIE = 1e-6
"""Scores nearer than this count as equal: which of two equal chunks stands in the top k is chance."""


@dataclass(frozen=True, slots=True)
class ExactAnswers:
    """The exact answers to queries.

    :param vectors: (n, dim) of all points, those of a point one after the other.
    :param places: (q, k) best points, best first.
    :param least: (q,) scores of the last of them; whatever scores as much is right too.
    :param starts: (points + 1,) where the vectors of each point begin, and where the last one's end.
    :param normalize: Whether the model makes unit vectors, also of fewer dimensions.
    """

    vectors: FloatArray
    queries: FloatArray
    distance: str
    places: np.ndarray
    least: np.ndarray
    starts: np.ndarray
    normalize: bool = False

    @property
    def counts(self) -> list[int]:
        """How many vectors each point has: one, or one for each window of its text."""
        return list(map(int, np.diff(self.starts)))

    def recall(self, found: Sequence[Sequence[int]]) -> FloatArray:
        """Return (q,) shares of each query's k places that are held by right answers."""
        k = self.places.shape[1]
        shares = []
        for row, places in enumerate(found):
            chosen = np.unique(np.asarray(places[:k], np.int64))
            if not len(chosen):
                shares.append(0.0)
                continue
            vectors = [self.vectors[self.starts[point] : self.starts[point + 1]] for point in chosen]
            scores = similarity(self.queries[row : row + 1], np.concatenate(vectors), self.distance)
            begun = np.cumsum([0, *map(len, vectors)])
            shares.append(float((_best_of_each(scores, begun)[0] >= self.least[row] - TIE).sum()) / k)
        return np.array(shares, np.float32)


def exact_search(
    vectors: FloatArray,
    queries: FloatArray,
    k: int,
    distance: str,
    *,
    counts: Sequence[int] | None = None,
    normalize: bool = False,
) -> ExactAnswers:
    """Search all vectors (n, dim) for each query (q, dim), in float32, leaving nothing out.

    :param counts: How many vectors each point has, the best of which counts; None for one each.
    :param normalize: Whether the model makes unit vectors.
    """
    starts = np.arange(len(vectors) + 1) if counts is None else np.cumsum([0, *counts])
    k = min(k, len(starts) - 1)
    places = np.empty((len(queries), k), np.int64)
    least = np.empty(len(queries), np.float32)
    for start in range(0, len(queries), BLOCK):
        scores = _best_of_each(similarity(queries[start : start + BLOCK], vectors, distance), starts)
        best = np.argpartition(-scores, k - 1, axis=1)[:, :k]
        ordered = np.take_along_axis(best, np.argsort(-np.take_along_axis(scores, best, 1), axis=1, kind="stable"), 1)
        places[start : start + BLOCK] = ordered
        least[start : start + BLOCK] = np.take_along_axis(scores, ordered, 1)[:, -1]
    return ExactAnswers(vectors, queries, distance, places, least, starts, normalize)


def _best_of_each(scores: FloatArray, starts: np.ndarray) -> FloatArray:
    """Return (q, points) scores of points, given those of their vectors (q, n)."""
    return scores if len(starts) == scores.shape[1] + 1 else np.maximum.reduceat(scores, starts[:-1], axis=1)


def similarity(queries: FloatArray, vectors: FloatArray, distance: str) -> FloatArray:
    """Return (q, n) scores, larger is nearer: cosine, dot product, or the negative of the squared distance."""
    if distance == "cosine":
        queries, vectors = unit_rows(queries), unit_rows(vectors)
    products = queries @ vectors.T
    if distance != "euclid":
        return np.asarray(products, np.float32)
    lengths = (queries**2).sum(1)[:, None] + (vectors**2).sum(1)[None]
    return np.asarray(2 * products - lengths, np.float32)


def unit_rows(vectors: FloatArray) -> FloatArray:
    """Return vectors (n, dim) at length 1; zeros stay zeros."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths == 0, 1, lengths), np.float32)
