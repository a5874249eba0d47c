"""Queries: what to rank by, in all the forms that `query_points` takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import numpy as np
import qdrant_edge as edge
from qdrant_client import models

from qdrant_embed.errors import StoreError
from qdrant_embed.store.edge.convert.filter import edge_filter
from qdrant_embed.store.edge.convert.formula import formula
from qdrant_embed.store.edge.convert.point_structs import edge_names, edge_payload, edge_vector
from qdrant_embed.store.edge.convert.values import Converters, become, convert, member
from qdrant_embed.store.edge.lacking_features import unsupported
from qdrant_embed.store.filters.grammar import without
from qdrant_embed.types import as_list

DEFAULT_LIMIT = 10
RRF_K = 2
"""Rank constant of reciprocal rank fusion where the query names none: the server's default."""
MMR_DIVERSITY = 0.5

VectorOf = Callable[[Any, str], Any]
"""Looks up a stored vector: point id, vector name → vector."""


def edge_request(request: models.QueryRequest, vector_of: VectorOf) -> edge.QueryRequest:
    """Return a whole query for Qdrant Edge.

    :param vector_of: Called where a query names a point instead of a vector.
    :raises UnsupportedByEngineError: It asks for something that Qdrant Edge does not have.
    """
    stage = _Stage(request, _limit(request), vector_of)
    return edge.QueryRequest(
        limit=stage.limit,
        offset=request.offset or 0,
        query=stage.query,
        prefetches=stage.prefetches,
        with_vector=edge_names(request.with_vector),
        with_payload=edge_payload(request.with_payload),
        filter=stage.filter,
        score_threshold=request.score_threshold,
        params=stage.params,
    )


def order_by(order: str | models.OrderBy) -> edge.OrderBy:
    """Return an ordering by a payload field."""
    if isinstance(order, str):
        return edge.OrderBy(order)
    direction = None if order.direction is None else member(order.direction)
    return edge.OrderBy(order.key, direction, convert(order.start_from, {}))


class _Stage:
    """A query or a prefetch, converted."""

    def __init__(self, request: models.QueryRequest | models.Prefetch, limit: int, vector_of: VectorOf) -> None:
        if request.lookup_from is not None:
            raise unsupported("lookup of vectors in another collection (lookup_from)")
        query = _Query(request.using or "", limit, vector_of)
        self.limit = limit
        self.query = query.convert(request.query)
        self.prefetches = [_prefetch(prefetch, vector_of) for prefetch in as_list(request.prefetch)]
        self.params = None if request.params is None else convert(request.params, PARAMS)
        # Without the points that it names: nobody asks for what they hold in their hand.
        self.filter = edge_filter(without(request.filter, query.named) if query.named else request.filter)


def _prefetch(prefetch: models.Prefetch, vector_of: VectorOf) -> edge.Prefetch:
    stage = _Stage(prefetch, _limit(prefetch), vector_of)
    return edge.Prefetch(
        limit=stage.limit,
        query=stage.query,
        prefetches=stage.prefetches,
        params=stage.params,
        filter=stage.filter,
        score_threshold=prefetch.score_threshold,
    )


def _limit(request: models.QueryRequest | models.Prefetch) -> int:
    return DEFAULT_LIMIT if request.limit is None else request.limit


class _Query:
    """Converts one query; `named` are the points whose vectors were looked up on the way."""

    def __init__(self, using: str, limit: int, vector_of: VectorOf) -> None:
        self.using, self.limit, self.vector_of = using, limit, vector_of
        self.named: list[Any] = []

    def convert(self, query: Any) -> Any:
        """Return what Qdrant Edge ranks by; None for no ranking."""
        if query is None:
            return None
        special = _QUERIES.get(type(query))
        return special(self, query) if special else edge.Query.Nearest(self.vector(query), self.using)

    def vector(self, given: Any) -> Any:
        """Return a vector, looked up if a point's id was given."""
        if isinstance(given, (int, str, UUID)):
            self.named.append(given)
            given = self.vector_of(given, self.using)
        return edge_vector(given)

    def nearest(self, query: models.NearestQuery) -> Any:
        vector = self.vector(query.nearest)
        if query.mmr is None:
            return edge.Query.Nearest(vector, self.using)
        if isinstance(vector, edge.SparseVector):
            raise unsupported("maximal marginal relevance over sparse vectors inside a prefetch")
        diversity = MMR_DIVERSITY if query.mmr.diversity is None else query.mmr.diversity
        return edge.Mmr(vector, 1.0 - diversity, query.mmr.candidates_limit or self.limit, self.using)

    def recommend(self, query: models.RecommendQuery) -> Any:
        given = query.recommend
        positives = [self.vector(example) for example in given.positive or ()]
        negatives = [self.vector(example) for example in given.negative or ()]
        if not positives and not negatives:
            raise StoreError("a recommendation needs an example; give positive=[…] or negative=[…].")
        examples = edge.RecommendQuery(positives, negatives)
        if given.strategy == models.RecommendStrategy.BEST_SCORE:
            return edge.Query.RecommendBestScore(examples, self.using)
        if given.strategy == models.RecommendStrategy.SUM_SCORES:
            return edge.Query.RecommendSumScores(examples, self.using)
        return edge.Query.Nearest(edge_vector(_average(positives, negatives)), self.using)

    def discover(self, query: models.DiscoverQuery) -> Any:
        target = self.vector(query.discover.target)
        return edge.Query.Discover(edge.DiscoverQuery(target, self.pairs(query.discover.context)), self.using)

    def context(self, query: models.ContextQuery) -> Any:
        return edge.Query.Context(edge.ContextQuery(self.pairs(query.context)), self.using)

    def pairs(self, context: models.ContextPair | list[models.ContextPair] | None) -> list[edge.ContextPair]:
        given = context if isinstance(context, list) else [context] if context is not None else []
        return [edge.ContextPair(self.vector(pair.positive), self.vector(pair.negative)) for pair in given]

    def feedback(self, query: models.RelevanceFeedbackQuery) -> Any:
        given, weights = query.relevance_feedback, query.relevance_feedback.strategy.naive
        items = [edge.FeedbackItem(self.vector(item.example), item.score) for item in given.feedback]
        strategy = edge.NaiveFeedbackStrategy(weights.a, weights.b, weights.c)
        asked = edge.FeedbackNaiveQuery(self.vector(given.target), items, strategy)
        return edge.Query.FeedbackNaive(asked, self.using)

    def text(self, query: models.TextQuery) -> Any:
        if not self.using:
            raise StoreError("a TextQuery ranks by a payload field with a text index; name it: using='text'.")
        if isinstance(query.text, str):
            return edge.TextQuery(self.using, query.text)
        scoring = query.text.scoring
        bm25 = None if scoring is None else edge.Bm25Params(scoring.bm25.k, scoring.bm25.b)
        return edge.TextQuery(self.using, query.text.query, bm25)


def _average(positives: Sequence[Any], negatives: Sequence[Any]) -> Any:
    """Return the vector of `RecommendStrategy.AVERAGE_VECTOR`: twice the mean of the good less that of the bad.

    Several vectors have no mean: those of the good are put together with the opposites of those of the bad.

    :raises StoreError: There is no positive example, or the examples do not go together.
    """
    if not positives:
        raise StoreError("recommendation by average vector needs a positive example; strategy='best_score' needs none.")
    examples = [*positives, *negatives]
    if any(isinstance(example, edge.SparseVector) for example in examples):
        return _sparse_average(positives, negatives)
    if any(len(example) and hasattr(example[0], "__len__") for example in examples):
        return np.concatenate([*map(_rows, positives), *(-_rows(example) for example in negatives)])
    if len({len(example) for example in examples}) > 1:
        sizes = ", ".join(str(len(example)) for example in examples)
        raise StoreError(f"the examples have different numbers of dimensions: {sizes}.")
    good = np.mean([np.asarray(example, np.float32) for example in positives], axis=0)
    if not negatives:
        return good
    bad = np.mean([np.asarray(example, np.float32) for example in negatives], axis=0)
    return good + good - bad


def _rows(example: Any) -> Any:
    """Return a multi-vector as an array of its rows; a single vector is one row."""
    try:
        return np.atleast_2d(np.asarray(example, np.float32))
    except ValueError:
        raise StoreError("the rows of an example have different numbers of dimensions.") from None


def _sparse_average(positives: Sequence[Any], negatives: Sequence[Any]) -> models.SparseVector:
    """Return the average of sparse vectors, in which what is missing counts as zero."""
    total: dict[int, float] = {}
    for examples, share in ((positives, 2.0 if negatives else 1.0), (negatives, -1.0)):
        for example in examples:
            if not isinstance(example, edge.SparseVector):
                raise StoreError("the examples are partly sparse; give vectors of one kind.")
            for index, value in zip(example.indices, example.values, strict=True):
                total[index] = total.get(index, 0.0) + share * value / len(examples)
    indices = sorted(total)
    return models.SparseVector(indices=indices, values=[total[index] for index in indices])


def _rrf(k: int | None, weights: list[float] | None = None) -> Any:
    return edge.Fusion.Rrf(RRF_K if k is None else k, weights)


_QUERIES: dict[type, Callable[[_Query, Any], Any]] = {
    models.NearestQuery: _Query.nearest,
    models.RecommendQuery: _Query.recommend,
    models.DiscoverQuery: _Query.discover,
    models.ContextQuery: _Query.context,
    models.RelevanceFeedbackQuery: _Query.feedback,
    models.TextQuery: _Query.text,
    models.FusionQuery: lambda _, query: _rrf(None) if query.fusion == models.Fusion.RRF else edge.Fusion.Dbsf(),
    models.RrfQuery: lambda _, query: _rrf(query.rrf.k, query.rrf.weights),
    models.FormulaQuery: lambda _, query: formula(query),
    models.OrderByQuery: lambda _, query: order_by(query.order_by),
    models.SampleQuery: lambda _, query: edge.Sample.Random,
}


def _params(params: models.SearchParams) -> edge.SearchParams:
    # The scope "global" is what an absent one means.
    narrowed = params if params.idf != models.IdfScope.GLOBAL else params.model_copy(update={"idf": None})
    return become(edge.SearchParams, PARAMS)(narrowed)  # type: ignore[no-any-return]


_PARAMS: dict[type, Callable[[Any], Any]] = {
    models.SearchParams: _params,
    models.IdfCorpusParams: lambda corpus: edge.IdfParams(edge_filter(corpus.corpus)),
}
PARAMS: Converters = _PARAMS
_PARAMS[models.QuantizationSearchParams] = become(edge.QuantizationSearchParams, PARAMS)
_PARAMS[models.AcornSearchParams] = become(edge.AcornSearchParams, PARAMS)
