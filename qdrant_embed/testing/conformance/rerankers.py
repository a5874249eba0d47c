"""What every reranker keeps to.

    from qdrant_embed import Collection
    from qdrant_embed.testing import check_reranker

    def test_my_reranker(collection):
        check_reranker(collection.parts.reranker("my-reranker"), "a question", collection.search("a question", k=8))

Plain functions that assert; `check_reranker` calls them all. The hits must be of the collection that the reranker is
for, if it is for one.
"""
# ruff: noqa: S101

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from qdrant_embed.reranking import Reranker
from qdrant_embed.retrieval import Hit

TOLERANCE = 1e-4


def check_reranker(reranker: Reranker, query: str, hits: Sequence[Hit]) -> None:
    """Assert everything that a reranker promises.

    :param hits: At least four hits of `query`, best first.
    """
    assert len(hits) > 3, "give at least four hits"
    check_few_hits(reranker, query, hits[0])
    check_same_hits(reranker, query, hits)
    check_order(reranker, query, hits)
    check_equal_scores(reranker, query, hits)
    check_several_queries(reranker, query, hits)


def check_few_hits(reranker: Reranker, query: str, hit: Hit) -> None:
    """Require no hits of none, one of one, and no queries of none."""
    assert reranker.rerank(query, []) == []
    assert [found.id for found in reranker.rerank(query, [hit])] == [hit.id]
    assert reranker.rerank_each([], []) == []


def check_same_hits(reranker: Reranker, query: str, hits: Sequence[Hit]) -> None:
    """Require each hit once, with nothing changed but its score, and the list that was given as it was."""
    given = list(hits)
    ranked = reranker.rerank(query, hits)
    assert list(hits) == given, "the list that was given is changed"
    assert len(ranked) == len(given), f"{len(ranked)} hits of {len(given)}"
    scores = {hit.id: hit.score for hit in ranked}
    assert scores.keys() == {hit.id for hit in given}, "other hits than were given"
    before = {hit.id: hit for hit in given}
    for hit in ranked:
        assert hit == replace(before[hit.id], score=hit.score), f"more than the score of {hit.id} is changed"
        assert np.isfinite(hit.score), f"the score of {hit.id} is {hit.score}"


def check_order(reranker: Reranker, query: str, hits: Sequence[Hit]) -> None:
    """Require scores that never rise, equal ones in the order that was given, and the same ones each time."""
    ranked = reranker.rerank(query, hits)
    places = {hit.id: place for place, hit in enumerate(hits)}
    for better, other in pairwise(ranked):
        assert better.score >= other.score, f"{better.score} stands before {other.score}"
        assert better.score > other.score or places[better.id] < places[other.id], "equal scores change their order"
    _require_alike(ranked, reranker.rerank(query, hits))


def check_equal_scores(reranker: Reranker, query: str, hits: Sequence[Hit]) -> None:
    """Require of a list in which all are equally good all that is required of others."""
    equal = [replace(hit, score=hits[0].score) for hit in hits]
    check_same_hits(reranker, query, equal)
    check_order(reranker, query, equal)


def check_several_queries(reranker: Reranker, query: str, hits: Sequence[Hit]) -> None:
    """Require of several queries what each gives by itself, an empty list in between."""
    some = list(hits[1:])
    ranked = reranker.rerank_each([query, "nothing", query], [hits, [], some])
    assert ranked[1] == []
    _require_alike(ranked[0], reranker.rerank(query, hits))
    _require_alike(ranked[2], reranker.rerank(query, some))


def _require_alike(one: Sequence[Hit], other: Sequence[Hit]) -> None:
    scores, others = ({hit.id: hit.score for hit in hits} for hits in (one, other))
    assert scores.keys() == others.keys(), "the same list has other hits the second time"
    for key, score in scores.items():
        assert np.isclose(score, others[key], atol=TOLERANCE), f"the score of {key} is {score}, then {others[key]}"
