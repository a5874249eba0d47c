"""A copy of a collection brought in line with what was written to the collection while it was being copied."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qdrant_embed.errors import StoreError
from qdrant_embed.stock_client.payload_profiles import renamed
from qdrant_embed.store.engine import Engine
from qdrant_embed.store.points import id_in_copy
from qdrant_embed.store.scroll import pages
from qdrant_embed.types import digest

if TYPE_CHECKING:
    from qdrant_client import models

PAGE = 1024
ROUNDS = 5
"""Comparisons, the last of which must find nothing; whoever writes that often would go on doing so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionCopy:
    """A collection and its copy.

    :param old: Fingerprint of the recipe of `source`, part of its points' ids; `new` likewise.
    :param vectors: Names of the vectors that `make` needs.
    :param page: Points that may be read with their vectors at once.
    :param make: Makes points of the copy.
    :param alive: Called after each page.
    """

    engine: Engine
    source: str
    copy: str
    old: str
    new: str
    vectors: Sequence[str]
    page: int
    make: Callable[[Sequence[models.Record]], list[models.PointStruct]]
    alive: Callable[[], None]

    def catch_up(self) -> None:
        """Compare until there is no difference left, by ids and by what stands in each point.

        :raises StoreError: Something writes to the collection all the time.
        """
        for _ in range(ROUNDS):
            changed = self._write_missing()
            if self._points(self.copy) != self._points(self.source):
                changed += self._remove_gone()
            if not changed:
                return
        raise StoreError(
            f"something writes to collection {self.source!r} all the time, so that no copy can be made of it; nothing "
            "was changed. Stop what writes to it, and try again."
        )

    def _points(self, name: str) -> int:
        from qdrant_client import models

        # By a filter, though all pass: where exact counts are forbidden, only those without one are estimates.
        return self.engine.count(name, models.Filter(must=[])).count

    def _write_missing(self) -> int:
        """Write points of the collection that the copy does not hold, or holds otherwise; return how many."""
        changed = 0
        for records in self._scroll(self.source):
            wanted = [id_in_copy(record, self.old, self.new) for record in records]
            found = self.engine.retrieve(self.copy, wanted, with_payload=True)
            there = {str(record.id): _digest(record.payload or {}) for record in found}
            copied = [renamed(old.payload or {}, old.id, key) for old, key in zip(records, wanted, strict=True)]
            differing = [
                record.id
                for record, key, fields in zip(records, wanted, copied, strict=True)
                if there.get(str(key)) != _digest(fields)
            ]
            changed += len(differing)
            for start in range(0, len(differing), self.page):
                ids = differing[start : start + self.page]
                whole = self.engine.retrieve(self.source, ids, with_payload=True, with_vectors=list(self.vectors))
                if whole:
                    self.engine.upsert(self.copy, self.make(whole), wait=True)
        return changed

    def _remove_gone(self) -> int:
        """Remove points of the copy that the collection does not hold any more; return how many."""
        removed = 0
        for records in self._scroll(self.copy):
            before = {id_in_copy(record, self.new, self.old): record.id for record in records}
            found = self.engine.retrieve(self.source, list(before), with_payload=False)
            there = {str(record.id) for record in found}
            gone = [point for key, point in before.items() if str(key) not in there]
            if gone:
                self.engine.delete(self.copy, points_selector=gone)
            removed += len(gone)
        return removed

    def _scroll(self, name: str) -> Iterator[list[models.Record]]:
        for records in pages(self.engine, name, PAGE, fields=True):
            self.alive()
            yield records


def _digest(fields: Mapping[str, Any]) -> bytes:
    # As text, a number that is not one equals itself.
    return digest(json.dumps(fields, sort_keys=True, default=str).encode())
