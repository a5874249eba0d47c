"""Lists fused by their scores: each list made comparable, and weighed by what it knows about this question.

Arithmetic only. How much the words count is decided for each question by what was found (a gate): where one or two
texts hold all of the question's rare words, words decide; where the vectors think much of what the words found, they
may decide. The form and its numbers are ours, found with MiniLM on sets such as those of benchmarks/fusion, which says
of each whether it was seen. Of the last candidates the one with the best mean on even-numbered questions was taken; it
was the best on odd-numbered ones too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from qdrant_embed.retrieval.query_plan import place_of
from qdrant_embed.store.methods.ranking_request import FoundPoint
from qdrant_embed.types import BM25, DENSE

SHARPNESS = 0.5
"""How much more the first of a list that stands out counts than one that hardly does: weights grow by exp(0.5·z)."""
BIAS, SELECTIVITY, SUPPORT = -0.3, 3.4, 0.4
"""Of the gate: its logit without signals, what full selectivity takes from it, what a unit of support adds to it."""
COVERAGE_POWER = 8
"""Only texts that hold nearly all of a question's idf mass say that its words were meant as they stand."""
SUPPORTED = 2
"""First hits of the word list that the dense list is asked about."""


@dataclass(frozen=True)
class ScoredList:
    """A ranking, by whose mean and spread its scores are told how far they stand out.

    :param points: Best first.
    :param floor: The score of a text that is not in it.
    """

    points: Sequence[FoundPoint]
    floor: float

    @classmethod
    def of(cls, points: Sequence[FoundPoint], depth: int, *, absent: float | None) -> ScoredList:
        """Return a ranking that was asked for so many points.

        :param absent: The score of what a ranking that ended before had nothing for; None for its last score.
        """
        last = points[-1].score if points else 0.0
        return cls(points, last if absent is None or len(points) >= depth else absent)

    @cached_property
    def scores(self) -> Mapping[Any, float]:
        """Score by id."""
        return {point.id: point.score for point in self.points}

    @cached_property
    def ranks(self) -> Mapping[Any, int]:
        """Place by id, from 1; equal scores have equal ranks."""
        found: dict[Any, int] = {}
        rank, last = 1, None
        for place, point in enumerate(self.points, 1):
            rank, last = (rank, last) if point.score == last else (place, point.score)
            found[point.id] = rank
        return found

    @cached_property
    def mean(self) -> float:
        """Mean of the scores."""
        return math.fsum(self.scores.values()) / max(1, len(self.scores))

    @cached_property
    def deviation(self) -> float:
        """Standard deviation of the scores; 1 where all are equal, so that nothing stands out."""
        if len(set(self.scores.values())) < 2:  # their mean may differ from them in the last digit
            return 1.0
        squares = math.fsum((score - self.mean) ** 2 for score in self.scores.values())
        return math.sqrt(squares / len(self.scores))

    def standing(self, key: Any) -> float:
        """Return by how many standard deviations a text stands above the list's mean (its z-score)."""
        return (self.scores.get(key, self.floor) - self.mean) / self.deviation

    def strength(self, key: Any) -> float:
        """Return what a text gets from this list before weighing."""
        return self._strengths.get(key, self._least)

    @cached_property
    def _strengths(self) -> Mapping[Any, float]:
        return {key: math.exp(SHARPNESS * self.standing(key)) for key in self.scores}

    @cached_property
    def _least(self) -> float:
        """The strength of what is not in the list."""
        return math.exp(SHARPNESS * (self.floor - self.mean) / self.deviation)


@dataclass(frozen=True, slots=True)
class FusionGate:
    """What decides between the dense list and the words of a question.

    :param coverage: Share of the question's idf mass that the text with most of it holds, 0 to 1.
    :param holders: Texts that hold so much.
    :param support: Mean standing in the dense list of the first texts of the word list.
    """

    coverage: float
    holders: int
    support: float

    @property
    def selectivity(self) -> float:
        """How surely the words name texts: 1 where one text holds all of them."""
        return self.coverage**COVERAGE_POWER / math.sqrt(max(1, self.holders))

    @property
    def dense_weight(self) -> float:
        """Weight of the dense list, 0 to 1; the words have the rest."""
        logit = BIAS - SELECTIVITY * self.selectivity + SUPPORT * self.support
        return 1.0 / (1.0 + math.exp(-logit))


def support_of(words: ScoredList, dense: ScoredList) -> float:
    """Return how far the first texts of the word list, with those equal to them, stand out in the dense one."""
    last = words.points[:SUPPORTED][-1].score
    first = [dense.standing(point.id) for point in words.points if point.score >= last]
    return math.fsum(first) / max(1, len(first))


@dataclass(frozen=True)
class Fusion:
    """Lists with their weights, and what they make of each text.

    :param lists: By the name of what ranks: `dense`, `bm25`, `sparse`; none is empty.
    :param gate: None where one of dense and word list is missing.
    :param confidence: How much the lists look as if the collection held an answer, 0 to 1: the best score.
    """

    lists: Mapping[str, ScoredList]
    gate: FusionGate | None
    confidence: float = 1.0

    @cached_property
    def weights(self) -> Mapping[str, float]:
        """Weight of each list; they sum to 1. A sparse model's list has half of it, or what others leave."""
        two = {name: 1.0 for name in (DENSE, BM25) if name in self.lists}
        if self.gate is not None:
            two = {DENSE: self.gate.dense_weight, BM25: 1.0 - self.gate.dense_weight}
        others = [name for name in self.lists if name not in two]
        share = 1.0 / (len(others) + bool(two))
        return {**{name: weight * share for name, weight in two.items()}, **dict.fromkeys(others, share)}

    def parts(self, key: Any) -> dict[str, float]:
        """Return what each list gives to a text; their sum is its score."""
        return {name: self.weights[name] * found.strength(key) / self._largest for name, found in self.lists.items()}

    @cached_property
    def ranked(self) -> list[tuple[Any, float]]:
        """Every text of the lists with its score, best first, equal ones by place; the best has the confidence."""
        made = {key: round(self.confidence * raw / self._largest, 9) for key, raw in self._raw.items()}
        places = {point.id: place_of(point) for found in self.lists.values() for point in found.points}
        return sorted(made.items(), key=lambda found: (-found[1], places[found[0]]))

    @cached_property
    def _raw(self) -> Mapping[Any, float]:
        keys: Iterable[Any] = dict.fromkeys(point.id for found in self.lists.values() for point in found.points)
        weighed = [(self.weights[name], found) for name, found in self.lists.items()]
        return {key: math.fsum([weight * found.strength(key) for weight, found in weighed]) for key in keys}

    @cached_property
    def _largest(self) -> float:
        return max(self._raw.values(), default=1.0)
