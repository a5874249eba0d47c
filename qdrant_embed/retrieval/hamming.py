"""Search of sign codes, by Hamming distance or by what each bit of a learned code counts for a query.

No Qdrant engine compares packed bits, so the codes (48 bytes for 384 dimensions) are read once into memory and compared
here. Filters stay the engine's: candidates are offered to it, nearest first, in growing portions until enough of them
pass; where few points pass at all, the engine names these and they are compared alone. What is found is fetched from
the engine, so a point that is gone is never returned. When the mark of the collection says that points came or went,
whoever wrote them, those that came are read and those that went forgotten.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qdrant_embed.compression.codes import SignCodes, lowest
from qdrant_embed.retrieval.held_codes import HeldCodes
from qdrant_embed.store.access import pages
from qdrant_embed.store.changes import change_mark
from qdrant_embed.store.engine import Engine
from qdrant_embed.types import FloatArray

if TYPE_CHECKING:
    from qdrant_client import models

PAGE = 4096
GROWTH = 8
"""How much larger the next portion of candidates is when a filter let too few of the last one through."""


class HammingIndex:
    """The sign codes of a collection, in memory.

    :param vector: Name of the vector that holds packed bits.
    :param bits: Bits of a code. By Hamming distance scores are 1 for no bit that differs and -1 for all; by weights
        they come near the model's own, less a constant of the query.
    :param page: Points read at once with their codes.
    """

    def __init__(self, engine: Engine, name: str, vector: str, bits: int, page: int = PAGE) -> None:
        self._engine, self._name, self._vector, self._bits = engine, name, vector, bits
        self._page = page
        self._lock = threading.Lock()
        self._held: HeldCodes | None = None
        self._stale = False

    def forget(self) -> None:
        """Look at the next search which points came or went, whatever the mark says."""
        self._stale = True

    def nearest(self, query: FloatArray, limit: int, condition: models.Filter | None) -> list[tuple[Any, float]]:
        """Return ids and scores of the nearest points that pass a filter, nearest first, equals by id.

        :param query: (bytes,) packed bits, or (bits,) weights.
        """
        held = self._codes()
        if condition is None:
            return self._best(held, self._keys(query, held.codes), limit)
        matching = self._engine.count(self._name, count_filter=condition, exact=True).count
        wanted = GROWTH * limit
        keys = self._keys(query, held.codes) if wanted < matching else None
        while keys is not None and wanted < matching:
            offered = self._best(held, keys, wanted)
            passed = self._passing([point for point, _ in offered], condition)
            found = [(point, score) for point, score in offered if point in passed]
            if len(found) >= limit:
                return found[:limit]
            wanted *= GROWTH
        # Fewer points pass than would be offered next.
        among = held.among([record.id for record in self._scroll(condition, PAGE)])
        return self._best(among, self._keys(query, among.codes), limit)

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

    def _keys(self, query: FloatArray, codes: SignCodes) -> NDArray[Any]:
        """Return a number for each code, the lower the nearer: bits that differ, or less than nothing by weights."""
        return -codes.weighted(query) if len(query) == self._bits else codes.hamming(np.asarray(query, np.uint8))

    def _best(self, held: HeldCodes, keys: NDArray[Any], limit: int) -> list[tuple[Any, float]]:
        """Return ids and scores of the points with the lowest keys; one of several windows counts by its nearest."""
        wanted = limit
        while True:
            places = lowest(keys, wanted)
            points, first = np.unique(held.owners[places], return_index=True)
            if len(points) >= limit or wanted >= len(keys):
                break
            wanted *= GROWTH
        order = np.sort(first)[:limit]
        found = keys[places[order]]
        scores = 1.0 - 2.0 * found / self._bits if np.issubdtype(found.dtype, np.integer) else -found
        return list(zip(held.ids_at(held.owners[places[order]]), map(float, scores), strict=True))

    def _passing(self, ids: list[Any], condition: models.Filter) -> set[Any]:
        from qdrant_client import models

        passed: set[Any] = set()
        for start in range(0, len(ids), PAGE):
            portion = models.Filter(must=[condition, models.HasIdCondition(has_id=ids[start : start + PAGE])])
            passed |= {record.id for record in self._scroll(portion, PAGE)}
        return passed

    # Reading

    def _codes(self) -> HeldCodes:
        with self._lock:
            # Taken before the points are read: what is written meanwhile has a later mark, and is read next time.
            mark = change_mark(self._engine, self._name)
            if self._held is None:
                records = self._scroll(None, self._page, self._vector)
                self._held = HeldCodes.of(records, self._vector, -(-self._bits // 8), mark)
            elif self._stale or self._held.mark != mark:
                self._held = replace(self._updated(self._held), mark=mark)
            self._stale = False
            return self._held

    def _updated(self, held: HeldCodes) -> HeldCodes:
        """Return the codes of the points that there are now; a point's id says what it holds, so none is read again."""
        ids = [record.id for record in self._scroll(None, PAGE)]
        kept, fresh = held.compared(ids)
        read: list[models.Record] = []
        for start in range(0, len(fresh), self._page):
            portion = fresh[start : start + self._page]
            read += self._engine.retrieve(self._name, portion, with_payload=False, with_vectors=[self._vector])
        return held.changed(kept, HeldCodes.of(read, self._vector, held.codes.width))

    def _scroll(self, where: models.Filter | None, page: int, *vectors: str) -> Iterator[models.Record]:
        return chain.from_iterable(pages(self._engine, self._name, page, where=where, vectors=vectors))
