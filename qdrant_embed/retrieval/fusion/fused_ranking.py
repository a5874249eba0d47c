"""Rankings of one query put together: fused by score or by rank, or ranked again by the vectors of the query's tokens.

By score, an engine is asked for rankings twice, whatever the number of queries: for the lists and the signals of the
gate, and for the dense list once more where feedback moved a query's vector. It is asked again, with larger limits,
where a list ends within equal scores, or where more than a hundred hits are wanted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from qdrant_embed.evaluation.answer_confidence import confidence
from qdrant_embed.retrieval.fusion.feedback import feedback_weight, first_vectors, moved
from qdrant_embed.retrieval.fusion.gate_signals import GateSignals, ask_with_signals
from qdrant_embed.retrieval.fusion.score_fusion import Fusion, FusionGate, ScoredList, support_of
from qdrant_embed.retrieval.fusion.word_signals import WordSignals
from qdrant_embed.retrieval.lists import Lists
from qdrant_embed.retrieval.query_plan import DEPTH, QueryPlan, QueryVector, in_order
from qdrant_embed.retrieval.term_query import SATURATION
from qdrant_embed.store.methods.ranking_request import FoundPoint
from qdrant_embed.types import BM25, DENSE, MULTIVECTOR, FloatArray

Points: TypeAlias = list[FoundPoint]

RRF_K = 2
"""Rank constant of reciprocal rank fusion (Cormack, Clarke and Büttcher 2009, section 2).

Qdrant's own default, not the paper's 60, which was chosen for fusing many lists: with two, a passage that one list puts
first would fall behind any that both lists hold somewhere in their first hundred.
"""

DEEPER = 8
"""How many times more hits of each list are asked for where those of a round are not enough."""


@dataclass(frozen=True, slots=True)
class RankedPoints:
    """What was found for one query.

    :param points: Best first.
    :param lists: The lists that they come from, by name.
    :param fusion: How they got their scores, where lists were fused by score.
    :param confidence: See `Hits.confidence`.
    :param feedback: How far the query's vector was moved toward the first of them, 0 to 1.
    :param idf: Of the query's terms, as `Bm25Encoder.query_terms` gives them, where it was asked for.
    :param deeper: Where the points come from that are in none of these lists; see `lengthened`.
    """

    points: Points
    lists: Mapping[str, ScoredList] = field(default_factory=dict)
    fusion: Fusion | None = None
    confidence: float | None = None
    feedback: float = 0.0
    idf: Mapping[str, float] = field(default_factory=dict)
    deeper: RankedPoints | None = None

    def lengthened(self, deeper: RankedPoints) -> RankedPoints:
        """Return this ranking with those of a deeper one behind it that it lacks, none with a higher score."""
        there = {point.id for point in self.points}
        lowest = self.points[-1].score if self.points else 0.0
        more = [point for point in deeper.points if point.id not in there]
        behind = (point.scored(min(point.score, lowest)) for point in more)
        from_where = deeper if self.deeper is None else self.deeper.lengthened(deeper)
        return replace(self, points=[*self.points, *behind], deeper=from_where)

    def origin(self, key: Any) -> RankedPoints:
        """Return the ranking that a point comes from: this one, or a deeper one."""
        if self.deeper is None or any(key in own.scores for own in self.lists.values()):
            return self
        return self.deeper.origin(key)

    @property
    def weights(self) -> Mapping[str, float]:
        """Weight of each list; they sum to 1."""
        return self.fusion.weights if self.fusion else dict.fromkeys(self.lists, 1.0 / max(1, len(self.lists)))

    def parts(self, key: Any) -> dict[str, float]:
        """Return what each list gives to the score of a point."""
        if self.fusion is not None:
            return self.fusion.parts(key)
        if len(self.lists) == 1:
            return {name: own.scores.get(key, own.floor) for name, own in self.lists.items()}
        ranks = {name: own.ranks.get(key) for name, own in self.lists.items()}
        return {name: 0.0 if rank is None else 1.0 / (RRF_K + rank - 1) for name, rank in ranks.items()}


def best(lists: Lists, ranked: Sequence[QueryPlan], last: int) -> list[RankedPoints]:
    """Return the points of each query down to the last one wanted, or more, best first.

    A list that is alone ranks as it is. Of several, each offers the same number of hits whatever is asked for; where
    that does not give enough, more are taken in rounds of fixed depths and put behind those, so that the first hits are
    the same for every k, and pages have neither gaps nor repetitions.

    :param last: How many are wanted.
    """
    found = _rankings(lists, ranked, [last if query.single else DEPTH for query in ranked])
    depth = DEPTH
    while short := [
        place for place, query in enumerate(ranked) if not query.single and depth <= len(found[place].points) < last
    ]:
        depth *= DEEPER
        deeper = _rankings(lists, [ranked[place] for place in short], [depth] * len(short))
        for place, more in zip(short, deeper, strict=True):
            found[place] = found[place].lengthened(more)
    return found


def _rankings(lists: Lists, queries: Sequence[QueryPlan], depths: Sequence[int]) -> list[RankedPoints]:
    """Return the points of each query, best first, of so many hits of each of its lists."""
    rankings, signals = ask_with_signals(lists, queries, depths)
    fused = {place: _fused(queries[place], rankings[place], depths[place], signals[place]) for place in signals}
    by_score = _with_feedback(lists, queries, depths, fused, signals)
    found = [by_score.get(place) or _unfused(query, rankings[place]) for place, query in enumerate(queries)]
    found = [replace(one, points=lists.in_order(one.points)) for one in found]
    return _ranked_by_tokens(lists, queries, found)


def _unfused(plan: QueryPlan, own: Sequence[Points]) -> RankedPoints:
    """Return the points of one list, or of several by rank."""
    named = {part.name: ScoredList(points, 0.0) for part, points in zip(plan.lists, own, strict=True)}
    return RankedPoints(own[0] if plan.single else rrf_fuse(own), named)


def _fused(plan: QueryPlan, own: Sequence[Points], depth: int, signals: GateSignals) -> Fusion:
    named = {
        part.name: ScoredList.of(points, depth, absent=None if part.vector is not None else 0.0)
        for part, points in zip(plan.lists, own, strict=True)
        if points
    }
    gate = None
    if DENSE in named and BM25 in named:
        gate = FusionGate(signals.words.coverage, signals.words.holders, support_of(named[BM25], named[DENSE]))
    scores = ([point.score for point in named[name].points[:depth]] if name in named else () for name in (DENSE, BM25))
    most = (SATURATION + 1.0) * signals.words.mass
    return Fusion(named, gate, confidence(*scores, most=most, terms=len(signals.words.idf)))


def _with_feedback(
    lists: Lists,
    queries: Sequence[QueryPlan],
    depths: Sequence[int],
    fused: Mapping[int, Fusion],
    signals: Mapping[int, GateSignals],
) -> dict[int, RankedPoints]:
    """Return each fusion's points, its dense list asked for once more where feedback moves the question."""
    weights: dict[int, float] = {}
    asked: list[tuple[QueryPlan, int]] = []
    for place, fusion in fused.items():
        vector, known = queries[place].vector, signals[place].vectors
        first = first_vectors([key for key, _ in fusion.ranked], known) if known else []
        weight = feedback_weight(vector.whole, first) if vector is not None and DENSE in fusion.lists else 0.0
        if vector is not None and weight:
            weights[place] = weight
            again = replace(queries[place], vector=_moved(queries[place], vector, first[0], weight), terms=None)
            asked.append((replace(again, weights=None, tokens=None, fusion="ranks"), depths[place]))
    moved_lists = iter(lists.best([part for part, _ in asked], [depth for _, depth in asked]))
    found = {}
    for place, fusion in fused.items():
        if place in weights:
            dense = ScoredList.of(next(moved_lists), depths[place], absent=None)
            fusion = replace(fusion, lists={**fusion.lists, DENSE: dense})
        found[place] = RankedPoints(
            points=_points(fusion),
            lists=fusion.lists,
            fusion=fusion,
            confidence=fusion.confidence,
            feedback=weights.get(place, 0.0),
            idf=_idf(queries[place], signals[place].words),
        )
    return found


def _idf(plan: QueryPlan, words: WordSignals) -> dict[str, float]:
    """Return the idf of the query's terms by their names; sparse vectors have none."""
    if plan.terms is None or not plan.terms.terms:
        return {}
    return {term: idf for term, idf in zip(plan.terms.terms, words.idf, strict=True) if idf is not None}


def _moved(plan: QueryPlan, vector: QueryVector, toward: FloatArray, weight: float) -> QueryVector:
    row = moved(vector.whole, toward, weight)
    encoded = plan.codec.vector_codec.queries(row[None])
    return QueryVector(encoded.vectors[0], row, float(encoded.offsets[0]))


def _points(fusion: Fusion) -> Points:
    there = {point.id: point for found in fusion.lists.values() for point in found.points}
    return [there[key].scored(score) for key, score in fusion.ranked]


def _ranked_by_tokens(lists: Lists, queries: Sequence[QueryPlan], found: list[RankedPoints]) -> list[RankedPoints]:
    """Return what was found, ranked again where the query has the vectors of its tokens."""
    again = [
        place
        for place, query in enumerate(queries)
        if query.tokens is not None and not query.single and found[place].points
    ]
    asked = [queries[place].among([point.id for point in found[place].points]) for place in again]
    for place, points in zip(again, lists.rank(asked), strict=True):
        found[place] = replace(found[place], points=points, lists={MULTIVECTOR: ScoredList(points, 0.0)}, fusion=None)
    return found


def rrf_fuse(lists: Sequence[Sequence[FoundPoint]]) -> Points:
    """Fuse rankings, each in order, by reciprocal rank, best first; equal scores have equal ranks."""
    scores: dict[Any, float] = {}
    points: dict[Any, FoundPoint] = {}
    for ranking in lists:
        rank, last = 0, None
        for place, point in enumerate(ranking):
            if point.score != last:
                rank, last = place, point.score
            scores[point.id] = scores.get(point.id, 0.0) + 1.0 / (RRF_K + rank)
            points.setdefault(point.id, point)
    return in_order(point.scored(scores[key]) for key, point in points.items())
