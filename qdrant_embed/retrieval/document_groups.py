"""The best passage of each document, instead of several passages of one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from qdrant_embed.retrieval.fusion.fused_ranking import DEEPER, RankedPoints, best
from qdrant_embed.retrieval.lists import Lists
from qdrant_embed.retrieval.query_plan import DEPTH, QueryPlan
from qdrant_embed.store.methods.ranking_request import FoundPoint
from qdrant_embed.store.scroll import payloads_of


def best_of_documents(lists: Lists, ranked: Sequence[QueryPlan], last: int, least: float) -> list[RankedPoints]:
    """Return one point of each document for each query, best first: so many that `last` documents are there, or all.

    Candidates are asked for in rounds of fixed depths, and those of a later round stand behind those of the ones
    before, so that the first documents are the same for every `last`.

    :param last: How many documents are wanted.
    :param least: The score below which nothing is wanted.
    """
    found: list[RankedPoints] = [RankedPoints([]) for _ in ranked]
    documents: dict[Any, str] = {}
    waiting, depth = list(range(len(ranked))), DEPTH
    while waiting:
        answers = best(lists, [ranked[place] for place in waiting], depth)
        for place, answer in zip(waiting, answers, strict=True):
            found[place] = found[place].lengthened(answer) if found[place].points else answer
        ranked_now = [point for place in waiting for point in found[place].points]
        told = ((point.id, (point.payload or {}).get("document_id")) for point in ranked_now)
        documents |= {key: document for key, document in told if document is not None}
        unknown = {point.id for point in ranked_now} - documents.keys()
        payloads = payloads_of(lists.engine, lists.name, unknown, fields=["document_id"])
        documents |= {key: fields["document_id"] for key, fields in payloads.items() if "document_id" in fields}
        waiting = [
            place
            for place, points in zip(waiting, (answer.points for answer in answers), strict=True)
            if len(points) >= depth and points[-1].score >= least and len(_first(found[place].points, documents)) < last
        ]
        depth *= DEEPER
    return [replace(one, points=_first(one.points, documents)) for one in found]


def _first(points: Iterable[FoundPoint], documents: dict[Any, str]) -> list[FoundPoint]:
    """Return the first point of each document."""
    firsts: dict[str, FoundPoint] = {}
    for point in points:
        if point.id in documents:
            firsts.setdefault(documents[point.id], point)
    return list(firsts.values())
