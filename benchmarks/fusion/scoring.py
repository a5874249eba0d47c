"""What ways are worth on a set of questions, with intervals, and what `hybrid` is worth beside its better part."""

from collections.abc import Mapping, Sequence

import numpy as np

from benchmarks.fusion.ways import Found
from qdrant_embed.evaluation import Question, bootstrap_interval, ndcg, recall

PARTS = ("dense", "bm25")


def scores(questions: Sequence[Question], found: Found, sources: Mapping[str, str], metric: str) -> np.ndarray:
    """Return (q,) scores; what a question is judged by, ids of chunks or sources, is what is ranked."""
    documents = set(sources.values())
    rankings = []
    for question, ids in zip(questions, found, strict=True):
        by_source = all(name in documents for name in question.relevant or ())
        kept = [key for key in ids if key != question.left_out]
        rankings.append([sources[key] for key in kept] if by_source else kept)
    judged = [question.relevant or {} for question in questions]
    return recall(rankings, judged, 2) if metric == "R@2" else ndcg(rankings, judged, 10)


def interval(values: np.ndarray) -> dict[str, float]:
    """Return a mean and its bounds with 95 %."""
    low, high = bootstrap_interval(values)
    return {"mean": round(float(values.mean()), 4), "low": round(low, 4), "high": round(high, 4)}


def compared(by_way: Mapping[str, np.ndarray]) -> dict:
    """Return each way's score, and its difference to the part of `hybrid` that is better on the whole set.

    :param by_way: (q,) each; differences are taken question by question.
    """
    best = max(PARTS, key=lambda name: by_way[name].mean())
    gained = {name: values - by_way[best] for name, values in by_way.items() if name not in PARTS}
    return {
        "questions": len(by_way[best]),
        "best_part": best,
        "scores": {name: interval(values) for name, values in by_way.items()},
        "over_best_part": {name: interval(values) for name, values in gained.items()},
        "hybrid_over": {name: interval(gained["hybrid"] - own) for name, own in gained.items() if name != "hybrid"},
        "halves": {"even": interval(gained["hybrid"][::2]), "odd": interval(gained["hybrid"][1::2])},
    }
