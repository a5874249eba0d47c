"""A collection as if it held nothing but this library's points.

Other programs can write into a collection too (LlamaIndex's `QdrantVectorStore`, a plain `client.upsert`). Such foreign
points lack what a chunk has: they are left out of what is read or removed, and counted. A copy takes them along.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from qdrant_embed.display import counted, one_line
from qdrant_embed.errors import ForeignPointsWarning, LimitError, warn_user
from qdrant_embed.store.engine import Engine
from qdrant_embed.store.engine_wrappers import R, WrappedEngine
from qdrant_embed.store.filters.grammar import both
from qdrant_embed.store.methods.ranking_request import FoundPoint, RankingRequest
from qdrant_embed.store.points import CHUNK_FIELDS, is_chunk
from qdrant_embed.store.scroll import pages
from qdrant_embed.store.tracing.traced_engine import TracedEngine

if TYPE_CHECKING:
    from qdrant_client import models

    from qdrant_embed.store.methods.client_methods import Payload, PointId, Selector

F = TypeVar("F")
Found = TypeVar("Found", bound="models.Record | FoundPoint")

PAGE = 1024
ASKED_FOR = ("document_id", "text_hash", "chunk_index", "source")
"""Fields of every chunk that have an index, by which engines tell at once how many points lack one."""


def own_points(engine: Engine) -> OwnPoints:
    """Return an engine that leaves out what other programs wrote into collections."""
    return engine if isinstance(engine, OwnPoints) else OwnPoints(TracedEngine(engine))


def whole(engine: Engine) -> Engine:
    """Return the engine with all points, where it leaves some out."""
    return engine.whole if isinstance(engine, OwnPoints) else engine


def foreign_points(engine: Engine, name: str) -> int:
    """Return how many points of a collection another program wrote."""
    return own_points(engine).foreign(name)


def left_out(engine: Engine) -> int:
    """Return how many foreign points an engine left out so far of what was read by ids."""
    return engine.left_out if isinstance(engine, OwnPoints) else 0


class OwnPoints(WrappedEngine):
    """An engine around another one, which leaves out foreign points wherever points are read or removed.

    A filter is completed by what every chunk has, which costs little but in memory. There, and without a filter, the
    engine is first asked whether there is anything to leave out. What has all fields in a wrong form shows when read.

    :ivar left_out: Foreign points that `retrieve` met so far.
    """

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.left_out = 0
        self._malformed: dict[str, set[PointId]] = {}
        self._counted: dict[str, tuple[int, int]] = {}
        self._warned: set[str] = set()
        self._scrolled: dict[str, bool] = {}
        """Whether the scroll through a whole collection that began last leaves points out."""

    def met(self, collection_name: str) -> bool:
        """Tell whether there are foreign points, and warn of the first."""
        found = self.foreign(collection_name)
        if found and collection_name not in self._warned:
            self._warned.add(collection_name)
            _warn(collection_name, found)
        return found > 0

    def foreign(self, collection_name: str) -> int:
        """Return how many points another program wrote."""
        if not self.lacks("indexes"):
            return self._count_foreign(collection_name)
        # Without indexes every point is looked at, so only where points came or went.
        points = self.whole.count_points(collection_name)
        known, found = self._counted.get(collection_name, (None, 0))
        if known != points:
            found = self._count_foreign(collection_name)
            self._counted[collection_name] = points, found
        return found

    # Points in

    def delete(self, collection_name: str, points_selector: Selector, *, wait: bool = True) -> models.UpdateResult:
        """Remove points by id, or those of this library that match a filter."""
        from qdrant_client import models

        if isinstance(points_selector, models.FilterSelector):
            points_selector = points_selector.filter
        own = points_selector
        if isinstance(points_selector, models.Filter):
            own = self._own(collection_name, points_selector)
        return self._asked(
            collection_name, own, points_selector, lambda some: self.whole.delete(collection_name, some, wait=wait)
        )

    # Points out

    def retrieve(
        self, collection_name: str, ids: Sequence[PointId], *, with_payload: Payload = True, **named: Any
    ) -> list[models.Record]:
        """Return points by their ids, foreign ones left out where payloads are read."""
        records = self.whole.retrieve(collection_name, ids, with_payload=with_payload, **named)
        return self._own_of(collection_name, records) if with_payload is True else records

    def scroll(
        self,
        collection_name: str,
        scroll_filter: models.Filter | None = None,
        *,
        offset: PointId | None = None,
        with_payload: Payload = True,
        **named: Any,
    ) -> tuple[list[models.Record], PointId | None]:
        """Return a page of points; it may be shorter than asked for, and others follow all the same.

        What is left out is decided on the first page.
        """
        where = scroll_filter
        if where is None and (offset is None or collection_name not in self._scrolled):
            self._scrolled[collection_name] = self.met(collection_name)
        if where is not None or self._scrolled[collection_name]:
            where = self._own(collection_name, where)
        named = {"offset": offset, "with_payload": with_payload, **named}
        records, following = self._asked(
            collection_name, where, scroll_filter, lambda some: self.whole.scroll(collection_name, some, **named)
        )
        asked = CHUNK_FIELDS if with_payload is True else with_payload if isinstance(with_payload, list) else ()
        kinds = [(name, CHUNK_FIELDS[name]) for name in asked if name in CHUNK_FIELDS]
        own = [
            record
            for record in records
            if all(isinstance((record.payload or {}).get(name), kind) for name, kind in kinds)
        ]
        return own, following

    def count(
        self, collection_name: str, count_filter: models.Filter | None = None, *, exact: bool = True
    ) -> models.CountResult:
        """Return the number of this library's points that match."""
        own = self._completed(collection_name, count_filter)
        return self._asked(
            collection_name, own, count_filter, lambda some: self.whole.count(collection_name, some, exact=exact)
        )

    def count_points(self, collection_name: str) -> int:
        """Return the number of this library's points."""
        met = self.met(collection_name)
        return self.count(collection_name).count if met else self.whole.count_points(collection_name)

    def facet(
        self, collection_name: str, key: str, facet_filter: models.Filter | None = None, **named: Any
    ) -> models.FacetResponse:
        """Return the values of a field with their numbers of this library's points."""
        own = self._completed(collection_name, facet_filter)
        return self._asked(
            collection_name, own, facet_filter, lambda some: self.whole.facet(collection_name, key, some, **named)
        )

    def rank(self, collection_name: str, requests: Sequence[RankingRequest]) -> list[list[FoundPoint]]:
        """Return the points of several rankings, in order."""
        # A filter is completed unasked where that costs less than to ask; hits of a stage need none. In memory every
        # condition is looked at for every point, and to ask is one count that is kept.
        unasked = not any(asked.ranks_all for asked in requests) and not self.lacks("indexes")
        known = self._malformed.get(collection_name)
        if not (unasked or known) and any(map(_shows_kind, requests)):
            # Foreign points show in what is found: only where they do, it has to be asked again without them.
            answers = self.whole.rank(collection_name, requests)
            if not any(map(_holds_foreign, requests, answers)):
                return answers
            if not self.met(collection_name):  # they have every field of a chunk, in a wrong form
                self._find_malformed(collection_name)
        own = requests
        if unasked or self.met(collection_name):
            own = [self._narrowed(collection_name, request) for request in requests]
        answers = self._asked(collection_name, own, requests, lambda some: self.whole.rank(collection_name, some))
        return [
            self._own_of(collection_name, answer) if request.fields is True else answer
            for request, answer in zip(requests, answers, strict=True)
        ]

    def payloads(
        self, collection_name: str, ids: Sequence[PointId], *, fields: bool | Sequence[str] = True
    ) -> dict[PointId, dict[str, Any]]:
        """Return payloads of points by their ids, foreign ones left out where they are read whole."""
        found = self.whole.payloads(collection_name, ids, fields=fields)
        if fields is True:
            own = self._own_of(collection_name, [FoundPoint(key, 0.0, payload) for key, payload in found.items()])
            found = {point.id: point.payload or {} for point in own}
        return found

    def _asked(self, name: str, own: F, given: F, ask: Callable[[F], R]) -> R:
        """Ask for this library's points, and for all where a server's filters hold no more and there are no others."""
        try:
            return ask(own)
        except LimitError as error:
            if error.limit != "filter_max_conditions" or self.met(name):
                raise
        return ask(given)

    def _own_of(self, name: str, records: list[Found]) -> list[Found]:
        """Return the records, read with their whole payloads, that are chunks of this library's."""
        own = [record for record in records if is_chunk(record.payload or {})]
        if len(own) < len(records):
            self.left_out += len(records) - len(own)
            self._counted.pop(name, None)
            foreign = [record.payload or {} for record in records if not is_chunk(record.payload or {})]
            # Complete: what an engine takes for a chunk.
            if any(all(payload.get(field) not in (None, []) for field in ASKED_FOR) for payload in foreign):
                self._find_malformed(name)
        return own

    def _narrowed(self, name: str, asked: RankingRequest) -> RankingRequest:
        """Return a ranking, and that before it, of nothing but this library's points."""
        first = None if asked.first is None else self._narrowed(name, asked.first)
        return replace(asked, first=first, where=both(asked.where, self._own(name)))

    def _completed(self, name: str, where: models.Filter | None) -> models.Filter | None:
        return self._own(name, where) if where is not None or self.met(name) else None

    def _own(self, name: str, where: models.Filter | None = None) -> models.Filter:
        """Return the condition of being a chunk of this library's, after another one."""
        from qdrant_client import models

        from qdrant_embed.store.methods.client_requests import lacking

        chunks = models.Filter(must_not=lacking(ASKED_FOR, self._malformed_ids(name)).should)
        return both(where, chunks) or chunks

    def _malformed_ids(self, name: str) -> tuple[PointId, ...]:
        return tuple(sorted(self._malformed.get(name, ()), key=str))

    def _count_foreign(self, name: str) -> int:
        return self.whole.count_lacking(name, ASKED_FOR, self._malformed_ids(name))

    def _find_malformed(self, name: str) -> None:
        """Look at every point for those that have a chunk's fields, but not in their form."""
        # Without those that were found before: one of them may be a chunk by now.
        self._malformed.pop(name, None)
        complete = self._own(name)
        found: set[PointId] = set()
        for records in pages(self.whole, name, PAGE, where=complete, fields=list(CHUNK_FIELDS)):
            found |= {record.id for record in records if not is_chunk(record.payload or {})}
        self._malformed[name] = found


def _shows_kind(asked: RankingRequest) -> bool:
    """Tell whether what a ranking finds comes with enough of its payload to tell whose it is."""
    return asked.fields is True or (isinstance(asked.fields, tuple) and "document_id" in asked.fields)


def _holds_foreign(asked: RankingRequest, answer: Sequence[FoundPoint]) -> bool:
    """Tell whether a ranking found points that another program wrote."""
    if asked.fields is True:
        return not all(is_chunk(point.payload or {}) for point in answer)
    if not isinstance(asked.fields, tuple) or not _shows_kind(asked):
        return False
    shown = [(name, CHUNK_FIELDS[name]) for name in asked.fields if name in CHUNK_FIELDS]
    return not all(isinstance((point.payload or {}).get(name), kind) for point in answer for name, kind in shown)


def _warn(name: str, found: int) -> None:
    were = "was" if found == 1 else "were"
    warn_user(
        f"collection {one_line(name)!r} holds {counted(found, 'point')} that {were} written by another program, "
        "without the fields of a chunk; they are left out. Ingest what they hold as documents to have it searched.",
        ForeignPointsWarning,
    )
