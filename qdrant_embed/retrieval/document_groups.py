"""The best passage of each document, instead of several passages of one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from qdrant_embed.retrieval.fusion import best, lengthened
from qdrant_embed.retrieval.lists import Lists
from qdrant_embed.retrieval.query_plan import DEPTH, QueryPlan

if TYPE_CHECKING:
    from qdrant_client import models

GROWTH = 8
"""How many times more candidates are asked for where the last ones were of too few documents."""
PAGE = 1024


def best_of_documents(
    lists: Lists, ranked: Sequence[QueryPlan], last: int, least: float
) -> list[list[models.ScoredPoint]]:
    """Return one point of each document for each query, best first: so many that `last` documents are there, or all.

    Candidates are asked for in rounds of fixed depths, and those of a later round stand behind those of the ones
    before, so that the first documents are the same for every `last`.

    :param last: How many documents are wanted.
    :param least: The score below which nothing is wanted.
    """
    found: list[list[models.ScoredPoint]] = [[] for _ in ranked]
    documents: dict[Any, str] = {}
    waiting, depth = list(range(len(ranked))), DEPTH
    while waiting:
        answers = best(lists, [ranked[place] for place in waiting], depth)
        for place, points in zip(waiting, answers, strict=True):
            found[place] = lengthened(found[place], points) if found[place] else points
        asked = {point.id for place in waiting for point in found[place]} - documents.keys()
        documents |= _documents_of(lists, asked)
        waiting = [
            place
            for place, points in zip(waiting, answers, strict=True)
            if len(points) >= depth and points[-1].score >= least and len(_first(found[place], documents)) < last
        ]
        depth *= GROWTH
    return [_first(points, documents) for points in found]


def _first(points: Iterable[models.ScoredPoint], documents: dict[Any, str]) -> list[models.ScoredPoint]:
    """Return the first point of each document."""
    firsts: dict[str, models.ScoredPoint] = {}
    for point in points:
        if point.id in documents:
            firsts.setdefault(documents[point.id], point)
    return list(firsts.values())


def _documents_of(lists: Lists, ids: Iterable[Any]) -> dict[Any, str]:
    """Return the document of each point; those of points that are gone, or are no chunks, are left out."""
    listed = sorted(ids, key=str)
    found: dict[Any, str] = {}
    for start in range(0, len(listed), PAGE):
        page = listed[start : start + PAGE]
        for record in lists.engine.retrieve(lists.name, page, with_payload=["document_id"], with_vectors=False):
            document = (record.payload or {}).get("document_id")
            if isinstance(document, str):
                found[record.id] = document
    return found
