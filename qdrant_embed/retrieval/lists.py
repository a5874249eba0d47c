"""Rankings that are whole: as many hits as are wanted, and all that are equal to the last of them.

Engines put equal scores in an order of their own, and cut it anywhere. A ranking here ends between two scores, so that
what is made of it depends on the points alone.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

from qdrant_embed.retrieval.binary.index import BinaryIndex, page_of
from qdrant_embed.retrieval.binary.shortlist import shortlist
from qdrant_embed.retrieval.query_plan import (
    DEPTH,
    MOST_ASKED,
    PLACE_FIELDS,
    SPARE_FOR_TIES,
    QueryPlan,
    QueryVector,
    in_order,
)
from qdrant_embed.store.collection_codec import CollectionCodec
from qdrant_embed.store.engine import Engine
from qdrant_embed.store.methods.ranking_request import FoundPoint, RankingRequest
from qdrant_embed.store.scroll import payloads_of
from qdrant_embed.types import DENSE, DENSE_SMALL

Ranking: TypeAlias = list[FoundPoint]

NOISE = 1e-5
"""Share of a score by which those of equal passages may differ; not less than a step of six digits."""
GROWTH = 4
"""How many times more hits are asked for where too many are equal."""


@dataclass(frozen=True)
class Lists:
    """Asks an engine, or the sign codes in memory, for rankings."""

    engine: Engine
    name: str
    codec: CollectionCodec

    @cached_property
    def hamming(self) -> BinaryIndex:
        """The codes of a collection that keeps only signs."""
        vector = DENSE_SMALL if self.codec.compression.full else DENSE
        return BinaryIndex(self.engine, self.name, vector, self.codec.vector_codec.bits, page_of(self.codec))

    def best(self, parts: Sequence[QueryPlan], least: Sequence[int]) -> list[Ranking]:
        """Return the first hits of each list, in order, without payloads, asked for together; see `best_with`."""
        return self.best_with(parts, least, [])[0]

    def best_with(
        self, parts: Sequence[QueryPlan], least: Sequence[int], others: Sequence[RankingRequest]
    ) -> tuple[list[Ranking], list[Ranking]]:
        """Return the first hits of each list, and the answers to other requests that go with the first question.

        :param parts: Queries of one list each; their limits are set here.
        :param least: How many hits of each list, or more; fewer if that is all.
        """
        answered: list[Ranking] = []
        # The first hits of a list, with all that hits are made of.
        first = [] if self._by_signs else [replace(part, limit=part.along) for part in parts if 0 < part.along < DEPTH]
        along = [replace(part.request(), fields=True) for part in first]
        others, wanted = [*others, *along], len(others)
        found: dict[int, Ranking] = {}
        waiting = {
            place: (part, max(wanted, DEPTH) + SPARE_FOR_TIES)
            for place, (part, wanted) in enumerate(zip(parts, least, strict=True))
        }
        while waiting:
            rankings, answers = self._ask([replace(part, limit=asked) for part, asked in waiting.values()], others)
            answered, others = answered or answers, []
            for (place, (part, asked)), points in zip(list(waiting.items()), map(leveled, rankings), strict=True):
                ended = whole(points, asked, least[place])
                # More of what is rescored would be other hits too, since more would be rescored.
                if ended is not None or part.rescores or asked >= MOST_ASKED:
                    found[place] = self.in_order(ended or points)[:asked]
                    del waiting[place]
                else:
                    waiting[place] = part, min(asked * GROWTH, MOST_ASKED)
        _take_payloads(found.values(), answered[wanted:])
        return [found[place] for place in range(len(parts))], answered[:wanted]

    def rank(self, parts: Sequence[QueryPlan]) -> list[Ranking]:
        """Return the points that each query of one list may find, as many as its limit says, in order."""
        return [self.in_order(leveled(points)) for points in self._by_engine(parts)[0]]

    def in_order(self, points: Ranking) -> Ranking:
        """Return points best first, equal ones by their places, which are asked for where they are not known."""
        times = Counter(point.score for point in points)
        unplaced = [point for point in points if times[point.score] > 1 and not point.payload]
        places = payloads_of(self.engine, self.name, [point.id for point in unplaced], fields=PLACE_FIELDS)
        for point in unplaced:
            point.payload = places.get(point.id)
        return in_order(points)

    @property
    def _by_signs(self) -> bool:
        """Whether the dense list is made here, of codes in memory."""
        return self.codec.compression.datatype == "bits"

    def _ask(self, parts: Sequence[QueryPlan], others: Sequence[RankingRequest]) -> tuple[list[Ranking], list[Ranking]]:
        if not self._by_signs:
            return self._by_engine(parts, others)
        by_codes = iter(self._by_codes([(part, part.vector) for part in parts if part.vector is not None]))
        rankings, answers = self._by_engine([part for part in parts if part.vector is None], others)
        by_engine = iter(rankings)
        return [next(by_engine if part.vector is None else by_codes) for part in parts], answers

    def _by_engine(
        self, parts: Sequence[QueryPlan], others: Sequence[RankingRequest] = ()
    ) -> tuple[list[Ranking], list[Ranking]]:
        requests = [*(part.request() for part in parts), *others]
        if not requests:
            return [], []
        answers = self.engine.rank(self.name, requests)
        return [part.scored(answer) for part, answer in zip(parts, answers, strict=False)], answers[len(parts) :]

    def _by_codes(self, parts: Sequence[tuple[QueryPlan, QueryVector]]) -> list[Ranking]:
        """Rank by sign codes, or by the whole vectors, where they are kept, of what these find."""
        if not self.codec.compression.full:
            return [self.hamming.search(vector.encoded, part.limit, part.condition) for part, vector in parts]
        for attempt in (1, 2):
            lists = [shortlist(self.engine, self.name, self.hamming, part, vector) for part, vector in parts]
            chosen = [(part, ids) for (part, _), ids in zip(parts, lists, strict=True)]
            found, _ = self._by_engine([replace(part, shortlist=ids, limit=max(1, len(ids))) for part, ids in chosen])
            # Whole vectors rank all that are there: fewer hits than that are points gone whose writer died unheard.
            if attempt == 2 or all(len(points) >= len(ids) for points, ids in zip(found, lists, strict=True)):
                break
            self.hamming.forget()
        return found


def leveled(points: Ranking) -> Ranking:
    """Give points whose scores differ by no more than noise one score, of six digits, in place.

    The last digits of a float32 depend on the engine, and on where in it a passage lies. Gaps are looked at: rounding
    alone would part two equal passages wherever the border of a digit happens to lie between them. In place, since a
    search has some hundred points, and a copy of one takes longer than all else that is done with it.
    """
    level, before = 0.0, math.inf
    for point in sorted(points, key=lambda point: -point.score):
        score = point.score
        if before - score > NOISE * abs(score):
            level = float(f"{score:.6g}")
        point.score, before = level, score
    return points


def _take_payloads(rankings: Iterable[Ranking], answers: Sequence[Ranking]) -> None:
    """Give points the whole payloads that came along, in place."""
    whole = {point.id: point.payload for answer in answers for point in answer}
    for points in rankings if whole else ():
        for point in points:
            point.payload = whole.get(point.id, point.payload)


def whole(points: Ranking, asked: int, least: int) -> Ranking | None:
    """Return the points down to the last score of which all are there; None if these are fewer than wanted."""
    if len(points) < asked:
        return points
    last = points[-1].score
    kept = [point for point in points if point.score != last]
    return kept if len(kept) >= least else None
