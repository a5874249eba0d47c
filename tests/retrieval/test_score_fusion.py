"""Lists fused by score, against plain numpy: standings, the gate, feedback, and what they make of whole collections."""

import numpy as np
import pytest

from qdrant_embed import Collection, Document, Recipe
from qdrant_embed.retrieval.fusion.feedback import WEIGHT, feedback_weight, moved
from qdrant_embed.retrieval.fusion.fused_ranking import RRF_K
from qdrant_embed.retrieval.fusion.score_fusion import Fusion, FusionGate, ScoredList, support_of
from qdrant_embed.retrieval.fusion.word_signals import counted_words, read_words, word_requests
from qdrant_embed.retrieval.query_plan import QueryPlan
from qdrant_embed.retrieval.term_query import TermQuery
from qdrant_embed.store.filters import filter_of
from qdrant_embed.store.methods.ranking_request import FoundPoint
from qdrant_embed.types import BM25, DENSE

QUESTION = "when are the cables of the cranes inspected?"


def points(scores):
    return [FoundPoint(key, score) for key, score in scores.items()]


def lists(seed):
    """Return two rankings that share half of their points, each of twenty, and the scores of all points as arrays."""
    generator = np.random.default_rng(seed)
    dense = np.sort(generator.uniform(0.1, 0.9, 20))[::-1]
    words = np.sort(generator.gamma(2.0, 3.0, 20))[::-1]
    return dict(zip(range(20), dense.tolist(), strict=True)), dict(zip(range(10, 30), words.tolist(), strict=True))


@pytest.mark.parametrize("seed", range(5))
def test_scores_are_those_of_plain_numpy(seed):
    dense, words = lists(seed)
    named = {
        DENSE: ScoredList.of(points(dense), 20, absent=None),
        BM25: ScoredList.of(points(words), 100, absent=0.0),
    }
    gate = FusionGate(coverage=0.9, holders=4, support=support_of(named[BM25], named[DENSE]))
    keys = range(30)
    first, second = (np.array([found.get(key, floor) for key in keys]) for found, floor in
                     ((dense, min(dense.values())), (words, 0.0)))  # fmt: skip
    standings = [
        (row - np.mean(list(found.values()))) / np.std(list(found.values()))
        for row, found in ((first, dense), (second, words))
    ]
    support = standings[0][list(words)[:2]].mean()
    weight = 1 / (1 + np.exp(-(-0.3 - 3.4 * 0.9**8 / 2 + 0.4 * support)))
    wanted = weight * np.exp(0.5 * standings[0]) + (1 - weight) * np.exp(0.5 * standings[1])
    wanted /= wanted.max()
    fusion = Fusion(named, gate)
    ranked = fusion.ranked
    assert [key for key, _ in ranked] == np.argsort(-wanted, kind="stable").tolist()
    assert [score for _, score in ranked] == pytest.approx(np.sort(wanted)[::-1])
    for key, score in ranked:
        assert sum(fusion.parts(key).values()) == pytest.approx(score, abs=1e-6)


@pytest.mark.parametrize(("score", "count"), [(0.1, 3), (0.101994, 103), (0.25, 8)])
def test_in_a_list_of_equal_scores_nothing_stands_out(score, count):
    words = ScoredList.of(points(dict.fromkeys(range(count), score)), 110, absent=0.0)
    assert words.standing(0) == pytest.approx(0.0)
    assert words.standing("elsewhere") == pytest.approx(-score)


def test_words_that_name_a_text_decide_and_words_that_meet_by_chance_do_not():
    named = FusionGate(coverage=1.0, holders=1, support=0.0).dense_weight
    common = FusionGate(coverage=1.0, holders=60, support=0.0).dense_weight
    apart = FusionGate(coverage=0.5, holders=1, support=0.0).dense_weight
    assert named < 0.05 < 0.3 < common < apart < 0.5
    assert FusionGate(coverage=0.5, holders=1, support=4.0).dense_weight > 0.7


def test_which_of_equal_words_stands_second_is_no_matter():
    dense = ScoredList.of(points({"a": 0.9, "b": 0.5, "c": 0.1}), 20, absent=None)
    either = [ScoredList.of(points({"a": 3.0, one: 2.0, other: 2.0}), 20, absent=0.0) for one, other in ("bc", "cb")]
    assert support_of(either[0], dense) == support_of(either[1], dense)


def test_one_list_alone_is_on_the_same_scale():
    dense, _ = lists(1)
    fusion = Fusion({DENSE: ScoredList.of(points(dense), 20, absent=None)}, None)
    ranked = fusion.ranked
    assert [key for key, _ in ranked] == list(dense)
    assert ranked[0][1] == 1.0 > ranked[1][1] > 0.0
    assert Fusion({DENSE: ScoredList.of(points({"only": 0.3}), 20, absent=None)}, None).ranked == [("only", 1.0)]


def test_equal_scores_stand_by_id():
    fusion = Fusion({DENSE: ScoredList.of(points({"b": 0.5, "a": 0.5, "c": 0.1}), 20, absent=None)}, None)
    assert [key for key, _ in fusion.ranked] == ["a", "b", "c"]


def test_feedback_moves_a_question_where_its_answers_agree():
    query, one, other = np.eye(3, dtype=np.float32)
    near = (query + one).astype(np.float32)
    assert feedback_weight(query, [near, near, near]) == WEIGHT
    assert feedback_weight(query, [query + one, query + other]) == 0.0, "nearer to the question than to each other"
    assert feedback_weight(query, [near]) == feedback_weight(query, []) == 0.0
    shifted = moved(2 * query, one, 0.4)
    assert np.linalg.norm(shifted) == pytest.approx(2.0)
    assert shifted[1] / shifted[0] == pytest.approx(0.4 / 0.6)


def asked_of(collection, monkeypatch):
    asked, ask = [], collection.engine.query_batch_points

    def watched(name, requests):
        asked.append(len(requests))
        return ask(name, requests)

    monkeypatch.setattr(collection.engine, "query_batch_points", watched)
    return asked


def test_questions_share_two_rounds_at_most(harbour, monkeypatch):
    asked = asked_of(harbour, monkeypatch)
    assert len(harbour.search([QUESTION, "herring at the pier", "the", "lost master keys"], k=3)) == 4
    assert len(asked) <= 2


def test_the_score_is_at_most_one_and_min_score_goes_by_it(harbour):
    hits = harbour.search(QUESTION, k=10)
    assert 0.0 < hits[-1].score < hits[0].score <= 1.0
    least = hits[2].score
    assert [hit.id for hit in harbour.search(QUESTION, k=10, min_score=least)] == [
        hit.id for hit in hits if hit.score >= least
    ]


def test_ranks_are_fused_where_they_are_asked_for(harbour):
    hits = harbour.search(QUESTION, k=7, mode="rrf")
    ranks = [
        {hit.id: rank for rank, hit in enumerate(harbour.search(QUESTION, k=7, mode=mode))}
        for mode in ("dense", "bm25")
    ]
    for hit in hits[:2]:
        assert hit.score == pytest.approx(sum(1 / (RRF_K + own[hit.id]) for own in ranks if hit.id in own))


@pytest.mark.parametrize("at", ["folder", ":memory:"])
def test_rare_words_find_what_vectors_do_not(tmp_path, at):
    """What one vector cannot tell apart (LIMIT): every text names many things, two the one that is asked for."""
    liked = [f"thing{number}" for number in range(40)]
    texts = [f"person{place} likes {', '.join(liked[place : place + 12])}." for place in range(28)]
    with Collection.open("likes", at=at if at != "folder" else tmp_path / "q", recipe=Recipe(model="hashing")) as docs:
        docs.ingest(Document(text=text, source=str(place)) for place, text in enumerate(texts))
        hits = docs.search("who likes thing0?", k=2)
        assert hits[0].source == "0"
        assert {hit.source for hit in docs.search("who likes thing1?", k=2)} == {"0", "1"}


def test_feedback_is_off_by_a_word(tmp_path):
    """Texts of one subject that agree with each other better than with the question move it, unless told not to."""
    with Collection.open("subject", at=tmp_path / "q", recipe=Recipe(model="hashing")) as docs:
        texts = [f"cranes lift coal at the pier in the north harbour, shift {number}" for number in range(12)]
        docs.ingest(Document(text=text, source=str(number)) for number, text in enumerate(texts))
        moved = docs.search("cranes shift 3 herring", k=3, explain=True)
        still = docs.search("cranes shift 3 herring", k=3, explain=True, feedback=False)
    assert moved[0].explain().feedback > 0
    assert still[0].explain().feedback == 0
    assert moved[0].id == still[0].id
    assert moved[1].explain().lists != still[1].explain().lists


@pytest.mark.parametrize("condition", [None, {"source": "guide/*"}])
def test_words_counted_in_memory_say_what_an_index_says(harbour, condition):
    """The same idf, coverage and holders, whether a text index is asked or every text is looked at."""
    terms = [harbour.parts.bm25.query_terms(text) for text in (QUESTION, "herring and zebras", "keys")]
    plans = [
        QueryPlan(
            codec=harbour.parts.codec,
            condition=filter_of(harbour.engine, harbour.name, condition),
            terms=TermQuery(terms=tuple(own)),
            vector=None,
            fusion="scores",
        )
        for own in terms
    ]
    requests = [request for plan in plans for request in word_requests(plan.terms, plan.condition)]
    answers = iter(harbour.engine.rank(harbour.name, requests))
    for plan, counted in zip(plans, counted_words(harbour.engine, harbour.name, plans), strict=True):
        asked = read_words(plan.terms, answers)
        assert counted.coverage == pytest.approx(asked.coverage, abs=1e-5)
        assert counted.holders == asked.holders
        assert [idf is None for idf in counted.idf] == [idf is None for idf in asked.idf]
        assert [idf for idf in counted.idf if idf] == pytest.approx([idf for idf in asked.idf if idf], rel=1e-5)
    assert counted_words(harbour.engine, harbour.name, []) == []
