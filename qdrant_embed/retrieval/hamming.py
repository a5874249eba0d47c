"""Search of sign codes, by Hamming distance or by what each bit of a learned code counts for a query.

No Qdrant engine compares packed bits, so the codes (48 bytes for 384 dimensions) are read once into memory and compared
here, a million in some tens of milliseconds. Filters stay the engine's: candidates are offered to it, nearest first, in
growing portions until enough of them pass. What is found is fetched from the engine, so a point that is gone is never
returned; codes are read again when the collection's mark says that points came or went, whoever wrote them.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from qdrant_embed.compression.codes import ByteArray, nearest_by_hamming, nearest_by_weights
from qdrant_embed.store.changes import change_mark
from qdrant_embed.store.engine import Engine
from qdrant_embed.types import FloatArray

if TYPE_CHECKING:
    from qdrant_client import models

PAGE = 4096
GROWTH = 8
"""How much larger the next portion of candidates is when a filter let too few of the last one through."""


@dataclass(frozen=True, slots=True)
class _Codes:
    """All codes and whose they are, as of a mark; `points` of which there are fewer where one has several."""

    ids: list[Any]
    codes: ByteArray
    points: int
    mark: str | None


class HammingIndex:
    """The sign codes of a collection, in memory.

    :param vector: Name of the vector that holds packed bits.
    :param bits: Bits of a code. By Hamming distance scores are 1 for no bit that differs and -1 for all; by weights
        they come near the model's own, less a constant of the query.
    :param page: Points read at once.
    """

    def __init__(self, engine: Engine, name: str, vector: str, bits: int, page: int = PAGE) -> None:
        self._engine, self._name, self._vector, self._bits = engine, name, vector, bits
        self._page = page
        self._lock = threading.Lock()
        self._loaded: _Codes | None = None

    def forget(self) -> None:
        """Read the codes again at the next search."""
        self._loaded = None

    def nearest(self, query: FloatArray, limit: int, condition: models.Filter | None) -> list[tuple[Any, float]]:
        """Return ids and scores of the nearest points that pass a filter, nearest first, equals by id.

        :param query: (bytes,) packed bits, or (bits,) weights.
        """
        held = self._codes()
        # A point with several windows counts by its nearest, so that more codes than points are looked at.
        wanted = limit if condition is None and held.points == len(held.ids) else GROWTH * limit
        while True:
            best: dict[Any, float] = {}
            for place, score in self._nearest(query, held.codes, wanted):
                best.setdefault(held.ids[place], score)
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

    def _nearest(self, query: FloatArray, codes: ByteArray, count: int) -> list[tuple[int, float]]:
        if len(query) == self._bits:
            places, scores = nearest_by_weights(query, codes, count)
        else:
            places, distances = nearest_by_hamming(np.asarray(query, np.uint8), codes, count)
            scores = np.asarray(1.0 - 2.0 * distances / self._bits, np.float32)
        return list(zip(places.tolist(), scores.tolist(), strict=True))

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
            # Taken before the points are read: what is written meanwhile has a later mark, and is read next time.
            mark = change_mark(self._engine, self._name)
            if self._loaded is None or self._loaded.mark != mark:
                self._loaded = self._read(mark)
            return self._loaded

    def _read(self, mark: str | None) -> _Codes:
        ids: list[Any] = []
        points = 0
        rows: list[ByteArray] = []
        offset: Any = None
        while True:
            records, offset = self._engine.scroll(
                self._name, limit=self._page, offset=offset, with_payload=False, with_vectors=[self._vector]
            )
            points += len(records)
            for record in records:
                found = np.atleast_2d(np.array(_vector(record, self._vector), np.uint8))
                rows.append(found)
                ids += [record.id] * len(found)
            if offset is None:
                codes = np.concatenate(rows) if rows else np.zeros((0, -(-self._bits // 8)), np.uint8)
                return _Codes(ids, codes, points, mark)


def _vector(record: models.Record, name: str) -> Any:
    return record.vector[name] if isinstance(record.vector, dict) else record.vector
