"""Points into Qdrant Edge, records and hits out of it.

Written for speed: a numpy vector of 384 dimensions goes in as its buffer (13 µs), where a list made of it takes 34 µs,
and what comes out is not validated again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import qdrant_edge as edge
from qdrant_client import models

from qdrant_embed.errors import StoreError, first_line
from qdrant_embed.store.edge.lacking_features import unsupported
from qdrant_embed.store.edge.point_ids import plain_id
from qdrant_embed.store.edge.vector_checks import VectorSchema, malformed
from qdrant_embed.store.points import checked_payload, finite

if TYPE_CHECKING:
    from qdrant_embed.store.methods.client_methods import Payload, Vectors


BYTES_PER_NUMBER = 12
BYTES_PER_PAYLOAD = 4096
_NO_MORE = (("__pydantic_extra__", None), ("__pydantic_private__", None))
"""What a model of pydantic has beside its fields."""


def edge_points(points: Iterable[models.PointStruct], schema: VectorSchema) -> list[edge.Point]:
    """Return points for an upsert.

    :raises StoreError: An id is neither an unsigned integer nor a UUID, a payload is not JSON, or a vector is of
        another form than the collection's.
    """
    return [_edge_point(point, schema) for point in points]


def written_bytes(points: Iterable[models.PointStruct]) -> int:
    """Return roughly what points take on the disk, in the log and where they are stored."""
    total = 0
    for point in points:
        vectors: list[Any] = list(point.vector.values()) if isinstance(point.vector, dict) else [point.vector]
        numbers = sum(_size(vector) for vector in vectors)
        total += BYTES_PER_PAYLOAD + BYTES_PER_NUMBER * numbers + 8 * len(str((point.payload or {}).get("text", "")))
    return total


def _size(vector: Any) -> int:
    numbers = getattr(vector, "values", vector)
    if isinstance(numbers, np.ndarray):
        return numbers.size
    several = isinstance(numbers, list) and bool(numbers) and isinstance(numbers[0], (list, np.ndarray))
    return sum(map(len, numbers)) if several else len(numbers) if isinstance(numbers, list) else 1


def _edge_point(point: models.PointStruct, schema: VectorSchema) -> edge.Point:
    payload = checked_payload(point)
    schema.require(point)
    try:
        given: Any = point.vector
        named = isinstance(given, dict)
        vector = {name: _edge_form(one) for name, one in given.items()} if named else _edge_form(given)
        return edge.Point(point.id, vector, payload)
    except (TypeError, ValueError, OverflowError) as error:
        raise StoreError(
            f"the point {point.id!r} cannot be stored: {first_line(error)}. An id must be an unsigned integer "
            "or a UUID, and a vector must hold numbers."
        ) from error


def edge_vector(vector: Any) -> Any:
    """Return a dense, sparse or multi-vector in the form that Qdrant Edge takes fastest.

    :raises UnsupportedByEngineError: It is something that a server would have to embed first.
    :raises StoreError: Its numbers, or its length, are not finite; or it is sparse, and malformed.
    """
    finite(vector)
    return _edge_form(vector)


def _edge_form(vector: Any) -> Any:
    """Return what `edge_vector` does for a vector whose numbers are known to be finite."""
    if isinstance(vector, np.ndarray):
        rows = np.ascontiguousarray(vector, np.float32)
        return rows.data if rows.ndim == 1 else [row.data for row in rows]
    if isinstance(vector, (list, tuple)):
        return [_edge_form(row) for row in vector] if vector and isinstance(vector[0], np.ndarray) else vector
    if isinstance(vector, models.SparseVector):
        if problem := malformed(vector):
            raise StoreError(f"a sparse vector {problem}.")
        return edge.SparseVector(vector.indices, vector.values)
    raise unsupported(f"inference: it cannot embed a {type(vector).__name__}")


def edge_payload(wanted: Payload | None) -> Any:
    """Return which payload fields to fetch."""
    if isinstance(wanted, models.PayloadSelectorInclude):
        return edge.PayloadSelector.Include(wanted.include)
    if isinstance(wanted, models.PayloadSelectorExclude):
        return edge.PayloadSelector.Exclude(wanted.exclude)
    return _listed(wanted)


def edge_names(wanted: Vectors | None) -> bool | list[str]:
    """Return which vectors to fetch."""
    return _listed(wanted)


def _listed(wanted: Vectors | None) -> bool | list[str]:
    return wanted if isinstance(wanted, bool) else list(wanted or ()) or False


def records(found: Sequence[edge.Record]) -> list[models.Record]:
    """Return records as `retrieve` and `scroll` give them."""
    return [
        models.Record.model_construct(
            id=plain_id(record.id),
            payload=record.payload,
            vector=plain_vector(record.vector),
            shard_key=None,
            order_value=record.order_value,
        )
        for record in found
    ]


def scored(found: Sequence[edge.ScoredPoint], wanted: Vectors | None) -> list[models.ScoredPoint]:
    """Return hits as `query_points` gives them.

    :param wanted: Which vectors were asked for; maximal marginal relevance brings those along that it compares.
    """
    names = edge_names(wanted)
    return [
        _scored_point(
            {
                "id": plain_id(point.id),
                "version": point.version,
                "score": point.score,
                "payload": point.payload,
                "vector": _chosen_vectors(point.vector, names),
                "shard_key": None,
                "order_value": point.order_value,
            }
        )
        for point in found
    ]


def _scored_point(fields: dict[str, Any]) -> models.ScoredPoint:
    """Return `ScoredPoint.model_construct(**fields)` in half the time, given all fields: a search reads hundreds."""
    made = models.ScoredPoint.__new__(models.ScoredPoint)
    for slot, value in (("__dict__", fields), ("__pydantic_fields_set__", set(fields)), *_NO_MORE):
        object.__setattr__(made, slot, value)
    return made


def _chosen_vectors(vectors: Any, names: Any) -> Any:
    if names is False:
        return None
    if isinstance(names, list) and isinstance(vectors, dict):
        vectors = {name: vector for name, vector in vectors.items() if name in names}
    return plain_vector(vectors)


def plain_vector(vector: Any) -> Any:
    """Return vectors as lists of floats, sparse ones as `models.SparseVector`."""
    if isinstance(vector, dict):
        return {name: plain_vector(value) for name, value in vector.items()}
    if isinstance(vector, edge.SparseVector):
        return models.SparseVector.model_construct(indices=vector.indices, values=vector.values)
    return vector
