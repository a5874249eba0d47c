"""What a ranking is worth: recall, nDCG, reciprocal rank; intervals of a mean, and tests of two settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from qdrant_embed.types import FloatArray, IntArray

RESAMPLES = 2000
FLIPS = 10_000
MOST_DRAWN = 1_000_000
"""Numbers drawn at once for the resamples."""

Rankings = Sequence[Sequence[str]]
"""The names that each question found, best first; one that comes again counts where it came first."""
Judged = Sequence[Mapping[str, float]]
"""The grades of names, one mapping a question; what has none, or no more than 0, is not relevant."""


def bootstrap_interval(values: FloatArray, seed: int = 0) -> tuple[float, float]:
    """Return the bounds between which the mean lies with 95 % (percentile bootstrap over queries, Efron 1979)."""
    rng = np.random.default_rng(seed)
    rows = _portions(RESAMPLES, len(values))
    means = np.concatenate([values[rng.integers(0, len(values), (n, len(values)))].mean(axis=1) for n in rows])
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)


def randomization_test(differences: FloatArray, seed: int = 0) -> float:
    """Return how probable so large a mean difference is where two settings answer alike (two-sided, paired).

    If they do, each question's difference (q,) could as well have the other sign (Smucker, Allan and Carterette 2007).
    """
    rng = np.random.default_rng(seed)
    found = abs(differences.sum())
    as_large = sum(
        int((np.abs(rng.choice((-1.0, 1.0), (n, len(differences))) @ differences) >= found - 1e-9).sum())
        for n in _portions(FLIPS, len(differences))
    )
    return (as_large + 1) / (FLIPS + 1)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p values that allow for how many tests were made (Holm 1979)."""
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for place, test in enumerate(sorted(range(len(p_values)), key=lambda test: p_values[test])):
        largest = max(largest, min(1.0, p_values[test] * (len(p_values) - place)))
        adjusted[test] = largest
    return adjusted


def recall(found: Rankings, judged: Judged, k: int) -> FloatArray:
    """Return (q,) shares of what is relevant that stand among the first k; 0 where nothing is."""
    wanted = [{name for name, grade in grades.items() if grade > 0} for grades in judged]
    held = [len(names & set(_distinct(row, k))) for row, names in zip(found, wanted, strict=True)]
    return np.array([n / max(1, len(names)) for n, names in zip(held, wanted, strict=True)], np.float32)


def first_ranks(found: Rankings, judged: Judged, k: int) -> IntArray:
    """Return (q,) ranks, from 1, of the first that is relevant among the first k; 0 where none is."""
    rows = zip(found, judged, strict=True)
    ranks = [next((n for n, name in enumerate(_distinct(r, k), 1) if grades.get(name, 0) > 0), 0) for r, grades in rows]
    return np.array(ranks, np.int64)


def ndcg(found: Rankings, judged: Judged, k: int) -> FloatArray:
    """Return (q,) nDCG@k with linear gains; a query without positive judgments counts 0."""
    discounts = 1.0 / np.log2(np.arange(2, k + 2))
    scores = []
    for names, grades in zip(found, judged, strict=True):
        positive = {name: grade for name, grade in grades.items() if grade > 0}
        gained = [positive.get(name, 0.0) for name in _distinct(names, k)]
        best = sorted(positive.values(), reverse=True)[:k]
        ideal = float(np.dot(best, discounts[: len(best)]))
        scores.append(float(np.dot(gained, discounts[: len(gained)])) / ideal if ideal else 0.0)
    return np.array(scores, np.float32)


def _distinct(names: Sequence[str], k: int) -> list[str]:
    return list(dict.fromkeys(names))[:k]


def _portions(rows: int, width: int) -> Iterator[int]:
    """Yield how many of so many rows to draw at once: all of them for a hundred thousand questions take gigabytes."""
    size = max(1, MOST_DRAWN // max(1, width))
    yield from (min(size, rows - start) for start in range(0, rows, size))
