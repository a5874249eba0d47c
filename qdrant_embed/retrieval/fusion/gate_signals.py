"""What is asked beside the lists of a question, in the same request: how selective its words are, and vectors.

Of each term its idf, of the texts how much of the question's idf mass they hold, and the vectors of the first hits of
each list, from which feedback is made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from qdrant_embed.retrieval.lists import rounded, whole
from qdrant_embed.retrieval.query_plan import DEPTH, QueryPlan
from qdrant_embed.store.scroll import vector_of
from qdrant_embed.types import DENSE, FloatArray

if TYPE_CHECKING:
    from qdrant_client import models
    from qdrant_client.http.models import QueryResponse

FIRST = 6
"""Hits of each list whose vectors are fetched for feedback; the last may be one of several equal ones."""
EQUAL = 1e-4
"""Part of the largest coverage by which another one may be smaller and is the same: engines sum in any order."""


@dataclass(frozen=True, slots=True)
class GateSignals:
    """What was answered.

    :param coverage: Share of the question's idf mass that the text with most of it holds; 0 without words.
    :param holders: Texts that hold so much, `DEPTH` at the most.
    :param idf: Of each term of the query; None for one that no text holds.
    :param vectors: By id, the model's dense vectors (dim,) of first hits.
    """

    coverage: float
    holders: int
    idf: tuple[float | None, ...]
    vectors: dict[Any, FloatArray]


def signal_requests(plan: QueryPlan) -> list[models.QueryRequest]:
    """Return what is asked beside the lists of a plan that is fused by scores."""
    from qdrant_client import models

    found = []
    if plan.terms is not None:
        asked = [(plan.terms.covered(), DEPTH), *((single, 1) for single in plan.terms.singles())]
        found = [
            models.QueryRequest(
                query=query,
                using=plan.terms.using,
                filter=plan.condition if limit > 1 else None,
                limit=limit,
                with_payload=False,
            )
            for query, limit in asked
        ]
    if plan.takes_feedback:
        found += [part.request().model_copy(update={"limit": FIRST, "with_vector": [DENSE]}) for part in plan.lists]
    return found


def read_signals(plan: QueryPlan, answers: Iterator[QueryResponse]) -> GateSignals:
    """Take the answers to a plan's requests from those of all."""
    coverage, holders = 0.0, 0
    idf: tuple[float | None, ...] = ()
    if plan.terms is not None:
        covered = [point.score for point in next(answers).points]
        singles = [next(answers).points for _ in plan.terms.singles()]
        idf = tuple(points[0].score if points else None for points in singles)
        coverage, holders = _coverage(covered, idf_mass(idf))
    vectors: dict[Any, FloatArray] = {}
    for _ in plan.lists if plan.takes_feedback else ():
        points = rounded(next(answers).points)
        # Which of several equal points an engine puts last is chance, and chance is to decide nothing.
        certain = whole(points, FIRST, 0)
        for point in certain or ():
            vectors[point.id] = plan.codec.raw(np.atleast_2d(np.asarray(vector_of(point, DENSE), np.float32)))[0]
    return GateSignals(coverage, holders, idf, vectors)


def idf_mass(idf: Sequence[float | None]) -> float:
    """Return the sum of the terms' idf; a term that no text holds is at least as rare as the rarest that one does."""
    known = [value for value in idf if value is not None]
    return sum(known) + (len(idf) - len(known)) * max(known, default=0.0)


def _coverage(covered: Sequence[float], total: float) -> tuple[float, int]:
    """Return the largest share of the idf mass that a text holds, and how many hold it."""
    if not covered or not total:
        return 0.0, 0
    most = covered[0]
    # Engines sum in any order: the last digits of a float32 are chance.
    return min(1.0, round(most / total, 6)), sum(score >= most * (1.0 - EQUAL) for score in covered)
