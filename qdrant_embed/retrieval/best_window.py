"""Which window of a hit was nearest to the question: engines say how near, not which one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from qdrant_embed.compression.codes import hamming
from qdrant_embed.retrieval.hits import Hit
from qdrant_embed.retrieval.ranked import QueryVector
from qdrant_embed.store.coding import Coding
from qdrant_embed.store.engine import Engine
from qdrant_embed.store.points import WINDOWS
from qdrant_embed.store.schema import DENSE
from qdrant_embed.types import FloatArray, join_context

if TYPE_CHECKING:
    from qdrant_client import models


def hits_with_windows(
    engine: Engine, name: str, coding: Coding, points: Sequence[models.ScoredPoint], asked: QueryVector | None
) -> list[Hit]:
    """Return hits that know their best window; one request fetches the vectors of all that have several."""
    several = [point.id for point in points if (point.payload or {}).get(WINDOWS)]
    if asked is None or not several:
        return [Hit.from_point(point) for point in points]
    records = engine.retrieve(name, several, with_payload=False, with_vectors=[DENSE])
    rows = {record.id: _rows(record.vector) for record in records}
    return [_hit(point, coding, rows, asked) for point in points]


def _hit(point: models.ScoredPoint, coding: Coding, rows: Mapping[Any, FloatArray], asked: QueryVector) -> Hit:
    hit, fields = Hit.from_point(point), point.payload or {}
    spans = fields.get(WINDOWS)
    if not spans or point.id not in rows:
        return hit
    best = int(np.argmax(_nearness(rows[point.id], coding, asked)))
    # What was embedded begins with the context, which is not in the document there.
    ahead = len(join_context(fields.get("context", ""), "x")) - 1
    start, end = (max(0, place - ahead) + hit.start for place in spans[2 * best : 2 * best + 2])
    return replace(hit, window=(start, end))


def _nearness(rows: FloatArray, coding: Coding, asked: QueryVector) -> FloatArray:
    """Return how near each row (windows, width) is to a question, larger is nearer."""
    if coding.compression.datatype == "bits" and not coding.compression.full:
        return np.asarray(-hamming(asked.coded.astype(np.uint8), rows.astype(np.uint8)), np.float32)
    raw = coding.raw(rows)
    products = raw @ asked.whole
    if coding.coder.distance == "euclid":
        return np.asarray(2 * products - (raw**2).sum(axis=1), np.float32)
    lengths = np.linalg.norm(raw, axis=1) if coding.coder.distance == "cosine" else np.ones(len(raw), np.float32)
    return np.asarray(products / np.where(lengths == 0, 1, lengths), np.float32)


def _rows(vector: Any) -> FloatArray:
    return np.atleast_2d(np.asarray(vector[DENSE] if isinstance(vector, dict) else vector, np.float32))
