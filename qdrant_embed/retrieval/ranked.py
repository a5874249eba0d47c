"""One query as the engine is asked: what to rank by, how deep, with which codes, and what its scores mean."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from qdrant_embed.compression.grammar import BINARY_CODES
from qdrant_embed.store.coding import Coding
from qdrant_embed.store.compressed import search_params
from qdrant_embed.store.schema import BM25, DENSE, DENSE_SMALL, MULTIVECTOR, SPARSE
from qdrant_embed.types import FloatArray

if TYPE_CHECKING:
    from qdrant_client import models

RRF_K = 2
"""Rank constant of reciprocal rank fusion (Cormack, Clarke and Büttcher 2009, section 2).

Qdrant's own default, not the paper's 60, which was chosen for fusing many lists: with two, a passage that one list puts
first would fall behind any that both lists hold somewhere in their first hundred.
"""
CANDIDATES = 10
"""Hits that each list offers to the fusion, as a multiple of k."""
MIN_CANDIDATES = 100
SPARE_FOR_TIES = 8
"""Hits asked for beyond k: which of several equal ones the engine puts last is chance."""
HNSW_EF = 256
"""Candidates kept while walking the graph; wide, since collections promise near-exact recall unless told otherwise."""


@dataclass(frozen=True, slots=True)
class QueryVector:
    """A query's vector: as the compressed vectors are searched, as the model gave it, and what its scores lack."""

    coded: FloatArray
    whole: FloatArray
    offset: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """One query as lists to rank by, and the vectors of its tokens, by which their hits are ranked again.

    :param terms: By BM25.
    :param vector: By the dense model.
    :param weights: By the sparse model.
    :param tokens: (tokens, dim), by the multi-vector model; all points are ranked if there is no list.
    :param shortlist: Ids that the vector may find; None for all.
    """

    coding: Coding
    limit: int
    condition: models.Filter | None
    min_score: float | None
    terms: models.SparseVector | None
    vector: QueryVector | None
    weights: models.SparseVector | None = None
    tokens: FloatArray | None = None
    shortlist: tuple[Any, ...] | None = None

    @property
    def answerable(self) -> bool:
        """Whether there is anything to rank by."""
        return any(given is not None for given in (self.terms, self.vector, self.weights, self.tokens))

    @property
    def dense_alone(self) -> bool:
        """Whether nothing but the dense vector ranks."""
        return self.vector is not None and self.terms is None and self.weights is None and self.tokens is None

    def others(self) -> list[Ranked]:
        """Return each list but that of the dense vector as a query of its own."""
        alone = replace(self, terms=None, vector=None, weights=None, tokens=None, min_score=None, limit=self.depth)
        lists = [replace(alone, terms=self.terms), replace(alone, weights=self.weights)]
        return [ranked for ranked in lists if ranked.answerable]

    @property
    def depth(self) -> int:
        """Hits that each list offers to a fusion."""
        return max(MIN_CANDIDATES, CANDIDATES * self.limit)

    @property
    def rescored(self) -> int:
        """Hits of the compressed vector that the whole one ranks again."""
        wanted = self.limit if self.dense_alone else self.depth
        return math.ceil(wanted * (self.coding.compression.rescore or 1.0))

    def request(self) -> models.QueryRequest:
        """Return what the engine is asked."""
        from qdrant_client import models

        lists = self._lists(self.limit if self.dense_alone else self.depth)
        if self.tokens is not None:
            return models.QueryRequest(
                prefetch=lists or None,
                query=self.tokens.tolist(),
                using=MULTIVECTOR,
                filter=None if lists else self.condition,
                limit=self.limit + SPARE_FOR_TIES,
                with_payload=True,
                score_threshold=self.min_score,
            )
        if len(lists) > 1:
            return models.QueryRequest(
                prefetch=lists,
                query=models.RrfQuery(rrf=models.Rrf(k=RRF_K)),
                limit=self.limit + SPARE_FOR_TIES,
                with_payload=True,
                score_threshold=self.min_score,
            )
        single = lists[0]
        return models.QueryRequest(
            query=single.query,
            using=single.using,
            filter=single.filter,
            prefetch=single.prefetch,
            params=single.params,
            limit=self.limit + self._spare,
            with_payload=True,
            score_threshold=self.min_score if self._scores_are_the_models else None,
        )

    def scored(self, points: Sequence[models.ScoredPoint]) -> list[models.ScoredPoint]:
        """Return the engine's hits with scores of the model, larger is nearer.

        What centring or whole numbers changed is undone; distances, which engines count upwards, become negative.
        """
        if self._scores_are_the_models or not self.dense_alone or self.vector is None:
            return list(points)
        coder, offset = self.coding.coder, self.vector.offset
        scores = [coder.score(point.score, offset) for point in points]
        if self._by_signs and coder.store_distance == "euclid":
            scores = _agreements([point.score for point in points])
        mended = [point.model_copy(update={"score": score}) for point, score in zip(points, scores, strict=True)]
        return [point for point in mended if self.min_score is None or point.score >= self.min_score]

    @property
    def _scores_are_the_models(self) -> bool:
        if not self.dense_alone:
            return True
        compression, distance = self.coding.compression, self.coding.coder.distance
        return distance != "euclid" and (compression.plain or compression.full)

    @property
    def _by_signs(self) -> bool:
        """Whether nothing but the signs of numbers is compared."""
        compression = self.coding.compression
        return compression.code in BINARY_CODES and compression.rescore is None and not compression.full

    @property
    def _spare(self) -> int:
        """Hits beyond k; none where the engine rescores codes, since the limit then says how many it rescores too."""
        compression = self.coding.compression
        rescored = self.dense_alone and compression.rescore is not None and not compression.full
        return 0 if rescored else SPARE_FOR_TIES

    def _lists(self, limit: int) -> list[models.Prefetch]:
        """Return what each list finds; `limit` is the dense vector's."""
        from qdrant_client import models

        lists = [
            models.Prefetch(query=given, using=using, filter=self.condition, limit=self.depth)
            for given, using in ((self.terms, BM25), (self.weights, SPARSE))
            if given is not None
        ]
        return lists if self.vector is None else [*lists, self._by_vector(self.vector, limit)]

    def _by_vector(self, vector: QueryVector, limit: int) -> models.Prefetch:
        from qdrant_client import models

        compression = self.coding.compression
        params = search_params(compression, HNSW_EF)
        coded, whole = (self._asked(given) for given in (vector.coded, vector.whole))
        if not compression.full:
            return models.Prefetch(query=coded, using=DENSE, filter=self.condition, limit=limit, params=params)
        if self.shortlist is not None:
            chosen = models.Filter(must=[models.HasIdCondition(has_id=list(self.shortlist))])
            return models.Prefetch(query=whole, using=DENSE, filter=chosen, limit=limit)
        small = models.Prefetch(
            query=coded,
            using=DENSE_SMALL,
            filter=self.condition,
            limit=self.rescored,
            params=params,
        )
        return models.Prefetch(prefetch=[small], query=whole, using=DENSE, limit=limit)

    def _asked(self, vector: FloatArray) -> list[float] | list[list[float]]:
        """Return a vector as engines want to be asked: a list of one where points have a vector for each window."""
        numbers: list[float] = vector.tolist()
        return [numbers] if self.coding.windows else numbers


def _agreements(found: Sequence[float]) -> list[float]:
    """Return by how much the bits that agree outweigh those that differ, of what engines make of it for distances.

    They give the root of its absolute value: best first, it falls as long as most bits agree, and rises from there on.
    Where it only rises, it is a distance: there are no codes yet.
    """
    turn = found.index(min(found)) if found else 0
    return [value if place < turn else 0.0 - value for place, value in enumerate(found)]


def fused(lists: Sequence[Sequence[models.ScoredPoint]], min_score: float | None) -> list[models.ScoredPoint]:
    """Fuse rankings by reciprocal rank, as the engine does where it ranks both."""
    scores: dict[Any, float] = {}
    points: dict[Any, models.ScoredPoint] = {}
    for ranking in lists:
        for place, point in enumerate(ranking):
            scores[point.id] = scores.get(point.id, 0.0) + 1.0 / (RRF_K + place)
            points.setdefault(point.id, point)
    return [
        point.model_copy(update={"score": scores[key]})
        for key, point in points.items()
        if min_score is None or scores[key] >= min_score
    ]
