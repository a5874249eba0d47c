"""Rankings of one query put together: fused by rank, or ranked again by the vectors of the query's tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from qdrant_embed.retrieval.lists import Lists
from qdrant_embed.retrieval.ranked import DEPTH, Ranked, in_order

if TYPE_CHECKING:
    from qdrant_client import models

RRF_K = 2
"""Rank constant of reciprocal rank fusion (Cormack, Clarke and Büttcher 2009, section 2).

Qdrant's own default, not the paper's 60, which was chosen for fusing many lists: with two, a passage that one list puts
first would fall behind any that both lists hold somewhere in their first hundred.
"""


def best(lists: Lists, ranked: Sequence[Ranked], last: int) -> list[list[models.ScoredPoint]]:
    """Return the points of each query down to the last one wanted, or more, best first.

    A list that is alone ranks as it is. Of several, each offers the same number of hits whatever is asked for; only
    where that does not give enough, more are taken and put behind those, so that the first hits are the same for every
    k.

    :param last: How many are wanted.
    """
    alone = [part for part in ranked if part.single]
    several = [part for part in ranked if not part.single]
    answers = dict(zip(map(id, alone), lists.best([part.lists[0] for part in alone], last), strict=True))
    answers |= dict(zip(map(id, several), _fused(lists, several, DEPTH), strict=True))
    for part in several:
        if part.lists and len(answers[id(part)]) < last and last > DEPTH:
            answers[id(part)] = _lengthened(lists, part, answers[id(part)], last)
    return [answers[id(part)] for part in ranked]


def _lengthened(lists: Lists, ranked: Ranked, found: list[models.ScoredPoint], last: int) -> list[models.ScoredPoint]:
    there = {point.id for point in found}
    lowest = found[-1].score if found else 0.0
    more = [point for point in _fused(lists, [ranked], last)[0] if point.id not in there]
    return [*found, *(point.model_copy(update={"score": min(point.score, lowest)}) for point in more)]


def _fused(lists: Lists, ranked: Sequence[Ranked], depth: int) -> list[list[models.ScoredPoint]]:
    rankings = iter(lists.best([part for query in ranked for part in query.lists], depth))
    found = []
    for query in ranked:
        points = fused([next(rankings) for _ in query.lists])
        again = query.tokens is not None and points
        found.append(lists.rank(query.among([point.id for point in points])) if again else points)
    return found


def fused(lists: Sequence[Sequence[models.ScoredPoint]]) -> list[models.ScoredPoint]:
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
