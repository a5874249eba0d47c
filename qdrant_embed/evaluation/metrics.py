"""What a ranking is worth: nDCG, and intervals of a mean by bootstrap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from qdrant_embed.types import FloatArray

RESAMPLES = 2000
MOST_DRAWN = 1_000_000
"""Numbers drawn at once for the resamples."""


def bootstrap_interval(values: FloatArray, seed: int = 0) -> tuple[float, float]:
    """Return the bounds between which the mean lies with 95 % (percentile bootstrap over queries, Efron 1979)."""
    rng = np.random.default_rng(seed)
    # A few at a time: all resamples of a hundred thousand questions would take gigabytes.
    size = max(1, MOST_DRAWN // max(1, len(values)))
    portions = [min(size, RESAMPLES - start) for start in range(0, RESAMPLES, size)]
    means = np.concatenate([values[rng.integers(0, len(values), (n, len(values)))].mean(axis=1) for n in portions])
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)


def ndcg(found: Sequence[Sequence[str]], judged: Sequence[Mapping[str, float]], k: int) -> FloatArray:
    """Return (q,) nDCG@k with linear gains; a query without positive judgements counts 0."""
    discounts = 1.0 / np.log2(np.arange(2, k + 2))
    scores = []
    for names, grades in zip(found, judged, strict=True):
        distinct = list(dict.fromkeys(names))[:k]
        gained = sum(grades.get(name, 0.0) * discount for name, discount in zip(distinct, discounts, strict=False))
        best = sorted((grade for grade in grades.values() if grade > 0), reverse=True)[:k]
        ideal = sum(grade * discount for grade, discount in zip(best, discounts, strict=False))
        scores.append(gained / ideal if ideal else 0.0)
    return np.array(scores, np.float32)
