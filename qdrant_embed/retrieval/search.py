"""Searching: dense vectors, BM25, sparse vectors, fused by rank and ranked again by token inside the engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from numbers import Integral
from typing import TYPE_CHECKING, Any, Literal, get_args

from qdrant_embed.embedders import Beside, engine_vector
from qdrant_embed.embedding import Embedder
from qdrant_embed.embedding.bm25 import Bm25Encoder
from qdrant_embed.errors import ConfigurationError
from qdrant_embed.retrieval.best_window import hits_with_windows
from qdrant_embed.retrieval.hamming import PAGE, HammingIndex
from qdrant_embed.retrieval.hits import Hit, Hits
from qdrant_embed.retrieval.ranked import SPARE_FOR_TIES, QueryVector, Ranked, fused
from qdrant_embed.retrieval.shortlist import shortlist
from qdrant_embed.store.coding import Coding
from qdrant_embed.store.engine import Engine
from qdrant_embed.store.filters import PlainFilter, filter_of
from qdrant_embed.store.schema import DENSE, DENSE_SMALL, MULTIVECTOR, SPARSE

if TYPE_CHECKING:
    from qdrant_client import models

Mode = Literal["hybrid", "dense", "bm25", "sparse", "multivector"]


@dataclass(frozen=True, kw_only=True)
class Searcher:
    """Everything that a search needs of a collection."""

    engine: Engine
    name: str
    embedder: Embedder
    bm25: Bm25Encoder
    coding: Coding
    beside: Beside = field(default_factory=dict)

    def search(
        self,
        queries: Sequence[str],
        k: int,
        *,
        where: PlainFilter | models.Filter | None = None,
        mode: Mode = "hybrid",
        min_score: float | None = None,
    ) -> list[Hits]:
        """Return the best `k` passages for each query, best first.

        :raises ConfigurationError: `k`, `mode`, the filter or a query makes no sense.
        """
        _check(queries, k, mode)
        k = int(k)  # numpy's whole numbers too, which engines refuse
        self._require_model(mode)
        condition = filter_of(self.engine, self.name, where)
        nothing = [None] * len(queries)
        vectors = self._vectors(queries) if mode in ("hybrid", "dense") and queries else nothing
        weights, tokens = (self._beside(name, queries, mode) for name in (SPARSE, MULTIVECTOR))
        ranked = [
            Ranked(
                coding=self.coding,
                limit=k,
                condition=condition,
                min_score=min_score,
                terms=self._terms(query, mode),
                vector=vector,
                weights=weight,
                tokens=token,
            )
            for query, vector, weight, token in zip(queries, vectors, weights, tokens, strict=True)
        ]
        found = [self._by_bits(part) for part in ranked] if self._bits else self._by_engine(ranked)
        return [
            Hits(self._hits(_in_order(points)[:k], vector), query=query, language=self.bm25.language)
            for query, points, vector in zip(queries, found, vectors, strict=True)
        ]

    def _hits(self, points: Sequence[models.ScoredPoint], vector: QueryVector | None) -> list[Hit]:
        if not self.coding.windows:
            return [Hit.from_point(point) for point in points]
        return hits_with_windows(self.engine, self.name, self.coding, points, vector)

    @property
    def _bits(self) -> bool:
        return self.coding.compression.datatype == "bits"

    @cached_property
    def hamming(self) -> HammingIndex:
        """The codes of a collection that keeps only signs."""
        vector = DENSE_SMALL if self.coding.compression.full else DENSE
        page = self.coding.page if self.coding.windows else PAGE
        return HammingIndex(self.engine, self.name, vector, self.coding.coder.bits, page)

    def _vectors(self, queries: Sequence[str]) -> Sequence[QueryVector | None]:
        embedded = self.embedder.embed_queries(list(queries))
        if not self.coding.ready():
            # Nothing was ingested yet, so there is nothing to find by vector.
            return [None] * len(queries)
        coded = self.coding.coder.queries(embedded)
        return [QueryVector(*row) for row in zip(coded.vectors, embedded, map(float, coded.offsets), strict=True)]

    def _by_engine(self, ranked: Sequence[Ranked]) -> list[list[models.ScoredPoint]]:
        asked = [part for part in ranked if part.answerable]
        requests = [part.request() for part in asked]
        answers = self.engine.query_batch_points(self.name, requests=requests) if asked else []
        found = {id(part): part.scored(answer.points) for part, answer in zip(asked, answers, strict=True)}
        return [found.get(id(part), []) for part in ranked]

    def _by_bits(self, ranked: Ranked) -> list[models.ScoredPoint]:
        """Answer by Hamming distance: rescored by whole vectors where they are kept, fused with terms where asked."""
        if ranked.vector is None:
            return self._by_engine([ranked])[0]
        if self.coding.compression.full:
            return self._by_shortlist(ranked, ranked.vector)
        wanted = ranked.limit + SPARE_FOR_TIES if ranked.dense_alone else ranked.depth
        points = self.hamming.search(ranked.vector.coded, wanted, ranked.condition)
        if ranked.dense_alone:
            return [point for point in points if ranked.min_score is None or point.score >= ranked.min_score]
        lists = [*self._by_engine(ranked.others()), points]
        if ranked.tokens is None:
            return fused(lists, ranked.min_score)
        return self._by_engine([_among({point.id for found in lists for point in found}, ranked)])[0]

    def _by_shortlist(self, ranked: Ranked, vector: QueryVector) -> list[models.ScoredPoint]:
        for attempt in (1, 2):
            chosen = shortlist(self.engine, self.name, self.hamming, ranked, vector)
            found = self._by_engine([replace(ranked, shortlist=chosen)])[0]
            # Whole vectors rank all that are there: fewer hits than that are points gone whose writer died unheard.
            expected = 0 if ranked.min_score is not None else min(ranked.limit, len(chosen))
            if len(found) >= expected or attempt == 2:
                break
            self.hamming.forget()
        return found

    def _beside(self, name: str, queries: Sequence[str], mode: Mode) -> Sequence[Any]:
        """Return what a model beside the dense one makes of each query; None where that is nothing, or not wanted."""
        model = self.beside.get(name)
        if model is None or mode not in ("hybrid", name) or not queries:
            return [None] * len(queries)
        vectors = [engine_vector(vector) for vector in model.embed_queries(list(queries))]
        # A sparse vector without terms finds nothing, and engines refuse it.
        return [vector if getattr(vector, "indices", True) else None for vector in vectors]

    def _require_model(self, mode: Mode) -> None:
        if mode in (SPARSE, MULTIVECTOR) and mode not in self.beside:
            there = ", ".join(["hybrid", "dense", "bm25", *self.beside])
            raise ConfigurationError(
                f"collection {self.name!r} has no {mode} vectors: it was made without Recipe({mode}=…). Choose one of "
                f"{there}, or ingest into a new collection with a recipe that names a {mode} model."
            )

    def _terms(self, query: str, mode: Mode) -> models.SparseVector | None:
        """Return the query's BM25 terms; None where they are not wanted or all are stop words."""
        from qdrant_client import models

        if mode not in ("hybrid", "bm25"):
            return None
        indices, values = self.bm25.encode_query(query)
        return models.SparseVector(indices=indices, values=values) if indices else None


def as_queries(given: str | Sequence[str]) -> list[str]:
    """Return one query or several as a list.

    :raises ConfigurationError: It is neither a text nor a list.
    """
    if isinstance(given, str):
        return [given]
    try:
        return list(given)
    except TypeError:
        raise ConfigurationError(f"a query must be a text, or a list of texts, not {given!r}.") from None


def _among(ids: set[Any], ranked: Ranked) -> Ranked:
    """Return the query that ranks points of these ids by the vectors of its tokens."""
    from qdrant_client import models

    condition = models.Filter(must=[models.HasIdCondition(has_id=list(ids))])
    return replace(ranked, terms=None, vector=None, weights=None, condition=condition)


def _in_order(points: Sequence[models.ScoredPoint]) -> list[models.ScoredPoint]:
    """Put equal scores, which fusion by rank and equal texts give, into an order that is the same every time."""
    return sorted(points, key=lambda point: (-point.score, str(point.id)))


def _check(queries: Sequence[str], k: object, mode: str) -> None:
    if mode not in get_args(Mode):
        raise ConfigurationError(f"unknown search mode {mode!r}; choose one of {', '.join(get_args(Mode))}.")
    if not isinstance(k, Integral) or int(k) < 1:
        raise ConfigurationError(f"k={k!r}; ask for a whole number of hits, at least 1.")
    for query in queries:
        if not isinstance(query, str) or not query.strip():
            raise ConfigurationError(f"a query must be a text that is not blank, not {query!r}.")
