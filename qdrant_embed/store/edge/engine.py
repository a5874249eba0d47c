"""`QdrantClient`'s methods over a folder: points in, points out. `collections.py` has those about collections."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import qdrant_edge as edge
from qdrant_client import models
from qdrant_client.http.models import QueryResponse

from qdrant_embed.errors import StoreError
from qdrant_embed.store.edge.collections import EdgeCollections
from qdrant_embed.store.edge.convert_filter import edge_filter
from qdrant_embed.store.edge.convert_points import (
    edge_ids,
    edge_names,
    edge_payload,
    edge_points,
    plain_id,
    plain_vector,
    records,
    scored,
    written_bytes,
)
from qdrant_embed.store.edge.convert_query import edge_request
from qdrant_embed.store.edge.convert_query import order_by as edge_order
from qdrant_embed.store.edge.shard import Shard, refusals
from qdrant_embed.store.values import json_payload

if TYPE_CHECKING:
    from qdrant_embed.store.engine import Payload, PointId, Selector, Vectors

POINTS_PER_UPDATE = 1000
"""Points of one upsert that are handed over together; bounds the memory of their copies."""


class EdgeEngine(EdgeCollections):
    """The engine of a folder; see `qdrant_embed.store.engine.Engine` for what its methods mean.

    :raises LocationLockedError: Another process holds the folder.
    """

    # Points in

    def upsert(
        self, collection_name: str, points: Sequence[models.PointStruct], *, wait: bool = True
    ) -> models.UpdateResult:
        """Write points; when this returns they survive the end of the process, whatever `wait` says."""
        shard = self.shard(collection_name)
        for start in range(0, len(points), POINTS_PER_UPDATE):
            batch = points[start : start + POINTS_PER_UPDATE]
            shard.update(edge.UpdateOperation.upsert_points(edge_points(batch)), size=written_bytes(batch))
        return _done()

    def delete(self, collection_name: str, points_selector: Selector, *, wait: bool = True) -> models.UpdateResult:
        """Remove points by id or filter."""
        shard, chosen = self.shard(collection_name), _chosen(points_selector)
        with refusals(collection_name):
            operation = (
                edge.UpdateOperation.delete_points_by_filter(chosen)
                if isinstance(chosen, edge.Filter)
                else edge.UpdateOperation.delete_points(chosen)
            )
        shard.update(operation)
        return _done()

    def set_payload(
        self, collection_name: str, payload: dict[str, Any], points: Selector, *, wait: bool = True
    ) -> models.UpdateResult:
        """Set some payload fields of points and leave the others."""
        shard, chosen, given = self.shard(collection_name), _chosen(points), json_payload(payload)
        with refusals(collection_name):
            operation = (
                edge.UpdateOperation.set_payload_by_filter(chosen, given)
                if isinstance(chosen, edge.Filter)
                else edge.UpdateOperation.set_payload(chosen, given)
            )
        shard.update(operation)
        return _done()

    # Points out

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

    def scroll(
        self,
        collection_name: str,
        scroll_filter: models.Filter | None = None,
        *,
        limit: int = 10,
        order_by: str | models.OrderBy | None = None,
        offset: PointId | None = None,
        with_payload: Payload = True,
        with_vectors: Vectors = False,
    ) -> tuple[list[models.Record], int | str | None]:
        """Return a page of points and the offset of the next page."""
        if order_by is not None and offset is not None:
            raise StoreError("a scroll that is ordered by a field takes no offset; use OrderBy(start_from=…).")
        shard = self.shard(collection_name)
        with refusals(collection_name):
            request = edge.ScrollRequest(
                offset=offset,
                limit=limit,
                filter=edge_filter(scroll_filter),
                with_payload=edge_payload(with_payload),
                with_vector=edge_names(with_vectors),
                order_by=None if order_by is None else edge_order(order_by),
            )
            found, following = shard.edge.scroll(request)
        return records(found), None if following is None else plain_id(following)

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
            request = edge.FacetRequest(key, limit=limit, exact=exact, filter=edge_filter(facet_filter))
            found = shard.edge.facet(request).hits
        hits = [models.FacetValueHit.model_construct(value=_facet_value(hit.value), count=hit.count) for hit in found]
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
        shard = self.shard(collection_name)
        with refusals(collection_name):
            found = shard.edge.query(edge_request(request, _Stored(shard)))
        return QueryResponse.model_construct(points=scored(found))

    def query_batch_points(self, collection_name: str, requests: Sequence[models.QueryRequest]) -> list[QueryResponse]:
        """Return the answers to several queries, planned together, in order."""
        shard = self.shard(collection_name)
        if not requests:
            return []
        with refusals(collection_name):
            batch = [edge_request(request, _Stored(shard)) for request in requests]
            found = shard.edge.query_batch(edge.QueryBatchRequest(batch))
        return [QueryResponse.model_construct(points=scored(points)) for points in found]

    def finish_bulk_load(self, collection_name: str) -> None:
        """Build the HNSW graph where enough points are new, and flush; other threads wait meanwhile."""
        self.shard(collection_name).optimise()


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


def _chosen(selector: Selector) -> edge.Filter | list[PointId]:
    if isinstance(selector, models.FilterSelector):
        selector = selector.filter
    if isinstance(selector, models.Filter):
        return edge_filter(selector) or edge.Filter()
    return edge_ids(selector.points if isinstance(selector, models.PointIdsList) else selector)


def _facet_value(value: Any) -> bool | int | str:
    return value if isinstance(value, (bool, int)) else str(value)


def _done() -> models.UpdateResult:
    return models.UpdateResult(operation_id=0, status=models.UpdateStatus.COMPLETED)
