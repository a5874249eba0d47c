"""A server as an engine that obeys the limits of each collection: nothing is asked that its strict mode refuses.

Limits are read with a collection, and again where a refusal shows that they are others by now. What one request may not
have is asked for in several; the answers are those of one. Where hits may be lost by a limit, that is told once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from qdrant_embed.errors import LimitWarning, warn_user
from qdrant_embed.store.client.collected import by_ids, one_page, tally
from qdrant_embed.store.client.filter_portions import portions
from qdrant_embed.store.client.limited_engine import LimitedEngine
from qdrant_embed.store.client.limits import Limits, least
from qdrant_embed.store.client.query_pages import LimitedQueries, as_arguments, as_request

if TYPE_CHECKING:
    from qdrant_client import models
    from qdrant_client.http.models import QueryResponse

    from qdrant_embed.store.methods.client_methods import Payload, PointId, Vectors


class ServerEngine(LimitedEngine):
    """The engine of a server, which reads within the limits of its collections, too."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._told: set[tuple[str, str]] = set()

    def retrieve(
        self,
        collection_name: str,
        ids: Sequence[PointId],
        *,
        with_payload: Payload = True,
        with_vectors: Vectors = False,
    ) -> list[models.Record]:
        """Return the points with these ids."""
        from qdrant_client import models

        retrieve = super().retrieve
        asked: dict[str, Any] = {"with_payload": with_payload, "with_vectors": with_vectors}

        def read(limits: Limits) -> list[models.Record]:
            if limits.read_rate_limit is None or not ids:
                return retrieve(collection_name, ids, **asked)
            # A page costs as much as two points fetched by their ids.
            named = models.Filter(must=[models.HasIdCondition(has_id=list(ids))])
            return by_ids(self.records(collection_name, named, size=len(ids), **asked), ids)

        return self.obeying(collection_name, read)

    def scroll(
        self,
        collection_name: str,
        scroll_filter: models.Filter | None = None,
        *,
        limit: int = 10,
        order_by: str | models.OrderBy | None = None,
        offset: PointId | None = None,
        with_payload: Payload = True,
        with_vectors: Vectors = False,
    ) -> tuple[list[models.Record], PointId | None]:
        """Return a page of points, no longer than the server allows, and the offset of the next page."""
        scroll = super().scroll
        asked: dict[str, Any] = {"offset": offset, "with_payload": with_payload, "with_vectors": with_vectors}

        def read(limits: Limits) -> tuple[list[models.Record], PointId | None]:
            if order_by is not None:  # no page follows such a one, so it cannot be a smaller one
                return scroll(collection_name, scroll_filter, limit=limit, order_by=order_by, **asked)
            parts, size = portions(scroll_filter, limits), least(limit, limits.max_query_limit)
            found: list[models.Record] = []
            while len(found) < limit:
                asked["limit"] = min(size, limit - len(found))
                page = [scroll(collection_name, part, **asked) for part in parts]
                records, asked["offset"] = one_page(page, asked["limit"])
                found += records
                if asked["offset"] is None:
                    break
            return found, asked["offset"]

        return self.obeying(collection_name, read)

    def count(
        self, collection_name: str, count_filter: models.Filter | None = None, *, exact: bool = True
    ) -> models.CountResult:
        """Return the number of points that match.

        Where exact counts are forbidden, points that match a filter are counted here, and all points by the server's
        estimate, which counts twice what it is just moving.
        """
        from qdrant_client import models

        count = super().count

        def counted(limits: Limits) -> models.CountResult:
            allowed = exact and limits.search_allow_exact
            parts = portions(count_filter, limits)
            if len(parts) == 1 and (allowed or not exact or count_filter is None):
                return count(collection_name, parts[0], exact=allowed)
            found = self.records(collection_name, count_filter, with_payload=False)
            return models.CountResult(count=sum(1 for _ in found))

        return self.obeying(collection_name, counted)

    def facet(
        self,
        collection_name: str,
        key: str,
        facet_filter: models.Filter | None = None,
        *,
        limit: int = 10,
        exact: bool = False,
    ) -> models.FacetResponse:
        """Return the values of a payload field with their numbers of points, most frequent first."""
        facet = super().facet

        def faceted(limits: Limits) -> models.FacetResponse:
            parts, most = portions(facet_filter, limits), least(limit, limits.max_query_limit)
            left_out = limits.max_payload_index_count is not None and key not in limits.indexed
            if len(parts) == 1 and not left_out and (limits.search_allow_exact or not exact):
                found = facet(collection_name, key, parts[0], limit=most, exact=exact)
                if most == limit or len(found.hits) < most:
                    return found
            return tally(self.records(collection_name, facet_filter, with_payload=[key]), key, limit)

        return self.obeying(collection_name, faceted)

    def query_points(self, collection_name: str, query: Any = None, **named: Any) -> QueryResponse:
        """Return the best points."""
        ask = super().query_points
        if not self.limits(collection_name).any:
            return ask(collection_name, query, **named)
        return self._ranked(
            collection_name,
            [as_request(query, **named)],
            lambda some: [ask(collection_name, **as_arguments(one)) for one in some],
        )[0]

    def query_batch_points(self, collection_name: str, requests: Sequence[models.QueryRequest]) -> list[QueryResponse]:
        """Return the answers to several queries, in order."""
        ask = super().query_batch_points
        return self._ranked(collection_name, requests, lambda some: ask(collection_name, requests=list(some)))

    def _ranked(
        self,
        name: str,
        requests: Sequence[models.QueryRequest],
        ask: Callable[[Sequence[models.QueryRequest]], list[QueryResponse]],
    ) -> list[QueryResponse]:
        def tell(limit: str, what: str) -> None:
            called = self.called.get(name, name)
            if (called, limit) not in self._told:
                self._told.add((called, limit))
                value = getattr(self.limits(name), limit)
                said = f"collection {called!r}: {what}, since its strict mode has {limit}={value}"
                warn_user(f"{said}; hits may be missed. Have the limit raised, or take what comes.", LimitWarning)

        def answered(limits: Limits) -> list[QueryResponse]:
            return LimitedQueries(limits, ask, tell).answers(requests) if limits.any else ask(requests)

        return self.obeying(name, answered)
