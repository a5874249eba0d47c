"""Rankings of one query put together: fused by rank, or ranked again by the vectors of the query's tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from qdrant_embed.retrieval.lists import Lists
from qdrant_embed.retrieval.query_plan import DEPTH, QueryPlan, in_order

if TYPE_CHECKING:
    from qdrant_client import models

RRF_K = 2
"""Rank constant of reciprocal rank fusion (Cormack, Clarke and Büttcher 2009, section 2).

Qdrant's own default, not the paper's 60, which was chosen for fusing many lists: with two, a passage that one list puts
first would fall behind any that both lists hold somewhere in their first hundred.
"""


def best(lists: Lists, ranked: Sequence[QueryPlan], last: int) -> list[list[models.ScoredPoint]]:
    """Return the points of each query down to the last one wanted, or more, best first.

    A list that is alone ranks as it is. Of several, each offers the same number of hits whatever is asked for; only
    where that does not give enough, more are taken and put behind those, so that the first hits are the same for every
    k.

    :param last: How many are wanted.
    """
    found = _rankings(lists, ranked, [last if query.single else DEPTH for query in ranked])
    short = [
        place
        for place, query in enumerate(ranked)
        if query.lists and not query.single and len(found[place]) < last and last > DEPTH
    ]
    deeper = _rankings(lists, [ranked[place] for place in short], [last] * len(short))
    for place, points in zip(short, deeper, strict=True):
        found[place] = lengthened(found[place], points)
    return found


def lengthened(found: list[models.ScoredPoint], deeper: Sequence[models.ScoredPoint]) -> list[models.ScoredPoint]:
    """Return a ranking with those of a deeper one behind it that it lacks, none with a higher score than its last."""
    there = {point.id for point in found}
    lowest = found[-1].score if found else 0.0
    more = [point for point in deeper if point.id not in there]
    return [*found, *(point.model_copy(update={"score": min(point.score, lowest)}) for point in more)]


def _rankings(lists: Lists, queries: Sequence[QueryPlan], depths: Sequence[int]) -> list[list[models.ScoredPoint]]:
    """Return the points of each query, best first, of so many hits of each of its lists."""
    parts = [(part, depth) for query, depth in zip(queries, depths, strict=True) for part in query.lists]
    rankings = iter(lists.best([part for part, _ in parts], [depth for _, depth in parts]))
    found = []
    for query in queries:
        own = [next(rankings) for _ in query.lists]
        found.append(own[0] if query.single else rrf_fuse(own))
    again = [
        place for place, query in enumerate(queries) if query.tokens is not None and not query.single and found[place]
    ]
    asked = [queries[place].among([point.id for point in found[place]]) for place in again]
    for place, points in zip(again, lists.rank(asked), strict=True):
        found[place] = points
    return found


def rrf_fuse(lists: Sequence[Sequence[models.ScoredPoint]]) -> list[models.ScoredPoint]:
    """Fuse rankings, each in order, by reciprocal rank, best first; equal scores have equal ranks."""
    scores: dict[Any, float] = {}
    points: dict[Any, models.ScoredPoint] = {}
    for ranking in lists:
        rank, last = 0, None
        for place, point in enumerate(ranking):
            if point.score != last:
                rank, last = place, point.score
            scores[point.id] = scores.get(point.id, 0.0) + 1.0 / (RRF_K + rank)
            points.setdefault(point.id, point)
    return in_order(point.model_copy(update={"score": scores[key]}) for key, point in points.items())
