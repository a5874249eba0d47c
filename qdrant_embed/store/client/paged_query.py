"""One ranking, read page by page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from qdrant_embed.store.client.filter_portions import conditions, portions
from qdrant_embed.store.client.limits import Limits, least

if TYPE_CHECKING:
    from qdrant_client import models

PAGES_AT_ONCE = 16
"""Pages of a ranking that are asked for together, before it is known whether it is that long."""
DEFAULT_LIMIT = 10
"""Of a query that names none."""


@dataclass(slots=True)
class PagedQuery:
    """A query whose hits come in pages.

    A server puts equal scores into another order with each page, so that one of them may stand in two pages, and
    another in none. As many as came twice are asked for once more, without those that are there.

    :ivar found: Hits by their ids, best first, but for those that were asked for at last.
    :ivar read: Hits that were asked for.
    :ivar repeated: Hits that came again.
    """

    request: models.QueryRequest
    found: dict[Any, models.ScoredPoint] = field(default_factory=dict)
    read: int = 0
    repeated: int = 0
    _short: bool = False
    _missing: int | None = None

    @property
    def wanted(self) -> int:
        """How many hits are wanted."""
        return self.request.limit or DEFAULT_LIMIT

    @property
    def rising(self) -> bool:
        """Whether scores rise, as distances do."""
        points = list(self.found.values())
        return bool(points) and points[0].score < max(point.score for point in points)

    def following(self, limits: Limits) -> Iterator[models.QueryRequest]:
        """Yield the pages to ask for next; none once there is nothing more."""
        if self._short or self.read >= self.wanted:
            self._missing = self.repeated if self._missing is None else self._missing
            yield from self._without_those_found(self._missing, limits) if self._missing else ()
            return
        start = self.read
        for _ in range(PAGES_AT_ONCE):
            size = least(self.wanted - start, limits.max_query_limit) if start < self.wanted else 0
            if not size:
                return
            yield self._page(start, size, limits)
            start += size

    def add(self, points: Sequence[models.ScoredPoint], asked: int) -> None:
        """Take the hits of a page."""
        before = len(self.found)
        for point in points:
            self.found.setdefault(point.id, point)
        new = len(self.found) - before
        if self._missing is not None:
            self._missing = self._missing - new if new else 0
            return
        self.read += asked
        self.repeated += len(points) - new
        self._short = self._short or len(points) < asked

    def _page(self, start: int, size: int, limits: Limits) -> models.QueryRequest:
        request = self.request
        if size == self.wanted:
            return request
        changes: dict[str, Any] = {"offset": (request.offset or 0) + start, "limit": size}
        codes = request.params.quantization if request.params is not None else None
        if request.params is not None and codes is not None and codes.oversampling:
            # Every page is cut from as many rescored points: pages of several rankings would not fit together.
            deeper = codes.oversampling * self.wanted / (start + size)
            rescored = codes.model_copy(update={"oversampling": least(deeper, limits.search_max_oversampling)})
            changes["params"] = request.params.model_copy(update={"quantization": rescored})
        return request.model_copy(update=changes)

    def _without_those_found(self, missing: int, limits: Limits) -> Iterator[models.QueryRequest]:
        from qdrant_client import models

        others = models.Filter(must_not=[models.HasIdCondition(has_id=list(self.found))])
        whole = others if self.request.filter is None else models.Filter(must=[self.request.filter, others])
        (where, *more) = portions(whole, limits)
        most = conditions(where) if limits.filter_max_conditions is None else limits.filter_max_conditions
        if not more and conditions(where) <= most:
            size = least(missing, limits.max_query_limit)
            yield self.request.model_copy(update={"filter": where, "limit": size})
