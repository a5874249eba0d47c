"""What searches ask, in the words of `qdrant_client`, and its answers in theirs."""

from __future__ import annotations

from typing import Any

from qdrant_client import models

from qdrant_embed.store.methods.ranking_request import (
    CodeUse,
    CollectionFacts,
    FoundPoint,
    RankedWords,
    RankingRequest,
)
from qdrant_embed.types import SparseVector


def query_request(asked: RankingRequest) -> models.QueryRequest:
    """Return a request as `query_batch_points` takes it."""
    whole = prefetch(asked)
    return models.QueryRequest(
        query=whole.query,
        using=whole.using,
        filter=whole.filter,
        prefetch=whole.prefetch,
        params=whole.params,
        limit=whole.limit,
        with_payload=asked.fields if isinstance(asked.fields, bool) else list(asked.fields),
        with_vector=list(asked.vectors) or None,
    )


def prefetch(asked: RankingRequest) -> models.Prefetch:
    """Return a request as it stands before another, or beside others."""
    return models.Prefetch(
        query=_query(asked.query),
        using=asked.using,
        filter=condition_of(asked),
        prefetch=None if asked.first is None else [prefetch(asked.first)],
        params=None if asked.use is None else search_params(asked.use),
        limit=asked.limit,
    )


def _query(given: Any) -> Any:
    if isinstance(given, RankedWords):
        scoring = models.Bm25Scoring(bm25=models.Bm25Params(k=given.k, b=given.b))
        return models.TextQuery(text=models.TextQueryInput(query=given.text, scoring=scoring))
    if isinstance(given, SparseVector):
        return models.SparseVector(indices=given.indices.tolist(), values=given.values.tolist())
    return given


def condition_of(asked: RankingRequest) -> models.Filter | None:
    """Return what the points have to be like."""
    if asked.among is None:
        return asked.where
    only = models.HasIdCondition(has_id=list(asked.among))
    return models.Filter(must=[only] if asked.where is None else [only, asked.where])


def search_params(use: CodeUse) -> models.SearchParams:
    """Return how an index and codes are used."""
    given: dict[str, Any] = {"ignore": True} if use.ignored else {}
    if use.rescored is not None:
        given |= {"rescore": use.rescored, "oversampling": use.oversampling}
    return models.SearchParams(hnsw_ef=use.hnsw_ef, quantization=models.QuantizationSearchParams(**given))


def found_point(point: models.ScoredPoint) -> FoundPoint:
    """Return a point that a client gave."""
    return FoundPoint(point.id, point.score, point.payload, point.vector)


def facts_of(info: models.CollectionInfo) -> CollectionFacts:
    """Return what has to be known of a collection."""
    strict = info.config.strict_mode_config
    return CollectionFacts(
        metadata=info.config.metadata or {},
        sparse_vectors=frozenset(info.config.params.sparse_vectors or ()),
        indexed=frozenset(info.payload_schema or ()),
        most_indexes=strict.max_payload_index_count if strict is not None and strict.enabled else None,
        info=info,
    )


def lacking(fields: tuple[str, ...], ids: tuple[Any, ...]) -> models.Filter:
    """Return the condition of having no value in one of some fields, or of being one of some points."""
    conditions: list[Any] = [models.IsEmptyCondition(is_empty=models.PayloadField(key=field)) for field in fields]
    return models.Filter(should=[*conditions, models.HasIdCondition(has_id=list(ids))] if ids else conditions)
