"""What stands behind a `QdrantClient` in place of a connection: an engine of this library."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from qdrant_client import models
from qdrant_client.client_base import QdrantBase

from qdrant_embed.errors import CollectionNotFoundError, UnsupportedByEngineError
from qdrant_embed.store.engine_wrappers import WrappedEngine

if TYPE_CHECKING:
    from qdrant_embed.store.engine import Engine

READING = frozenset(
    (
        *("query_points", "query_batch_points", "query_points_groups", "scroll", "count", "facet", "retrieve"),
        *("get_collections", "get_collection", "collection_exists", "get_aliases", "get_collection_aliases"),
        *("search_matrix_pairs", "search_matrix_offsets", "info", "list_snapshots", "list_full_snapshots"),
        *("list_shard_snapshots", "list_shard_keys", "collection_cluster_info", "cluster_status"),
        *("get_optimizations", "cluster_telemetry"),
    )
)
"""Methods that change nothing; whatever else a client has or will have counts as writing."""


class EngineBackend(QdrantBase):
    """Answers a client's calls by an engine; a method or argument that only the engine's own client has goes to that.

    Arguments that are None are not handed on: they ask for nothing.

    :param before_writing: Called before whatever may change something; raises where that is not allowed.
    :param owned: Close the engine with the client.
    """

    def __init__(self, engine: Engine, before_writing: Callable[[], object], *, owned: bool) -> None:
        super().__init__()
        self._engine, self._before_writing, self._owned = engine, before_writing, owned

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._engine!r})"

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("_") or name in _OWN or not hasattr(QdrantBase, name):
            return super().__getattribute__(name)
        return lambda *arguments, **named: self._call(name, arguments, named)

    def _call(self, name: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """Call a method of the engine, or of the client that it is around.

        :raises UnsupportedByEngineError: There is none.
        """
        if name not in READING:
            self._before_writing()
        given = {key: value for key, value in named.items() if value is not None}
        method, stock = _method(self._engine, name), self._engine.client
        if stock is not None and (method is None or given.keys() - inspect.signature(method).parameters):
            method = getattr(stock, name)
        if method is None:
            raise UnsupportedByEngineError(f"{self._engine.described} has no {name}; see docs/guide/stores.md.")
        try:
            return method(*arguments, **given)
        except CollectionNotFoundError as error:  # in the words of the client in memory, which stores look for
            lost = arguments[0] if arguments else named.get("collection_name")
            raise CollectionNotFoundError(f"Collection {lost} not found: {error}") from error

    def close(self, **_: Any) -> None:
        """Close the engine, if it came with the client."""
        if self._owned:
            self._engine.close()

    def retrieve(self, collection_name: str, ids: Sequence[Any], *arguments: Any, **named: Any) -> Any:
        """Return points; what no point could be called by is not there."""
        return self._call("retrieve", (collection_name, _possible(ids), *arguments), named)

    def delete(self, collection_name: str, points_selector: Any, *arguments: Any, **named: Any) -> Any:
        """Remove points; what no point could be called by is passed over."""
        chosen = points_selector.points if isinstance(points_selector, models.PointIdsList) else points_selector
        if isinstance(chosen, (list, tuple)):
            possible = _possible(chosen)
            if chosen and not possible:
                self._before_writing()
                return models.UpdateResult(status=models.UpdateStatus.COMPLETED)
            chosen = models.PointIdsList(points=possible)
        return self._call("delete", (collection_name, chosen, *arguments), named)

    def recreate_collection(self, collection_name: str, *arguments: Any, **named: Any) -> Any:
        """Make a collection with no points, in place of one of that name."""
        if self._call("collection_exists", (collection_name,), {}):
            self._call("delete_collection", (collection_name,), {})
        return self._call("create_collection", (collection_name, *arguments), named)

    def upsert(self, collection_name: str, points: Any, **named: Any) -> Any:
        """Write points, given one by one or field by field."""
        listed = list(_points(points)) if isinstance(points, models.Batch) else points
        return self._call("upsert", (collection_name, listed), named)

    def upload_points(
        self, collection_name: str, points: Iterable[models.PointStruct], batch_size: int = 64, **named: Any
    ) -> None:
        """Write points from any iterable, `batch_size` at a time, in this process."""
        rest = {name: value for name, value in named.items() if name not in _OF_UPLOADS}
        waiting = iter(points)
        while batch := list(islice(waiting, max(1, batch_size))):
            self._call("upsert", (collection_name, batch), {"wait": True, **rest})

    def upload_collection(
        self,
        collection_name: str,
        vectors: Any,
        payload: Any = None,
        ids: Any = None,
        batch_size: int = 64,
        **named: Any,
    ) -> None:
        """Write points that are given field by field; those without an id get a random one."""
        columns = _rows(vectors), _or(payload, dict), _or(ids, lambda: str(uuid4()))
        points = (
            models.PointStruct(id=point_id, vector=vector, payload=fields)
            for vector, fields, point_id in zip(*columns, strict=False)
        )
        self.upload_points(collection_name, points, batch_size, **named)


_OWN = frozenset({"close", "delete", "recreate_collection", "retrieve", "upload_collection", "upload_points", "upsert"})
_OF_UPLOADS = frozenset({"parallel", "method", "max_retries", "wait"})
"""How uploads are sent; there is no network here, or the engine sees to it."""


def _method(engine: Engine, name: str) -> Callable[..., Any] | None:
    """Return the method of the engine, or of one that it is around where it has none."""
    while not hasattr(engine, name):
        if not isinstance(engine, WrappedEngine):
            return None
        engine = engine.whole
    found: Callable[..., Any] = getattr(engine, name)
    return found


def _points(batch: models.Batch) -> Iterator[models.PointStruct]:
    payloads: Sequence[Any] = batch.payloads or ([None] * len(batch.ids))
    for point_id, vector, payload in zip(batch.ids, _rows(batch.vectors), payloads, strict=True):
        yield models.PointStruct(id=point_id, vector=vector, payload=payload)


def _rows(vectors: Any) -> Iterable[Any]:
    """Return the vectors of each point; of named ones, from a column for each name."""
    if not isinstance(vectors, dict):
        return (row.tolist() if hasattr(row, "tolist") else row for row in vectors)
    columns = [_rows(column) for column in vectors.values()]
    return (dict(zip(vectors, row, strict=True)) for row in zip(*columns, strict=True))


def _or(values: Sequence[Any] | Iterable[Any] | None, make: Callable[[], Any]) -> Iterable[Any]:
    return iter(make, object()) if values is None else values


def _possible(ids: Sequence[Any]) -> list[Any]:
    """Return those of some ids that a point can have: whole numbers, and UUIDs in any spelling."""
    return [one for one in ids if not isinstance(one, str) or _is_uuid(one)]


def _is_uuid(text: str) -> bool:
    try:
        return bool(UUID(text))
    except ValueError:
        return False
