"""Searching: dense vectors, BM25, sparse vectors, fused, and ranked again by token inside the engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from qdrant_embed.embedding import Embedder
from qdrant_embed.embedding.bm25 import Bm25Encoder
from qdrant_embed.embedding.recipe_models import AuxiliaryModels
from qdrant_embed.errors import ConfigurationError
from qdrant_embed.retrieval.best_window import hits_with_windows, raw_vectors
from qdrant_embed.retrieval.browse import Browser
from qdrant_embed.retrieval.document_groups import best_of_documents
from qdrant_embed.retrieval.expansion import expanded
from qdrant_embed.retrieval.fusion.fused_ranking import RankedPoints, best
from qdrant_embed.retrieval.hit_explanations import explained, with_sentences
from qdrant_embed.retrieval.hits import Hit, Hits
from qdrant_embed.retrieval.lists import Lists
from qdrant_embed.retrieval.query_plan import SPARE_FOR_TIES, QueryPlan, QueryVector
from qdrant_embed.retrieval.search_request import FUSED, Mode, SearchRequest, modes_with, require_queries
from qdrant_embed.retrieval.term_query import TermQuery
from qdrant_embed.store.collection_codec import CollectionCodec
from qdrant_embed.store.engine import Engine
from qdrant_embed.store.filters import filter_of
from qdrant_embed.store.methods.ranking_request import FoundPoint
from qdrant_embed.store.own_points import left_out
from qdrant_embed.store.scroll import payloads_of
from qdrant_embed.types import MULTIVECTOR, SPARSE, FloatArray, SparseVector


@dataclass(frozen=True, kw_only=True)
class Searcher:
    """Everything that a search needs of a collection."""

    browser: Browser
    embedder: Embedder
    bm25: Bm25Encoder
    codec: CollectionCodec
    auxiliary: AuxiliaryModels = field(default_factory=dict)
    bm25_vectors: bool = False

    @property
    def engine(self) -> Engine:
        """What is asked."""
        return self.browser.engine

    @property
    def name(self) -> str:
        """Name of the collection."""
        return self.browser.name

    def search(self, queries: Sequence[str], wanted: SearchRequest, *, mode: Mode = "hybrid") -> list[Hits]:
        """Return the best passages for each query, best first.

        :raises ConfigurationError: `k`, `mode`, the filter or a query makes no sense.
        """
        require_queries(queries, mode)
        self._require_model(mode)
        if wanted.min_confidence and mode != "hybrid":
            raise ConfigurationError(f"min_confidence goes with mode='hybrid' alone, not with {mode!r}; leave one out.")
        condition = filter_of(self.engine, self.name, wanted.where)
        nothing = [None] * len(queries)
        vectors = self._vectors(queries) if mode in (*FUSED, "dense") and queries else nothing
        weights, tokens = (self._auxiliary(name, queries, mode) for name in (SPARSE, MULTIVECTOR))
        ranked = [
            QueryPlan(
                codec=self.codec,
                condition=condition,
                terms=self._terms(query, mode),
                vector=vector,
                weights=weight,
                tokens=token,
                fusion="scores" if mode == "hybrid" else "ranks",
                feedback=wanted.feedback,
                along=self._along(wanted),
                placed=self.engine.shared,
            )
            for query, vector, weight, token in zip(queries, vectors, weights, tokens, strict=True)
        ]
        hits, found = self._answers(ranked, vectors, wanted)
        if wanted.explain:
            told = zip(hits, found, queries, strict=True)
            hits = [explained(own, one, query, self.bm25) for own, one, query in told]
            asked = [None if vector is None else vector.whole for vector in vectors]
            hits = self.with_sentences(hits, asked) if wanted.sentences else hits
        return [
            Hits(own, query=query, language=self.bm25.language, offset=wanted.offset, confidence=one.confidence)
            for query, own, one in zip(queries, hits, found, strict=True)
        ]

    def with_sentences(self, hits: Sequence[list[Hit]], asked: Sequence[FloatArray | None]) -> list[list[Hit]]:
        """Return explained hits with their nearest sentences, where the question was asked by a vector (dim,)."""
        return [
            own if vector is None else with_sentences(own, vector, self.embedder)
            for own, vector in zip(hits, asked, strict=True)
        ]

    def nearest(self, vectors: FloatArray, wanted: SearchRequest, title: str) -> Hits:
        """Return the passages whose dense vectors are nearest to one that is given.

        :param vectors: (1, dim), as the embedder gives them.
        :param title: What was asked, in words.
        """
        (vector,) = self._coded(vectors)
        condition = filter_of(self.engine, self.name, wanted.where)
        asked = QueryPlan(codec=self.codec, condition=condition, terms=None, vector=vector)
        ranked = replace(asked, along=self._along(wanted), placed=self.engine.shared)
        (hits,), _ = self._answers([ranked], [vector], wanted)
        return Hits(hits, language=self.bm25.language, title=title, offset=wanted.offset)

    def similar(self, hits: Sequence[Hit], wanted: SearchRequest) -> Hits:
        """Return the passages whose dense vectors are nearest to the mean of those of some hits.

        Where the collection keeps nothing but signs, their texts are embedded again.

        :raises ConfigurationError: There are no hits, or one of them is gone.
        """
        if not hits:
            raise ConfigurationError("nothing to be similar to: give a hit, an id, or several of them.")
        compression = self.codec.compression
        if compression.datatype == "bits" and not compression.full:
            rows = self.embedder.embed_documents([hit.text for hit in hits])
        else:
            rows = raw_vectors(self.engine, self.name, self.codec, [hit.id for hit in hits])
        mean = rows.mean(axis=0, keepdims=True)
        length = float(np.linalg.norm(mean))
        named = f"like {hits[0].place}" if len(hits) == 1 else f"like {len(hits)} passages"
        return self.nearest(mean / length if self.codec.vector_codec.normalize and length else mean, wanted, named)

    def _along(self, wanted: SearchRequest) -> int:
        """Return for how many hits of each list to ask for all that hits are made of.

        Fused hits come from the first ones of their lists. On an engine of this process nothing would be spared.
        """
        return wanted.last + SPARE_FOR_TIES if self.engine.shared else 0

    @cached_property
    def lists(self) -> Lists:
        """What answers with rankings."""
        return Lists(self.engine, self.name, self.codec)

    def _answers(
        self, ranked: Sequence[QueryPlan], vectors: Sequence[QueryVector | None], wanted: SearchRequest
    ) -> tuple[list[list[Hit]], list[RankedPoints]]:
        """Return the wanted hits of each query; ranked again where a foreign point took the place of one."""
        before = left_out(self.engine)
        found = self._ranking(ranked, wanted)
        hits = self._hits([self._sure(one, wanted) for one in found], vectors, wanted)
        if left_out(self.engine) == before:
            return hits, found
        if self.codec.compression.datatype == "bits":
            self.lists.hamming.forget()
        found = self._ranking(ranked, wanted)
        return self._hits([self._sure(one, wanted) for one in found], vectors, wanted), found

    def _ranking(self, ranked: Sequence[QueryPlan], wanted: SearchRequest) -> list[RankedPoints]:
        if wanted.group_by:
            return best_of_documents(self.lists, ranked, wanted.last, wanted.least)
        return best(self.lists, ranked, wanted.last)

    @staticmethod
    def _sure(found: RankedPoints, wanted: SearchRequest) -> list[FoundPoint]:
        """Return the points; none where it is too doubtful that the collection holds an answer."""
        return [] if (found.confidence or 0.0) < wanted.min_confidence else found.points

    def _hits(
        self,
        found: Sequence[Sequence[FoundPoint]],
        vectors: Sequence[QueryVector | None],
        wanted: SearchRequest,
    ) -> list[list[Hit]]:
        strong = [[point for point in points if point.score >= wanted.least] for points in found]
        chosen = [points[wanted.offset : wanted.last] for points in strong]
        listed = [point for points in chosen for point in points]
        payloads = {point.id: point.payload for point in listed if point.payload and "text" in point.payload}
        payloads |= payloads_of(self.engine, self.name, {point.id for point in listed} - payloads.keys())
        # A point without a payload was deleted since it was found.
        there = [
            [replace(point, payload=payloads[point.id]) for point in points if point.id in payloads]
            for points in chosen
        ]
        hits = [self._read(points, vector) for points, vector in zip(there, vectors, strict=True)]
        return self.browser.roots.named(expanded(self.browser, hits, wanted.expand))

    def _read(self, points: Sequence[FoundPoint], vector: QueryVector | None) -> list[Hit]:
        if self.codec.windows:
            return hits_with_windows(self.engine, self.name, self.codec, points, vector)
        return [Hit.from_point(point) for point in points]

    def _vectors(self, queries: Sequence[str]) -> Sequence[QueryVector | None]:
        embedded = self.embedder.embed_queries(list(queries))
        if not self.codec.ready():
            # Nothing was ingested yet, so there is nothing to find by vector.
            return [None] * len(queries)
        return self._coded(embedded)

    def _coded(self, embedded: FloatArray) -> list[QueryVector]:
        encoded = self.codec.vector_codec.queries(embedded)
        return [QueryVector(*row) for row in zip(encoded.vectors, embedded, map(float, encoded.offsets), strict=True)]

    def _auxiliary(self, name: str, queries: Sequence[str], mode: Mode) -> Sequence[Any]:
        """Return what a model beside the dense one makes of each query; None where that is nothing, or not wanted."""
        model = self.auxiliary.get(name)
        if model is None or mode not in (*FUSED, name) or not queries:
            return [None] * len(queries)
        # A sparse vector without terms finds nothing, and engines refuse it.
        return [
            None if isinstance(vector, SparseVector) and not len(vector.indices) else vector
            for vector in model.embed_queries(list(queries))
        ]

    def _require_model(self, mode: Mode) -> None:
        if mode in (SPARSE, MULTIVECTOR) and mode not in self.auxiliary:
            there = ", ".join(modes_with(self.auxiliary))
            raise ConfigurationError(
                f"collection {self.name!r} has no {mode} vectors: its recipe names no {mode} model. Choose one of "
                f"{there}, or ingest into a new collection with a recipe that names a {mode} model."
            )

    def _terms(self, query: str, mode: Mode) -> TermQuery | None:
        """Return the query's BM25 terms; None where they are not wanted or all are stop words."""
        return TermQuery.of(self.bm25, query, as_vectors=self.bm25_vectors) if mode in (*FUSED, "bm25") else None
