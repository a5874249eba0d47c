"""Search of sign codes, by Hamming distance or by what each bit of a learned code counts for a query.

No Qdrant engine compares packed bits, so the codes (48 bytes for 384 dimensions) are read once into memory and compared
here. Filters stay the engine's: candidates are offered to it, nearest first, in growing portions until enough of them
pass; where few points pass at all, the engine names these and they are compared alone. What is found is fetched from
the engine, so a point that is gone is never returned. When the mark of the collection says that points came or went,
whoever wrote them, those that came are read and those that went forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any

from qdrant_embed.native import make_lock
from qdrant_embed.retrieval.binary.candidates import Candidates, keys
from qdrant_embed.retrieval.binary.codes_in_memory import CodesInMemory
from qdrant_embed.retrieval.query_plan import PLACE_FIELDS
from qdrant_embed.store.collection_codec import CollectionCodec
from qdrant_embed.store.copies.revision import revision_of
from qdrant_embed.store.engine import Engine
from qdrant_embed.store.methods.ranking_request import FoundPoint
from qdrant_embed.store.scroll import pages, payloads_of
from qdrant_embed.types import FloatArray

if TYPE_CHECKING:
    from qdrant_client import models

PAGE = 4096
GROWTH = 8
"""How much larger the next portion of candidates is when a filter let too few of the last one through."""


def page_of(codec: CollectionCodec) -> int:
    """Return how many points are read at once into memory: fewer where each has a code for every window."""
    return codec.page if codec.windows else PAGE


class BinaryIndex:
    """The sign codes of a collection, in memory.

    :param vector: Name of the vector that holds packed bits.
    :param bits: Bits of a code. By Hamming distance scores are 1 for no bit that differs and -1 for all; by weights
        they come near the model's own, less a constant of the query.
    :param page: Points read at once with their codes.
    """

    def __init__(self, engine: Engine, name: str, vector: str, bits: int, page: int = PAGE) -> None:
        self._engine, self._name, self._vector, self._bits = engine, name, vector, bits
        self._page = page
        self._lock = make_lock()
        self._held: CodesInMemory | None = None
        self._stale = False

    def forget(self) -> None:
        """Look at the next search which points came or went, whatever the mark says."""
        self._stale = True

    def nearest(self, query: FloatArray, limit: int, condition: models.Filter | None) -> list[tuple[Any, float]]:
        """Return ids and scores of the nearest points that pass a filter, nearest first, equals by id.

        :param query: (bytes,) packed bits, or (bits,) weights.
        """
        found = self.candidates(query, limit, limit, condition)
        return list(zip(found.ids(), map(float, found.scores), strict=True))

    def candidates(self, query: FloatArray, least: int, most: int, condition: models.Filter | None) -> Candidates:
        """Return the `most` nearest points that pass a filter, or fewer where it costs no more: down to `least`.

        :param query: As for `nearest`.
        """
        held = self._codes()
        if condition is None:
            return Candidates.nearest(held, query, self._bits, most)
        matching = self._engine.count(self._name, count_filter=condition, exact=True).count
        wanted = GROWTH * least
        found = keys(query, held.codes, self._bits) if wanted < matching else None
        while found is not None and wanted < matching:
            offered = Candidates.lowest(held, found, self._bits, wanted)
            passed = offered.passing(self._passing(offered.ids(), condition))
            if len(passed) >= least:
                return passed.first(most)
            wanted *= GROWTH
        # Fewer points pass than would be offered next.
        among = held.among([record.id for record in self._scroll(condition, PAGE)])
        return Candidates.nearest(among, query, self._bits, most)

    def search(self, query: FloatArray, limit: int, condition: models.Filter | None) -> list[FoundPoint]:
        """Return the nearest points that are there, with their places alone, nearest first, equals by id."""
        for attempt in (1, 2):
            ranked = self.nearest(query, limit, condition)
            ids = [point for point, _ in ranked]
            there = payloads_of(self._engine, self._name, ids, fields=PLACE_FIELDS)
            if len(there) == len(ids) or attempt == 2:
                break
            self.forget()
        return [FoundPoint(point, score, there[point]) for point, score in ranked if point in there]

    def _passing(self, ids: list[Any], condition: models.Filter) -> set[Any]:
        from qdrant_client import models

        passed: set[Any] = set()
        for start in range(0, len(ids), PAGE):
            portion = models.Filter(must=[condition, models.HasIdCondition(has_id=ids[start : start + PAGE])])
            passed |= {record.id for record in self._scroll(portion, PAGE)}
        return passed

    # Reading

    def _codes(self) -> CodesInMemory:
        with self._lock:
            # Taken before the points are read: what is written meanwhile has a later mark, and is read next time.
            mark = revision_of(self._engine, self._name)
            if self._held is None:
                records = self._scroll(None, self._page, self._vector)
                self._held = CodesInMemory.of(records, self._vector, -(-self._bits // 8), mark)
            elif self._stale or self._held.mark != mark:
                self._held = replace(self._updated(self._held), mark=mark)
            self._stale = False
            return self._held

    def _updated(self, held: CodesInMemory) -> CodesInMemory:
        """Return the codes of the points that there are now; a point's id says what it holds, so none is read again."""
        ids = [record.id for record in self._scroll(None, PAGE)]
        kept, fresh = held.compared(ids)
        read: list[models.Record] = []
        for start in range(0, len(fresh), self._page):
            portion = fresh[start : start + self._page]
            read += self._engine.retrieve(self._name, portion, with_payload=False, with_vectors=[self._vector])
        return held.changed(kept, CodesInMemory.of(read, self._vector, held.codes.width))

    def _scroll(self, where: models.Filter | None, page: int, *vectors: str) -> Iterator[models.Record]:
        return chain.from_iterable(pages(self._engine, self._name, page, where=where, vectors=vectors))
