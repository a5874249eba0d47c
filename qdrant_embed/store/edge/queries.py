"""`QdrantClient`'s methods over a folder: ranking, grouping and counting points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import qdrant_edge as edge
from qdrant_client import models
from qdrant_client.http.models import QueryResponse

from qdrant_embed.errors import StoreError
from qdrant_embed.store.edge.client_arguments import takes_client_arguments
from qdrant_embed.store.edge.collection_methods import EdgeCollections
from qdrant_embed.store.edge.convert.filter import edge_filter
from qdrant_embed.store.edge.convert.point_structs import (
    edge_names,
    edge_payload,
    plain_vector,
    records,
    scored,
)
from qdrant_embed.store.edge.convert.query import edge_request
from qdrant_embed.store.edge.groups import Groups, with_larger_limits
from qdrant_embed.store.edge.mmr import VariedQuery
from qdrant_embed.store.edge.point_ids import edge_ids
from qdrant_embed.store.edge.shard import Shard, refusals
from qdrant_embed.store.edge.vector_checks import VectorSchema

if TYPE_CHECKING:
    from qdrant_embed.store.methods.client_methods import Payload, PointId, Vectors


FETCHED_PER_HIT = 4
"""How many times more hits are asked for where the first ones were not enough."""


@takes_client_arguments
class EdgeQueries(EdgeCollections):
    """The part of `EdgeClient` that asks: which points are best, how many there are."""

    def count(
        self, collection_name: str, count_filter: models.Filter | None = None, *, exact: bool = True
    ) -> models.CountResult:
        """Return the number of points that match."""
        shard = self.shard(collection_name)
        with refusals(collection_name):
            found = shard.edge.count(edge.CountRequest(exact=exact, filter=edge_filter(count_filter)))
        return models.CountResult(count=found)

    def facet(
        self,
        collection_name: str,
        key: str,
        facet_filter: models.Filter | None = None,
        *,
        limit: int = 10,
        exact: bool = False,
    ) -> models.FacetResponse:
        """Return the values of an indexed payload field with their numbers of points."""
        shard = self.shard(collection_name)
        with refusals(collection_name):
            chosen = edge_filter(facet_filter)
            hits = _facet(shard, key, chosen, limit, exact=True) if exact else _most_frequent(shard, key, chosen, limit)
        return models.FacetResponse.model_construct(hits=hits)

    def query_points(  # noqa: PLR0913
        self,
        collection_name: str,
        query: Any = None,
        *,
        using: str | None = None,
        prefetch: models.Prefetch | list[models.Prefetch] | None = None,
        query_filter: models.Filter | None = None,
        search_params: models.SearchParams | None = None,
        limit: int = 10,
        offset: int | None = None,
        with_payload: Payload = True,
        with_vectors: Vectors = False,
        score_threshold: float | None = None,
    ) -> QueryResponse:
        """Return the best points."""
        request = models.QueryRequest.model_construct(
            query=query,
            using=using,
            prefetch=prefetch,
            filter=query_filter,
            params=search_params,
            limit=limit,
            offset=offset,
            with_payload=with_payload,
            with_vector=with_vectors,
            score_threshold=score_threshold,
        )
        return self._answers(collection_name, [request])[0]

    def query_batch_points(self, collection_name: str, requests: Sequence[models.QueryRequest]) -> list[QueryResponse]:
        """Return the answers to several queries, planned together, in order."""
        return self._answers(collection_name, requests)

    def query_points_groups(  # noqa: PLR0913
        self,
        collection_name: str,
        group_by: str,
        query: Any = None,
        *,
        using: str | None = None,
        prefetch: models.Prefetch | list[models.Prefetch] | None = None,
        query_filter: models.Filter | None = None,
        search_params: models.SearchParams | None = None,
        limit: int = 10,
        group_size: int = 3,
        with_payload: Payload = True,
        with_vectors: Vectors = False,
        score_threshold: float | None = None,
    ) -> models.GroupsResult:
        """Return the best points of each value of a payload field, the value with the best point first.

        :param group_by: The field; a point that has several values there belongs to several groups.
        :param limit: Groups at most.
        :param group_size: Points of a group at most.
        """
        everything = self.count(collection_name).count
        groups, wanted = Groups(group_by, limit, group_size), limit * group_size
        while True:
            wanted = min(FETCHED_PER_HIT * wanted, everything) or 1
            found = self.query_points(
                collection_name,
                query,
                using=using,
                prefetch=with_larger_limits(prefetch, group_size),
                query_filter=query_filter,
                search_params=search_params,
                limit=wanted,
                with_payload=[group_by],
                score_threshold=score_threshold,
            ).points
            if groups.fill(found) or len(found) < wanted or wanted >= everything:
                break
        whole = self.retrieve(collection_name, groups.ids(), with_payload=with_payload, with_vectors=with_vectors)
        return groups.result({record.id: record for record in whole})

    def retrieve(
        self,
        collection_name: str,
        ids: Sequence[PointId],
        *,
        with_payload: Payload = True,
        with_vectors: Vectors = False,
    ) -> list[models.Record]:
        """Return the points with these ids, in the order of the ids."""
        shard, wanted = self.shard(collection_name), edge_ids(ids)
        with refusals(collection_name):
            found = shard.edge.retrieve(wanted, edge_payload(with_payload), edge_names(with_vectors))
        return records(found)

    def vector_schema(self, collection_name: str) -> VectorSchema:
        """Return which vectors the points of a collection have."""
        return VectorSchema.of(self.folder().catalog.resolve(collection_name)[1].config)

    def _answers(self, collection_name: str, requests: Sequence[models.QueryRequest]) -> list[QueryResponse]:
        shard = self.shard(collection_name)
        if not requests:
            return []
        sparse = self.vector_schema(collection_name).sparse
        varied = [VariedQuery.of(request, sparse) for request in requests]
        asked = [query.candidates if query else request for query, request in zip(varied, requests, strict=True)]
        with refusals(collection_name):
            batch = [edge_request(request, _Stored(shard)) for request in asked]
            several = len(batch) > 1
            found = shard.edge.query_batch(edge.QueryBatchRequest(batch)) if several else [shard.edge.query(batch[0])]
            answers = [
                query.chosen(points, _Stored(shard)) if query else scored(points, request.with_vector)
                for query, points, request in zip(varied, found, requests, strict=True)
            ]
        return [QueryResponse.model_construct(points=points) for points in answers]


class _Stored:
    """Looks up the vectors of points that a query names by id."""

    def __init__(self, shard: Shard) -> None:
        self._shard = shard

    def __call__(self, point_id: PointId, name: str) -> Any:
        found = records(self._shard.edge.retrieve(edge_ids([point_id]), False, True))  # noqa: FBT003
        vectors = found[0].vector if found else None
        vector = vectors.get(name) if isinstance(vectors, dict) else vectors
        if vector is None:
            raise StoreError(f"point {point_id!r} is not in the collection, or has no vector {name!r} to search with.")
        return plain_vector(vector)


def _most_frequent(shard: Shard, key: str, chosen: edge.Filter | None, limit: int) -> list[models.FacetValueHit]:
    """Return the most frequent values, of equal ones the first; the engine alone gives any of these."""
    wanted = limit + 1
    while True:
        hits = _facet(shard, key, chosen, wanted, exact=False)
        if len(hits) < wanted or not limit or hits[-1].count < hits[limit - 1].count:
            return hits[:limit]
        wanted *= FETCHED_PER_HIT


def _facet(
    shard: Shard, key: str, chosen: edge.Filter | None, limit: int, *, exact: bool
) -> list[models.FacetValueHit]:
    found = shard.edge.facet(edge.FacetRequest(key, limit=limit, exact=exact, filter=chosen)).hits
    values = (hit.value if isinstance(hit.value, (bool, int)) else str(hit.value) for hit in found)
    hits = [
        models.FacetValueHit.model_construct(value=value, count=hit.count)
        for value, hit in zip(values, found, strict=True)
    ]
    return sorted(hits, key=lambda hit: (-hit.count, hit.value))
