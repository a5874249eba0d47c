"""Search by Hamming distance: for collections that keep sign codes and no number.

No Qdrant engine compares packed bits, so the codes (48 bytes for 384 dimensions) are read once into memory and compared
here, a million in some tens of milliseconds. Filters stay the engine's: candidates are offered to it, nearest first, in
growing portions until enough of them pass. What is found is fetched from the engine, so a point that is gone is never
returned; codes are read again when points have come or gone.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from qdrant_embed.compression.codes import ByteArray, nearest_by_hamming
from qdrant_embed.store.engine import Engine
from qdrant_embed.types import FloatArray

if TYPE_CHECKING:
    from qdrant_client import models

PAGE = 4096
GROWTH = 8
"""How much larger the next portion of candidates is when a filter let too few of the last one through."""


@dataclass(frozen=True, slots=True)
class _Codes:
    """All codes and whose they are; `points` of which there are fewer where one has several."""

    ids: list[Any]
    codes: ByteArray
    points: int


class HammingIndex:
    """The sign codes of a collection, in memory.

    :param vector: Name of the vector that holds packed bits.
    :param bits: Bits of a code; scores are 1 for no bit that differs and -1 for all.
    """

    def __init__(self, engine: Engine, name: str, vector: str, bits: int) -> None:
        self._engine, self._name, self._vector, self._bits = engine, name, vector, bits
        self._lock = threading.Lock()
        self._loaded: _Codes | None = None

    def forget(self) -> None:
        """Read the codes again at the next search."""
        self._loaded = None

    def nearest(self, query: FloatArray, limit: int, condition: models.Filter | None) -> list[tuple[Any, float]]:
        """Return ids and scores of the nearest points that pass a filter, nearest first, equals by id.

        :param query: (bytes,) packed bits.
        """
        held = self._codes()
        code = np.asarray(query, np.uint8)
        # A point with several windows counts by its nearest, so that more codes than points are looked at.
        wanted = limit if condition is None and held.points == len(held.ids) else GROWTH * limit
        while True:
            places, distances = nearest_by_hamming(code, held.codes, wanted)
            best: dict[Any, float] = {}
            for place, distance in zip(places, distances, strict=True):
                best.setdefault(held.ids[place], self._score(distance))
            passed = best.keys() if condition is None else self._passing(list(best), condition)
            found = [(point, score) for point, score in best.items() if point in passed]
            if len(found) >= limit or wanted >= len(held.ids):
                return found[:limit]
            wanted *= GROWTH

    def search(self, query: FloatArray, limit: int, condition: models.Filter | None) -> list[models.ScoredPoint]:
        """Return the nearest points with their payloads."""
        from qdrant_client import models

        for attempt in (1, 2):
            ranked = self.nearest(query, limit, condition)
            ids = [point for point, _ in ranked]
            records = self._engine.retrieve(self._name, ids, with_payload=True, with_vectors=False) if ids else []
            payloads = {record.id: record.payload for record in records}
            if len(payloads) == len(ids) or attempt == 2:
                break
            self.forget()
        return [
            models.ScoredPoint(id=point, version=0, score=score, payload=payloads[point])
            for point, score in ranked
            if point in payloads
        ]

    def _score(self, distance: np.int64) -> float:
        return 1.0 - 2.0 * float(distance) / self._bits

    def _passing(self, ids: list[Any], condition: models.Filter) -> set[Any]:
        from qdrant_client import models

        passed: set[Any] = set()
        for start in range(0, len(ids), PAGE):
            portion = models.Filter(must=[condition, models.HasIdCondition(has_id=ids[start : start + PAGE])])
            records, _ = self._engine.scroll(self._name, portion, limit=PAGE, with_payload=False, with_vectors=False)
            passed |= {record.id for record in records}
        return passed

    def _codes(self) -> _Codes:
        with self._lock:
            count = self._engine.count(self._name, exact=True).count
            if self._loaded is None or self._loaded.points != count:
                self._loaded = self._read()
            return self._loaded

    def _read(self) -> _Codes:
        ids: list[Any] = []
        points = 0
        rows: list[ByteArray] = []
        offset: Any = None
        while True:
            records, offset = self._engine.scroll(
                self._name, limit=PAGE, offset=offset, with_payload=False, with_vectors=[self._vector]
            )
            points += len(records)
            for record in records:
                found = np.atleast_2d(np.array(_vector(record, self._vector), np.uint8))
                rows.append(found)
                ids += [record.id] * len(found)
            if offset is None:
                codes = np.concatenate(rows) if rows else np.zeros((0, -(-self._bits // 8)), np.uint8)
                return _Codes(ids, codes, points)


def _vector(record: models.Record, name: str) -> Any:
    return record.vector[name] if isinstance(record.vector, dict) else record.vector
