"""Scores of documents for questions, and what they are worth."""

from collections.abc import Mapping, Sequence

import numpy as np

from benchmarks.long_context.tasks import Task

Bags = Sequence[np.ndarray]
"""One array (vectors, dim) for each document, rows of length 1."""


def best(queries: np.ndarray, bags: Bags) -> np.ndarray:
    """Return the scores (queries, documents) of each document's best vector."""
    return np.stack([(queries @ bag.T).max(axis=1) for bag in bags], axis=1)


def soft(queries: np.ndarray, bags: Bags, *, sharpness: float) -> np.ndarray:
    """Return scores that weigh a document's vectors by how near they are to the question (softmax attention)."""
    columns = []
    for bag in bags:
        near = queries @ bag.T
        weights = np.exp(sharpness * (near - near.max(axis=1, keepdims=True)))
        columns.append((weights * near).sum(axis=1) / weights.sum(axis=1))
    return np.stack(columns, axis=1)


def top(queries: np.ndarray, bags: Bags, *, count: int) -> np.ndarray:
    """Return the mean of the scores of each document's best few vectors."""
    return np.stack([np.sort(queries @ bag.T, axis=1)[:, -count:].mean(axis=1) for bag in bags], axis=1)


def fused(*scores: np.ndarray, k: int = 60) -> np.ndarray:
    """Return reciprocal rank fusion (Cormack et al. 2009) of scores (queries, documents)."""
    ranks = [np.argsort(np.argsort(-one, axis=1, kind="stable"), axis=1) for one in scores]
    return sum(1.0 / (k + 1 + rank) for rank in ranks)


def measured(task: Task, scores: np.ndarray) -> Mapping[str, float]:
    """Return accuracy@1 and nDCG@10 of scores (queries, documents), in the task's own order; four digits."""
    import ir_measures
    from ir_measures import Success, nDCG

    documents = list(task.documents)
    qrels = [ir_measures.Qrel(q, d, grade) for q, grades in task.relevant.items() for d, grade in grades.items()]
    run = [
        ir_measures.ScoredDoc(query, document, float(score))
        for query, row in zip(task.queries, scores, strict=True)
        for document, score in zip(documents, row, strict=True)
    ]
    found = ir_measures.calc_aggregate([Success @ 1, nDCG @ 10], qrels, run)
    return {"acc@1": round(found[Success @ 1], 4), "ndcg@10": round(found[nDCG @ 10], 4)}
