"""`QdrantClient`'s methods over a folder: writing points, and reading them page by page.

`collection_methods.py` has those about collections, `queries.py` those that rank, group and count.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import qdrant_edge as edge
from qdrant_client import models

from qdrant_embed.errors import StoreError
from qdrant_embed.store.client.portions import completed
from qdrant_embed.store.edge.client_arguments import takes_client_arguments
from qdrant_embed.store.edge.convert.filter import edge_filter, written_filter
from qdrant_embed.store.edge.convert.point_structs import (
    edge_names,
    edge_payload,
    edge_points,
    records,
    written_bytes,
)
from qdrant_embed.store.edge.convert.query import order_by as edge_order
from qdrant_embed.store.edge.point_ids import edge_ids, plain_id
from qdrant_embed.store.edge.queries import EdgeQueries
from qdrant_embed.store.edge.shard import refusals
from qdrant_embed.store.payload_values import json_payload

if TYPE_CHECKING:
    from qdrant_embed.store.methods.client_methods import Payload, PointId, Selector, Vectors

POINTS_PER_UPDATE = 1000
"""Points of one upsert that are handed over together; bounds the memory of their copies."""


@takes_client_arguments
class EdgeClient(EdgeQueries):
    """A folder, spoken to as a client is; see `qdrant_embed.store.Engine` for what its methods mean."""

    def upsert(
        self, collection_name: str, points: Sequence[models.PointStruct], *, wait: bool = True
    ) -> models.UpdateResult:
        """Write points; when this returns they survive the end of the process, whatever `wait` says."""
        shard, schema = self.shard(collection_name), self.vector_schema(collection_name)
        batches = [points[start : start + POINTS_PER_UPDATE] for start in range(0, len(points), POINTS_PER_UPDATE)]
        # Nothing is written unless everything can be; what was converted is not kept, for its memory.
        for batch in batches[:-1] and batches:
            edge_points(batch, schema)
        for batch in batches:
            shard.update(edge.UpdateOperation.upsert_points(edge_points(batch, schema)), size=written_bytes(batch))
        return completed()

    def upload_points(
        self,
        collection_name: str,
        points: Iterable[models.PointStruct],
        *,
        batch_size: int = 64,
        parallel: int = 1,
        max_retries: int = 3,
        wait: bool = False,
    ) -> None:
        """Write points from any iterable, `batch_size` at a time; a batch is written whole or not at all.

        `parallel`, `max_retries` and `wait` are the client's, and change nothing here: there is no network, and what
        was written survives.
        """
        waiting = iter(points)
        while batch := list(islice(waiting, max(1, batch_size))):
            self.upsert(collection_name, batch)

    def delete(self, collection_name: str, points_selector: Selector, *, wait: bool = True) -> models.UpdateResult:
        """Remove points by id or filter."""
        shard = self.shard(collection_name)
        with refusals(collection_name):
            chosen = _chosen(points_selector)
            by_filter, by_ids = edge.UpdateOperation.delete_points_by_filter, edge.UpdateOperation.delete_points
            operation = by_filter(chosen) if isinstance(chosen, edge.Filter) else by_ids(chosen)
        shard.update(operation)
        return completed()

    def set_payload(
        self, collection_name: str, payload: dict[str, Any], points: Selector, *, wait: bool = True
    ) -> models.UpdateResult:
        """Set some payload fields of points and leave the others."""
        shard, given = self.shard(collection_name), json_payload(payload)
        with refusals(collection_name):
            chosen = _chosen(points)
            by_filter, by_ids = edge.UpdateOperation.set_payload_by_filter, edge.UpdateOperation.set_payload
            operation = by_filter(chosen, given) if isinstance(chosen, edge.Filter) else by_ids(chosen, given)
        shard.update(operation)
        return completed()

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


def _chosen(selector: Selector) -> edge.Filter | list[PointId]:
    if isinstance(selector, models.FilterSelector):
        selector = selector.filter
    if isinstance(selector, models.Filter):
        return written_filter(selector)
    return edge_ids(selector.points if isinstance(selector, models.PointIdsList) else selector)
