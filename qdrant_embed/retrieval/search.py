"""Searching: dense vectors, BM25, or both fused by rank inside the engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from qdrant_embed.embedding import Embedder
from qdrant_embed.embedding.bm25 import Bm25Encoder
from qdrant_embed.errors import ConfigurationError
from qdrant_embed.retrieval.hits import Hit, Hits
from qdrant_embed.store.engine import Engine
from qdrant_embed.store.filters import PlainFilter, to_filter
from qdrant_embed.store.schema import BM25, DENSE
from qdrant_embed.types import FloatArray

if TYPE_CHECKING:
    from qdrant_client import models

Mode = Literal["hybrid", "dense", "bm25"]

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Searcher:
    """Everything that a search needs of a collection."""

    engine: Engine
    name: str
    embedder: Embedder
    bm25: Bm25Encoder

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
        condition = to_filter(where)
        vectors = self.embedder.embed_queries(list(queries)) if mode != "bm25" and queries else [None] * len(queries)
        ranked = [
            _Ranked(limit=k, condition=condition, min_score=min_score, terms=self._terms(query, mode), vector=vector)
            for query, vector in zip(queries, vectors, strict=True)
        ]
        asked = [part for part in ranked if part.answerable]
        answers = (
            self.engine.query_batch_points(self.name, requests=[part.request() for part in asked]) if asked else []
        )
        found = {id(part): answer.points for part, answer in zip(asked, answers, strict=True)}
        return [
            Hits(map(Hit.from_point, _in_order(found.get(id(part), ()))[:k]), query=query, language=self.bm25.language)
            for query, part in zip(queries, ranked, strict=True)
        ]

    def _terms(self, query: str, mode: Mode) -> models.SparseVector | None:
        """Return the query's BM25 terms; None where they are not wanted or all are stop words."""
        from qdrant_client import models

        if mode == "dense":
            return None
        indices, values = self.bm25.encode_query(query)
        return models.SparseVector(indices=indices, values=values) if indices else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ranked:
    """One query as lists to rank by: terms, vector or both."""

    limit: int
    condition: models.Filter | None
    min_score: float | None
    terms: models.SparseVector | None
    vector: FloatArray | None

    @property
    def answerable(self) -> bool:
        return self.terms is not None or self.vector is not None

    def request(self) -> models.QueryRequest:
        from qdrant_client import models

        if self.terms is not None and self.vector is not None:
            return models.QueryRequest(
                prefetch=[self._by_terms(), self._by_vector()],
                query=models.RrfQuery(rrf=models.Rrf(k=RRF_K)),
                limit=self.limit + SPARE_FOR_TIES,
                with_payload=True,
                score_threshold=self.min_score,
            )
        single = self._by_terms() if self.vector is None else self._by_vector()
        return models.QueryRequest(
            query=single.query,
            using=single.using,
            filter=self.condition,
            params=single.params,
            limit=self.limit + SPARE_FOR_TIES,
            with_payload=True,
            score_threshold=self.min_score,
        )

    @property
    def _depth(self) -> int:
        return max(MIN_CANDIDATES, CANDIDATES * self.limit)

    def _by_terms(self) -> models.Prefetch:
        from qdrant_client import models

        return models.Prefetch(query=self.terms, using=BM25, filter=self.condition, limit=self._depth)

    def _by_vector(self) -> models.Prefetch:
        from qdrant_client import models

        vector = None if self.vector is None else self.vector.tolist()
        params = models.SearchParams(hnsw_ef=HNSW_EF)
        return models.Prefetch(query=vector, using=DENSE, filter=self.condition, limit=self._depth, params=params)


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


def _in_order(points: Sequence[models.ScoredPoint]) -> list[models.ScoredPoint]:
    """Put equal scores, which fusion by rank and equal texts give, into an order that is the same every time."""
    return sorted(points, key=lambda point: (-point.score, str(point.id)))


def _check(queries: Sequence[str], k: int, mode: str) -> None:
    if mode not in get_args(Mode):
        raise ConfigurationError(f"unknown search mode {mode!r}; choose one of {', '.join(get_args(Mode))}.")
    if not isinstance(k, int) or k < 1:
        raise ConfigurationError(f"k={k!r}; ask for a whole number of hits, at least 1.")
    for query in queries:
        if not isinstance(query, str) or not query.strip():
            raise ConfigurationError(f"a query must be a text that is not blank, not {query!r}.")
