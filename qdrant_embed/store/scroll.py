"""What is read of a collection everywhere: its metadata, and its points a page at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qdrant_embed.store.methods.ranking_request import FoundPoint
from qdrant_embed.types import DENSE, FloatArray

if TYPE_CHECKING:
    from qdrant_client import models

    from qdrant_embed.store.engine import Engine
    from qdrant_embed.store.methods.client_methods import PointId

PAGE = 1024
"""Points whose payloads are fetched at once."""


def pages(
    engine: Engine,
    name: str,
    size: int,
    *,
    where: models.Filter | None = None,
    fields: Sequence[str] | bool = False,
    vectors: Sequence[str] = (),
) -> Iterator[list[models.Record]]:
    """Yield the points that match, at most `size` of them at a time, with some of their payload and vectors.

    :param fields: Names of payload fields; True for all, False for none.
    """
    offset: Any = None
    while True:
        records, offset = engine.scroll(
            name,
            scroll_filter=where,
            limit=size,
            offset=offset,
            with_payload=fields if isinstance(fields, bool) else list(fields),
            with_vectors=list(vectors) or False,
        )
        if records:
            yield records
        if offset is None:
            return


def payloads_of(
    engine: Engine, name: str, ids: Iterable[PointId], *, fields: Sequence[str] | bool = True
) -> dict[PointId, dict[str, Any]]:
    """Return the payloads of points by their ids, some of their fields or all; those that are gone are left out."""
    listed = list(ids)
    found: dict[PointId, dict[str, Any]] = {}
    for start in range(0, len(listed), PAGE):
        page = listed[start : start + PAGE]
        found |= engine.payloads(name, page, fields=fields)
    return found


def vector_of(record: models.Record | FoundPoint, name: str) -> Any:
    """Return a vector of a point as engines give it: numbers, or lists of them where it has several."""
    return record.vector[name] if isinstance(record.vector, dict) else record.vector


def dense_of(records: Sequence[models.Record], name: str = DENSE) -> tuple[FloatArray, list[int]]:
    """Return what vectors of a name hold, (rows, width), and how many rows each record has: one, or its windows."""
    rows = [np.atleast_2d(np.asarray(vector_of(record, name), np.float32)) for record in records]
    return np.concatenate(rows), [len(found) for found in rows]
