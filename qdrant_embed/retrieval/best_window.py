"""Vectors read back: which window of a hit was nearest to the question (engines say how near, not which one)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from qdrant_embed.compression.binary_codes import nearness
from qdrant_embed.errors import ConfigurationError
from qdrant_embed.retrieval.hits import Hit
from qdrant_embed.retrieval.query_plan import QueryVector
from qdrant_embed.store.collection_codec import CollectionCodec
from qdrant_embed.store.engine import Engine
from qdrant_embed.store.methods.ranking_request import FoundPoint
from qdrant_embed.store.points import WINDOWS
from qdrant_embed.store.scroll import vector_of
from qdrant_embed.types import DENSE, FloatArray, join_context

if TYPE_CHECKING:
    from qdrant_client import models


def hits_with_windows(
    engine: Engine, name: str, codec: CollectionCodec, points: Sequence[FoundPoint], asked: QueryVector | None
) -> list[Hit]:
    """Return hits that know their best window.

    The vectors of points that have several are fetched a page at a time, and none is kept: those of ten documents of a
    hundred thousand tokens are a hundred megabytes as lists of Python's floats.
    """
    several = [point.id for point in points if (point.payload or {}).get(WINDOWS)]
    best: dict[Any, int] = {}
    if asked is not None:
        for start in range(0, len(several), codec.page):
            page = several[start : start + codec.page]
            for record in engine.retrieve(name, page, with_payload=False, with_vectors=[DENSE]):
                best[record.id] = int(np.argmax(_nearness(_rows(record), codec, asked)))
    return [_hit(point, best.get(point.id)) for point in points]


def raw_vectors(engine: Engine, name: str, codec: CollectionCodec, ids: Sequence[str]) -> FloatArray:
    """Return the model's dense vector (n, dim) of each point; where each window has one, their mean.

    :raises ConfigurationError: One of them is gone.
    """
    rows = found_vectors(engine, name, codec, ids)
    gone = [point for point in ids if point not in rows]
    if gone:
        raise ConfigurationError(f"collection {name!r} has no point {gone[0]!r} any more.")
    return np.stack([rows[point] for point in ids])


def found_vectors(engine: Engine, name: str, codec: CollectionCodec, ids: Sequence[str]) -> dict[str, FloatArray]:
    """Return the model's dense vector (dim,) of each point that is there, by its id; of windows their mean."""
    rows: dict[str, FloatArray] = {}
    for start in range(0, len(ids), codec.page):
        page = ids[start : start + codec.page]
        for record in engine.retrieve(name, page, with_payload=False, with_vectors=[DENSE]):
            rows[str(record.id)] = codec.raw(_rows(record)).mean(axis=0)
    return rows


def _hit(point: FoundPoint, best: int | None) -> Hit:
    hit, fields = Hit.from_point(point), point.payload or {}
    if best is None:
        return hit
    spans = fields[WINDOWS]
    # What was embedded begins with the context, which is not in the document there.
    ahead = len(join_context(fields.get("context", ""), "x")) - 1
    start, end = (max(0, place - ahead) + hit.start for place in spans[2 * best : 2 * best + 2])
    return replace(hit, window=(start, end))


def _nearness(rows: FloatArray, codec: CollectionCodec, asked: QueryVector) -> FloatArray:
    """Return how near each row (windows, width) is to a question, larger is nearer."""
    if codec.compression.datatype == "bits" and not codec.compression.full:
        return nearness(asked.encoded, rows.astype(np.uint8), codec.vector_codec.bits)
    return codec.vector_codec.real_scores(asked.whole, codec.raw(rows))


def _rows(record: models.Record) -> FloatArray:
    return np.atleast_2d(np.asarray(vector_of(record, DENSE), np.float32))
