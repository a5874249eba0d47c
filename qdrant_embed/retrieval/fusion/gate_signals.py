"""The lists of several questions, and what their gates and their feedback go by, asked for in one request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from qdrant_embed.retrieval.fusion.feedback import read_vectors, vector_requests
from qdrant_embed.retrieval.fusion.word_signals import (
    WordSignals,
    counted_words,
    is_counted,
    read_words,
    word_requests,
)
from qdrant_embed.retrieval.lists import Lists
from qdrant_embed.retrieval.query_plan import QueryPlan
from qdrant_embed.store.methods.ranking_request import FoundPoint
from qdrant_embed.types import FloatArray

Rankings: TypeAlias = list[list[FoundPoint]]


@dataclass(frozen=True, slots=True)
class GateSignals:
    """What is known of a question beside its lists.

    :param words: What its words say.
    :param vectors: By id, the model's dense vectors (dim,) of first hits of its lists.
    """

    words: WordSignals
    vectors: dict[Any, FloatArray]


def ask_with_signals(
    lists: Lists, queries: Sequence[QueryPlan], depths: Sequence[int]
) -> tuple[list[Rankings], dict[int, GateSignals]]:
    """Return the rankings of each query's lists, and the signals of those whose scores are fused, by their place."""
    parts = [(part, depth) for query, depth in zip(queries, depths, strict=True) for part in query.lists]
    fused = {place: query for place, query in enumerate(queries) if query.fused}
    counted = [place for place, query in fused.items() if is_counted(lists.engine, query)]
    words = dict(
        zip(counted, counted_words(lists.engine, lists.name, [fused[place] for place in counted]), strict=True)
    )
    others = []
    for place, query in fused.items():
        if query.terms is not None and place not in words:
            others += word_requests(query.terms, query.condition)
        others += vector_requests(query)
    rankings, answers = lists.best_with([part for part, _ in parts], [depth for _, depth in parts], others)
    ranking, answer = iter(rankings), iter(answers)
    signals = {}
    for place, query in fused.items():
        if query.terms is not None and place not in words:
            words[place] = read_words(query.terms, answer)
        signals[place] = GateSignals(words.get(place, WordSignals()), read_vectors(query, answer))
    return [[next(ranking) for _ in query.lists] for query in queries], signals
