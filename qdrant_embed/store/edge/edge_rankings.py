"""Rankings in the words of Qdrant Edge, and what it found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import qdrant_edge as edge

from qdrant_embed.store.edge.point_ids import plain_id
from qdrant_embed.store.methods.ranking_request import CodeUse, FoundPoint, RankedWords, RankingRequest
from qdrant_embed.store.points import finite
from qdrant_embed.types import SparseVector


def edge_ranking(asked: RankingRequest) -> edge.QueryRequest:
    """Return a ranking as Qdrant Edge is asked for it.

    :raises StoreError: A number of its vector is not finite.
    """
    return edge.QueryRequest(
        limit=asked.limit,
        query=_query(asked),
        prefetches=[] if asked.first is None else [_prefetch(asked.first)],
        with_vector=list(asked.vectors) or False,
        with_payload=asked.fields if isinstance(asked.fields, bool) else list(asked.fields),
        filter=_condition(asked),
        params=None if asked.use is None else _search_params(asked.use),
    )


def found_points(found: Sequence[edge.ScoredPoint], vectors: Sequence[str]) -> list[FoundPoint]:
    """Return what was found, with the vectors that were asked for."""
    return [
        FoundPoint(plain_id(point.id), point.score, point.payload, point.vector if vectors else None) for point in found
    ]


def lacking(fields: Sequence[str], ids: Sequence[Any]) -> edge.Filter:
    """Return the condition of having no value in one of some fields, or of being one of some points."""
    conditions: list[Any] = [edge.IsEmptyCondition(field) for field in fields]
    return edge.Filter(should=[*conditions, edge.HasIdCondition(set(ids))] if ids else conditions)


def _prefetch(asked: RankingRequest) -> edge.Prefetch:
    return edge.Prefetch(
        limit=asked.limit,
        query=_query(asked),
        prefetches=[] if asked.first is None else [_prefetch(asked.first)],
        params=None if asked.use is None else _search_params(asked.use),
        filter=_condition(asked),
    )


def _query(asked: RankingRequest) -> Any:
    given: Any = asked.query
    if isinstance(given, RankedWords):
        return edge.TextQuery(asked.using, given.text, edge.Bm25Params(given.k, given.b))
    if isinstance(given, SparseVector):
        return edge.Query.Nearest(edge.SparseVector(given.indices.tolist(), given.values.tolist()), asked.using)
    finite(given)
    return edge.Query.Nearest(given, asked.using)


def _condition(asked: RankingRequest) -> edge.Filter | None:
    """Return what the points have to be like; conditions that are given are `qdrant_client`'s."""
    if asked.where is None:
        return None if asked.among is None else edge.Filter(must=[edge.HasIdCondition(set(asked.among))])
    from qdrant_embed.store.edge.convert.filter import edge_filter
    from qdrant_embed.store.methods.client_requests import condition_of

    return edge_filter(condition_of(asked))


def _search_params(use: CodeUse) -> edge.SearchParams:
    codes = edge.QuantizationSearchParams(ignore=use.ignored, rescore=use.rescored, oversampling=use.oversampling)
    return edge.SearchParams(hnsw_ef=use.hnsw_ef, quantization=codes)
