"""Maximal marginal relevance over sparse vectors, which Qdrant Edge has for dense ones only."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import qdrant_edge as edge
from qdrant_client import models

from qdrant_embed.store.edge.convert.point_structs import scored
from qdrant_embed.store.edge.convert.query import DEFAULT_LIMIT, MMR_DIVERSITY, VectorOf

Terms = Mapping[int, float]


@dataclass(frozen=True, slots=True)
class VariedQuery:
    """A query for points that are near what is asked and far from each other, by a sparse vector."""

    request: models.QueryRequest

    @classmethod
    def of(cls, request: models.QueryRequest, sparse: Collection[str]) -> VariedQuery | None:
        """Return the query that a request is; None for any other.

        :param sparse: Names of the sparse vectors.
        """
        query = request.query
        wanted = isinstance(query, models.NearestQuery) and query.mmr is not None and request.using in sparse
        return cls(request) if wanted else None

    @property
    def candidates(self) -> models.QueryRequest:
        """The request for the points to choose from."""
        query: Any = self.request.query
        changes = {
            "query": models.NearestQuery.model_construct(nearest=query.nearest, mmr=None),
            "limit": query.mmr.candidates_limit or self._limit,
            "offset": 0,
            "with_vector": True,
        }
        return self.request.model_copy(update=changes)

    def chosen(self, found: Sequence[edge.ScoredPoint], vector_of: VectorOf) -> list[models.ScoredPoint]:
        """Return the answer.

        :param found: The candidates.
        """
        query: Any = self.request.query
        name = self.request.using or ""
        given = query.nearest
        vector = given if isinstance(given, models.SparseVector) else vector_of(given, name)
        stored: list[Any] = [point.vector for point in found]
        vectors = [_terms(vector[name]) for vector in stored]
        diversity = MMR_DIVERSITY if query.mmr.diversity is None else query.mmr.diversity
        offset = self.request.offset or 0
        places = diverse(_terms(vector), vectors, diversity, self._limit + offset)[offset:]
        return scored([found[place] for place in places], self.request.with_vector)

    @property
    def _limit(self) -> int:
        return DEFAULT_LIMIT if self.request.limit is None else self.request.limit


def _terms(vector: Any) -> Terms:
    """Return a sparse vector as index → value."""
    return dict(zip(vector.indices, vector.values, strict=True))


def diverse(asked: Terms, candidates: Sequence[Terms], diversity: float, limit: int) -> list[int]:
    """Return the places of candidates that are near what is asked and far from each other, in their order.

    The first is the most relevant one. Of equal ones the last is taken, and the last moves into the place of each that
    is chosen: so the server does, whose order is given.

    :param diversity: From 0, relevance alone, to 1.
    """
    relevance = [_dot(asked, candidate) for candidate in candidates]
    nearest = [-math.inf] * len(candidates)
    pending, chosen = list(range(len(candidates))), list[int]()
    while pending and len(chosen) < limit:
        gains = [
            (1 - diversity) * relevance[place] - diversity * nearest[place] if chosen else relevance[place]
            for place in pending
        ]
        best = max(range(len(pending)), key=lambda position: (gains[position], position))
        pick, pending[best] = pending[best], pending[-1]
        pending.pop()
        chosen.append(pick)
        for place in pending:
            nearest[place] = max(nearest[place], _dot(candidates[pick], candidates[place]))
    return chosen


def _dot(left: Terms, right: Terms) -> float:
    small, large = (left, right) if len(left) < len(right) else (right, left)
    return sum(value * large.get(index, 0.0) for index, value in small.items())
