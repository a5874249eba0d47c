"""Pseudo-relevance feedback: a question's vector moved toward the text that answers it best (Rocchio 1971).

Only where the first texts agree with each other at least as well as with the question: they are of one subject then,
and what else is near them is probably of it. Where the question is nearer to its answer than answers are to each other,
it was exact, and moving it would blur it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from qdrant_embed.evaluation.exact_search import unit_rows
from qdrant_embed.retrieval.lists import leveled, whole
from qdrant_embed.retrieval.query_plan import QueryPlan
from qdrant_embed.store.methods.ranking_request import FoundPoint, RankingRequest
from qdrant_embed.store.scroll import vector_of
from qdrant_embed.types import DENSE, FloatArray

FIRST = 6
"""Hits of each list whose vectors are fetched beside the lists; the last may be one of several equal ones."""
WEIGHT = 0.4
"""How far the question's vector is moved at the most: q' = (1 - w)·q + w·d."""
AGREEING = 3
"""First texts whose agreement is looked at."""
LEAST_AGREEMENT, FULL_AGREEMENT = 0.9, 1.0
"""Mean cosine of the first texts to each other, as a multiple of that to the question: none below, all above."""


def vector_requests(plan: QueryPlan) -> list[RankingRequest]:
    """Return what an engine is asked for the vectors of the first hits of each list; nothing where none is moved."""
    first = plan.lists if plan.takes_feedback else []
    return [replace(part.request(), limit=FIRST, vectors=(DENSE,)) for part in first]


def read_vectors(plan: QueryPlan, answers: Iterator[list[FoundPoint]]) -> dict[Any, FloatArray]:
    """Take the answers to these requests from those of all: by id, the model's dense vectors (dim,)."""
    found: dict[Any, FloatArray] = {}
    for _ in vector_requests(plan):
        # Which of several equal points an engine puts last is chance, and chance is to decide nothing.
        for point in whole(leveled(next(answers)), FIRST, 0) or ():
            found[point.id] = plan.codec.raw(np.atleast_2d(np.asarray(vector_of(point, DENSE), np.float32)))[0]
    return found


def feedback_weight(query: FloatArray, first: Sequence[FloatArray]) -> float:
    """Return how far a question is to be moved, 0 to `WEIGHT`.

    :param query: (dim,).
    :param first: Vectors (dim,) of the first texts, best first; fewer than two agree about nothing.
    """
    if len(first) < 2:
        return 0.0
    rows = unit_rows(np.stack(first[:AGREEING]))
    among = float((rows @ rows.T)[np.triu_indices(len(rows), 1)].mean())
    asked = float((rows @ unit_rows(query[None])[0]).mean())
    agreement = among / max(asked, 1e-3)
    return WEIGHT * min(1.0, max(0.0, (agreement - LEAST_AGREEMENT) / (FULL_AGREEMENT - LEAST_AGREEMENT)))


def moved(query: FloatArray, toward: FloatArray, weight: float) -> FloatArray:
    """Return the moved question (dim,), as long as it was."""
    asked, near = unit_rows(np.stack([query, toward]))
    mixed = (1.0 - weight) * asked + weight * near
    return np.asarray(unit_rows(mixed[None])[0] * np.linalg.norm(query), np.float32)


def first_vectors(order: Sequence[Any], vectors: Mapping[Any, FloatArray]) -> list[FloatArray]:
    """Return the vectors of the first texts, so far as they are known; none where that of the first is not."""
    found = [vectors[key] for key in order[:AGREEING] if key in vectors]
    return found if order and order[0] in vectors else []
