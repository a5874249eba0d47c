"""Queries within a server's limits: long rankings in pages, their stages one after the other, batches in portions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qdrant_embed.store.client.filter_portions import among, conditions, ids_wanted, portions
from qdrant_embed.store.client.limits import Limits, in_parts, least
from qdrant_embed.store.client.paged_query import DEFAULT_LIMIT, PagedQuery
from qdrant_embed.types import as_list

if TYPE_CHECKING:
    from qdrant_client import models
    from qdrant_client.http.models import QueryResponse

    Ask = Callable[[Sequence[models.QueryRequest]], Sequence[QueryResponse]]
    Tell = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class LimitedQueries:
    """Asks a server for rankings within the limits of a collection.

    :param ask: Sends queries that are within the limits.
    :param tell: Given a limit and what it changes, where hits may be lost by it.
    """

    limits: Limits
    ask: Ask
    tell: Tell

    def answers(self, requests: Sequence[models.QueryRequest]) -> list[QueryResponse]:
        """Return the answers to queries, whatever their limits."""
        from qdrant_client.http.models import QueryResponse

        asked = [self._capped(request, deep=_by_vector(request.query)) for request in requests]
        stages = {place: stage for place, request in enumerate(asked) if (stage := self._deep_stage(request))}
        first = self._ranked([(stage, self._apart(stage)) for stage in stages.values()])
        found = {place: [point.id for point in points] for place, points in zip(stages, first, strict=True)}
        apart = [
            self._among(request, found[place]) if place in found else self._apart(request)
            for place, request in enumerate(asked)
        ]
        return [QueryResponse(points=points) for points in self._ranked(list(zip(asked, apart, strict=True)))]

    def _capped(self, asked: Any, *, deep: bool = False) -> Any:
        """Return a query, or a stage of one, that looks no deeper than is allowed.

        :param deep: Leave a stage as it is that can be asked for before.
        """
        changes: dict[str, Any] = {}
        if asked.params is not None:
            changes["params"] = self._params(asked.params)
        if stages := as_list(asked.prefetch):
            deep = deep and len(stages) == 1 and not stages[0].prefetch
            changes["prefetch"] = [self._stage(self._capped(stage), deep=deep) for stage in stages]
        return asked.model_copy(update=changes)

    def _stage(self, stage: models.Prefetch, *, deep: bool) -> models.Prefetch:
        parts = portions(stage.filter, self.limits)
        wanted = stage.limit or DEFAULT_LIMIT
        changes: dict[str, Any] = {"filter": parts[0] if len(parts) == 1 else stage.filter}
        most = least(wanted, self.limits.max_query_limit)
        if most < wanted and not deep:
            self.tell("max_query_limit", f"each stage of a search brings {most} candidates instead of {wanted}")
            changes["limit"] = most
        return stage.model_copy(update=changes)

    def _params(self, params: models.SearchParams) -> models.SearchParams:
        changes: dict[str, Any] = {}
        if params.exact and not self.limits.search_allow_exact:
            self.tell("search_allow_exact", "vectors are not compared one by one, but searched by the graph")
            changes["exact"] = False
        if params.hnsw_ef and (ef := least(params.hnsw_ef, self.limits.search_max_hnsw_ef)) < params.hnsw_ef:
            self.tell("search_max_hnsw_ef", f"searches keep {ef} candidates in the graph instead of {params.hnsw_ef}")
            changes["hnsw_ef"] = ef
        codes = params.quantization
        if codes is not None and codes.oversampling:
            most = least(codes.oversampling, self.limits.search_max_oversampling)
            if most < codes.oversampling:
                told = f"searches by codes rescore {most:g} times the hits instead of {codes.oversampling:g} times"
                self.tell("search_max_oversampling", told)
                changes["quantization"] = codes.model_copy(update={"oversampling": most})
        return params.model_copy(update=changes)

    def _deep_stage(self, request: models.QueryRequest) -> models.QueryRequest | None:
        """Return the one stage before a query as a query of its own, where it is too long to be a stage."""
        from qdrant_client import models

        stages = request.prefetch if isinstance(request.prefetch, list) else []
        if len(stages) != 1 or stages[0].prefetch or not _by_vector(request.query):
            return None
        (stage,) = stages
        wanted = stage.limit or DEFAULT_LIMIT
        if wanted <= least(wanted, self.limits.max_query_limit):
            return None
        return models.QueryRequest.model_construct(
            query=stage.query,
            using=stage.using,
            filter=stage.filter,
            params=stage.params,
            score_threshold=stage.score_threshold,
            limit=wanted,
            with_payload=False,
        )

    def _apart(self, request: models.QueryRequest) -> list[models.QueryRequest]:
        """Return queries whose hits, taken together, are those of one."""
        ids = ids_wanted(request.filter)
        if ids and not self.limits.search_allow_exact and not request.prefetch and _by_vector(request.query):
            return self._among(request, ids)
        parts = portions(request.filter, self.limits)
        size = {} if len(parts) == 1 else {"limit": _end(request), "offset": None}
        return [request.model_copy(update={"filter": part, **size}) for part in parts]

    def _among(self, request: models.QueryRequest, ids: Sequence[Any]) -> list[models.QueryRequest]:
        """Return queries that rank points that are known.

        As a stage, since a vector without a graph may rank what a stage found even where exact searches are forbidden.
        """
        from qdrant_client import models

        size = least(len(ids), self.limits.max_query_limit, self.limits.condition_max_size) if ids else 1
        apart: list[models.QueryRequest] = []
        for part in in_parts(ids, size):
            chosen = models.Filter(must=[models.HasIdCondition(has_id=list(part))])
            stages = [models.Prefetch(filter=chosen, limit=len(part))]
            changes = {"prefetch": stages, "limit": min(_end(request), len(part)), "offset": None}
            filters = portions(among(request.filter, part), self.limits)
            apart += [request.model_copy(update={"filter": where, **changes}) for where in filters]
        return apart

    def _ranked(
        self, apart: Sequence[tuple[models.QueryRequest, Sequence[models.QueryRequest]]]
    ) -> list[list[models.ScoredPoint]]:
        """Return the hits of queries, each with those that it was taken apart into."""
        readings = [[PagedQuery(part) for part in parts] for _, parts in apart]
        while True:
            pages = [
                (reading, page)
                for together in readings
                for reading in together
                for page in reading.following(self.limits)
            ]
            if not pages:
                return [_merged(whole, together) for (whole, _), together in zip(apart, readings, strict=True)]
            answers = self._asked([page for _, page in pages])
            for (reading, page), answer in zip(pages, answers, strict=True):
                reading.add(answer.points, page.limit or DEFAULT_LIMIT)

    def _asked(self, pages: Sequence[models.QueryRequest]) -> Iterator[QueryResponse]:
        waiting: list[models.QueryRequest] = []
        most = least(len(pages), self.limits.search_max_batchsize)
        for page in pages:
            costs = sum(map(cost, [*waiting, page]))
            if waiting and (len(waiting) >= most or costs > least(costs, self.limits.read_rate_limit)):
                yield from self.ask(waiting)
                waiting = []
            waiting.append(page)
        yield from self.ask(waiting)


def cost(asked: Any, outer: int = 0) -> int:
    """Return what a query costs of the read limit: each search 1, and 1 more for each condition that it obeys."""
    own = outer + conditions(asked.filter)
    if not asked.prefetch:
        return 1 + own
    return sum(cost(stage, own) for stage in as_list(asked.prefetch))


def as_request(query: Any, **named: Any) -> models.QueryRequest:
    """Return the arguments of `query_points` as they stand in a batch."""
    from qdrant_client import models

    given = {_IN_A_BATCH.get(name, name): value for name, value in named.items()}
    return models.QueryRequest.model_construct(query=query, **{"with_payload": True, **given})


def as_arguments(request: models.QueryRequest) -> dict[str, Any]:
    """Return a query of a batch as the arguments of `query_points`."""
    alone = {field: name for name, field in _IN_A_BATCH.items()}
    given = {alone.get(field, field): getattr(request, field) for field in request.model_fields_set}
    return {name: value for name, value in given.items() if value is not None}


_IN_A_BATCH = {"query_filter": "filter", "search_params": "params", "with_vectors": "with_vector"}
"""What is called otherwise there."""


def _by_vector(query: Any) -> bool:
    from qdrant_client import models

    others = (models.FusionQuery, models.RrfQuery, models.FormulaQuery, models.OrderByQuery, models.SampleQuery)
    return query is not None and not isinstance(query, others)


def _merged(request: models.QueryRequest, readings: Sequence[PagedQuery]) -> list[models.ScoredPoint]:
    """Return the hits of a query that was taken apart, each once, in order, as many as are wanted."""
    found: dict[Any, models.ScoredPoint] = {}
    for reading in readings:
        found |= {id_: point for id_, point in reading.found.items() if id_ not in found}
    points = list(found.values())
    if len(readings) > 1 or any(reading.repeated for reading in readings):
        # Of distances, the smallest come first.
        rising = any(reading.rising for reading in readings)
        points.sort(key=lambda point: point.score if rising else -point.score)
    left_out = all(reading.request.offset == request.offset for reading in readings)
    return points[0 if left_out else request.offset or 0 :][: request.limit or DEFAULT_LIMIT]


def _end(request: models.QueryRequest) -> int:
    return (request.offset or 0) + (request.limit or DEFAULT_LIMIT)
