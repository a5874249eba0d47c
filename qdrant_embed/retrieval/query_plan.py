"""One query as the engine is asked: what to rank by, how deep, with which codes, and what its scores mean."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from qdrant_embed.compression.spec import BINARY_CODES
from qdrant_embed.retrieval.term_query import TermQuery
from qdrant_embed.store.collection_codec import CollectionCodec
from qdrant_embed.store.methods.ranking_request import CodeUse, FoundPoint, RankingRequest
from qdrant_embed.store.quantization import code_use
from qdrant_embed.types import BM25, DENSE, DENSE_SMALL, MULTIVECTOR, SPARSE, FloatArray, SparseVector

if TYPE_CHECKING:
    from qdrant_client import models

DEPTH = 100
"""Hits that each list offers to the fusion, and points that are rescored for, at the least.

One depth for every k: the first hits must not depend on how many are asked for.
"""
SPARE_FOR_TIES = 8
"""Hits asked for beyond those: which of several equal ones the engine puts last is chance."""
MOST_ASKED = 8192
"""Hits of a list that are asked for at the most, to have all that are equal to the last one wanted."""
PLACE_FIELDS = ("root", "source", "chunk_index", "document_id")
"""What comes with each hit of a list: it puts equal scores in order, shows foreign points, and names documents."""
HNSW_EF = 256
"""Candidates kept while walking the graph; wide, since collections promise near-exact recall unless told otherwise."""


@dataclass(frozen=True, slots=True)
class QueryVector:
    """A query's vector: as the compressed vectors are searched, as the model gave it, and what its scores lack."""

    encoded: FloatArray
    whole: FloatArray
    offset: float


@dataclass(frozen=True, kw_only=True)
class QueryPlan:
    """One query as lists to rank by, and the vectors of its tokens, by which their hits are ranked again.

    :param terms: By BM25.
    :param vector: By the dense model.
    :param weights: By the sparse model.
    :param tokens: (tokens, dim), by the multi-vector model; all points are ranked if there is no list.
    :param limit: Hits that the engine is asked for; `Lists` sets it.
    :param shortlist: Ids that the vector, or those of tokens, may find; None for all.
    :param fusion: How several lists become one: by `scores`, or by `ranks`; a plan by scores is never `single`.
    :param feedback: Whether the vector may be moved toward that of the first hit.
    :param along: Hits of each list whose whole payload is asked for with it, to spare a round trip.
    :param placed: Whether all hits come with their places, for the same reason; else `Lists` asks for those of equals.
    """

    codec: CollectionCodec
    condition: models.Filter | None
    terms: TermQuery | None
    vector: QueryVector | None
    weights: SparseVector | None = None
    tokens: FloatArray | None = None
    limit: int = DEPTH
    shortlist: tuple[Any, ...] | None = None
    fusion: Literal["scores", "ranks"] = "ranks"
    feedback: bool = True
    along: int = 0
    placed: bool = False

    @cached_property
    def lists(self) -> Sequence[QueryPlan]:
        """Each list as a query of its own; that of the tokens where it is the only one."""
        alone = replace(self, terms=None, vector=None, weights=None, tokens=None, fusion="ranks")
        parts = [
            replace(alone, terms=self.terms),
            replace(alone, weights=self.weights),
            replace(alone, vector=self.vector),
        ]
        found = [part for part in parts if any(given is not None for given in (part.terms, part.weights, part.vector))]
        return found or ([self] if self.tokens is not None else [])

    @property
    def single(self) -> bool:
        """Whether one list ranks, and nothing ranks its hits again."""
        return not self.fused and len(self.lists) == 1 and (self.tokens is None or self.lists[0] is self)

    @property
    def fused(self) -> bool:
        """Whether scores are fused, those of one list too, so that what comes out is on one scale."""
        return self.fusion == "scores" and any(given is not None for given in (self.terms, self.weights, self.vector))

    @property
    def name(self) -> str:
        """Name of what ranks, of a plan of one list."""
        by = ((self.terms, BM25), (self.weights, SPARSE), (self.vector, DENSE), (self.tokens, MULTIVECTOR))
        return next(name for given, name in by if given is not None)

    @property
    def takes_feedback(self) -> bool:
        """Whether its vector may be moved toward those of first hits: they have to be numbers, one of each text."""
        codec = self.codec
        return (
            self.feedback
            and self.fusion == "scores"
            and self.vector is not None
            and codec.compression.datatype != "bits"
            and codec.vector_codec.distance != "euclid"
            and not codec.windows
        )

    @property
    def rescores(self) -> bool:
        """Whether what the vector finds by code is ranked again by what is stored."""
        return self.vector is not None and self.codec.compression.rescore is not None

    @property
    def rescored(self) -> int:
        """Hits of the compressed vector that the whole one ranks again."""
        return math.ceil(self.limit * (self.codec.compression.rescore or 1.0))

    def among(self, ids: Sequence[Any]) -> QueryPlan:
        """Return the query that ranks these points by the vectors of the tokens."""
        alone = replace(self, terms=None, vector=None, weights=None, condition=None)
        return replace(alone, shortlist=tuple(ids), limit=max(1, len(ids)))

    def request(self) -> RankingRequest:
        """Return what the engine is asked for the one list that there is: ids, scores and places.

        :raises ValueError: There are several lists, or none.
        """
        (part,) = self.lists
        asked = part._asked()
        # All that are rescored come back: which of several equal ones an engine leaves out is chance.
        staged = self.vector is not None and self.codec.compression.full and self.shortlist is None
        limit = self.rescored if staged else self.limit
        return replace(asked, limit=limit, fields=PLACE_FIELDS if self.placed else False)

    def scored(self, points: Sequence[FoundPoint]) -> list[FoundPoint]:
        """Return the engine's hits with scores of the model, larger is nearer.

        What centering or whole numbers changed is undone; distances, which engines count upwards, become negative.
        """
        if self.vector is None or self._scores_are_the_models:
            return list(points)
        vector_codec, offset = self.codec.vector_codec, self.vector.offset
        scores = [vector_codec.score(point.score, offset) for point in points]
        if self._by_signs and vector_codec.store_distance == "euclid":
            scores = _agreements([point.score for point in points])
        return [point.scored(score) for point, score in zip(points, scores, strict=True)]

    @property
    def _scores_are_the_models(self) -> bool:
        compression, distance = self.codec.compression, self.codec.vector_codec.distance
        return distance != "euclid" and (compression.plain or compression.full)

    @property
    def _by_signs(self) -> bool:
        """Whether nothing but the signs of numbers is compared."""
        compression = self.codec.compression
        return compression.code in BINARY_CODES and compression.rescore is None and not compression.full

    def _asked(self) -> RankingRequest:
        """Return the request for the one list that there is."""
        where, limit = self.condition, self.limit
        if self.vector is not None:
            return self._by_vector(self.vector)
        if self.terms is not None:
            return RankingRequest(query=self.terms.ranked(), using=self.terms.using, where=where, limit=limit)
        if self.weights is not None:
            return RankingRequest(query=self.weights, using=SPARSE, where=where, limit=limit)
        rows: list[list[float]] = [] if self.tokens is None else self.tokens.tolist()
        return RankingRequest(query=rows, using=MULTIVECTOR, where=where, among=self.shortlist, limit=limit)

    def _by_vector(self, vector: QueryVector) -> RankingRequest:
        compression = self.codec.compression
        encoded, whole = (self._numbers(given) for given in (vector.encoded, vector.whole))
        if compression.full and self.shortlist is not None:
            return RankingRequest(query=whole, using=DENSE, among=self.shortlist, limit=self.limit)
        use: CodeUse = code_use(compression, HNSW_EF)
        if not compression.full:
            return RankingRequest(query=encoded, using=DENSE, where=self.condition, use=use, limit=self.limit)
        small = RankingRequest(query=encoded, using=DENSE_SMALL, where=self.condition, use=use, limit=self.rescored)
        return RankingRequest(query=whole, using=DENSE, first=small, limit=self.limit)

    def _numbers(self, vector: FloatArray) -> list[float] | list[list[float]]:
        """Return a vector as engines want to be asked: a list of one where points have a vector for each window."""
        numbers: list[float] = vector.tolist()
        return [numbers] if self.codec.windows else numbers


def _agreements(found: Sequence[float]) -> list[float]:
    """Return by how much the bits that agree outweigh those that differ, of what engines make of it for distances.

    They give the root of its absolute value: best first, it falls as long as most bits agree, and rises from there on.
    Where it only rises, it is a distance: there are no codes yet.
    """
    turn = found.index(min(found)) if found else 0
    return [value if place < turn else 0.0 - value for place, value in enumerate(found)]


def in_order(points: Iterable[FoundPoint]) -> list[FoundPoint]:
    """Put points best first, and equal scores, which equal texts give, in the order of the corpus."""
    return sorted(points, key=lambda point: (-point.score, place_of(point)))


def place_of(point: FoundPoint) -> tuple[str, str, int, str]:
    """Return where a point stands in the corpus, which is the same on every engine: root, source, place, id."""
    fields = point.payload or {}
    # Another program's point may hold anything there; it is told apart and left out elsewhere.
    place = fields.get("chunk_index")
    index = place if isinstance(place, int) else 0
    return str(fields.get("root", "")), str(fields.get("source", "")), index, str(point.id)
