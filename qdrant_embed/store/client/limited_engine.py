"""What is known of the limits of a server's collections, and points written within them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from qdrant_embed.errors import LimitError
from qdrant_embed.store.client.engine import ClientEngine
from qdrant_embed.store.client.filter_portions import portions
from qdrant_embed.store.client.limits import Limits, in_parts, least
from qdrant_embed.store.client.portions import completed
from qdrant_embed.types import Json

if TYPE_CHECKING:
    from qdrant_client import models

    from qdrant_embed.store.methods.client_methods import PointId, Selector

T = TypeVar("T")

PAGE = 1024
"""Points that are read at once, to count them or to change them by their ids."""

_CHANGING = frozenset({"create_collection", "delete_collection", "create_payload_index", "update_collection_aliases"})
"""Methods after which a name may have other limits."""


class LimitedEngine(ClientEngine):
    """An engine whose collections may have limits; it writes within them.

    Limits are read with a collection, and again where a refusal shows that they are others by now.

    :ivar called: What users call a collection that has a name of its own.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._limits: dict[str, Limits] = {}
        self.called: dict[str, str] = {}

    def limits(self, collection_name: str) -> Limits:
        """Return what may be asked of a collection."""
        found = self._limits.get(collection_name)
        return Limits.of(self.get_collection(collection_name)) if found is None else found

    def request(self, method: str, *arguments: Any, **named: Any) -> Any:
        """Call a method of the client, and note what it says of limits.

        :raises LimitError: A limit forbids what was asked.
        :raises StoreError: It failed for good.
        """
        found = super().request(method, *arguments, **named)
        if method == "get_collection":
            self._limits[named.get("collection_name") or arguments[0]] = Limits.of(found)
        elif method in _CHANGING:
            self._limits.clear()
        return found

    def note_collection(self, collection_name: str, info: models.CollectionInfo, called: str) -> bool:
        """Take the limits of a collection from what was said of it by another of its names."""
        self._limits[collection_name] = Limits.of(info)
        self.called[collection_name] = called
        return True

    # Points in

    def points_at_once(self, collection_name: str, points: Sequence[models.PointStruct]) -> int:
        """Return how many of these points one request may hold."""
        limits = self.limits(collection_name)
        most = super().points_at_once(collection_name, points)
        return least(most, limits.upsert_max_batchsize, _share(limits.write_rate_limit))

    def upsert(
        self, collection_name: str, points: Sequence[models.PointStruct], *, wait: bool = True
    ) -> models.UpdateResult:
        """Write points, in portions that the server takes."""
        write = super().upsert
        return self.obeying(collection_name, lambda _: write(collection_name, points, wait=wait))

    def delete(self, collection_name: str, points_selector: Selector, *, wait: bool = True) -> models.UpdateResult:
        """Remove points by id or filter."""
        delete = super().delete
        return self._change(collection_name, points_selector, lambda some: delete(collection_name, some, wait=wait))

    def set_payload(
        self, collection_name: str, payload: dict[str, Json], points: Selector, *, wait: bool = True
    ) -> models.UpdateResult:
        """Set some payload fields of points and leave the others."""
        change = super().set_payload
        return self._change(collection_name, points, lambda some: change(collection_name, payload, some, wait=wait))

    def obeying(self, name: str, ask: Callable[[Limits], T]) -> T:
        """Do what is asked within the limits that are known, and again where they turn out to be others."""
        known = self.limits(name)
        try:
            return ask(known)
        except LimitError:
            now = Limits.of(self.get_collection(name))
            if now == known:
                raise
        return ask(now)

    def records(
        self, name: str, where: models.Filter | None, *, size: int = PAGE, **asked: Any
    ) -> Iterator[models.Record]:
        """Yield the points that match."""
        offset: PointId | None = None
        while True:
            records, offset = self.scroll(name, where, limit=min(size, PAGE), offset=offset, **asked)
            yield from records
            if offset is None:
                return

    def _change(
        self, name: str, selector: Selector, change: Callable[[Selector], models.UpdateResult]
    ) -> models.UpdateResult:
        """Change points, in portions of a part of what may be written in a minute."""
        from qdrant_client import models

        if isinstance(selector, models.FilterSelector):
            selector = selector.filter
        chosen = selector.points if isinstance(selector, models.PointIdsList) else selector

        def by_id(ids: Sequence[PointId], limits: Limits) -> models.UpdateResult:
            parts = in_parts(ids, _share(limits.write_rate_limit))
            return [completed(), *(change(models.PointIdsList(points=list(part))) for part in parts)][-1]

        def changed(limits: Limits) -> models.UpdateResult:
            if not isinstance(chosen, models.Filter):
                return by_id(chosen, limits)
            done = completed()
            for part in portions(chosen, limits):
                try:
                    done = change(models.FilterSelector(filter=part or chosen))
                except LimitError as error:
                    if error.limit != "write_rate_limit":
                        raise
                    done = by_id([record.id for record in self.records(name, part, with_payload=False)], limits)
            return done

        return self.obeying(name, changed)


def _share(rate: int | None) -> int | None:
    """Return how many points of those that a minute allows go into one request: others write, too."""
    return None if rate is None else max(1, rate // 4)
