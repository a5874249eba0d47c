"""Recency: the formula, other fields, and what has no date."""

from datetime import UTC, datetime, timedelta

import pytest

from qdrant_embed import Document
from qdrant_embed.errors import ConfigurationError, RerankWarning
from qdrant_embed.reranking import RecencyReranker
from qdrant_embed.testing import check_reranker

NOW = datetime(2026, 6, 1, tzinfo=UTC)
QUESTION = "herring is landed at which pier?"


def by_hand(hits, ages, half_life_days):
    """Return the scores that the docstring promises, by the id of each hit."""
    scores = [hit.score for hit in hits]
    low, high = min(scores), max(scores)
    return {
        hit.id: ((hit.score - low) / (high - low) + 2 ** -(age / half_life_days)) / 2
        for hit, age in zip(hits, ages, strict=True)
    }


def test_the_suite_runs_over_it(docs):
    steady = RecencyReranker(docs.parts.rerank_context, now=lambda: NOW)
    check_reranker(steady, QUESTION, docs.search(QUESTION, k=12))


@pytest.mark.parametrize("days", [1, 10, 400])
def test_scores_are_the_formulas(docs, days):
    hits = docs.search(QUESTION, k=32)
    ranked = docs.search(
        QUESTION, k=32, rerank=RecencyReranker(docs.parts.rerank_context, timedelta(days=days), now=lambda: NOW)
    )
    expected = by_hand(hits, [int(hit.source[:2]) for hit in hits], days)
    assert {hit.id: hit.score for hit in ranked} == pytest.approx(expected, abs=1e-6)
    assert [hit.score for hit in ranked] == sorted(expected.values(), reverse=True) or days  # sorted, up to rounding


def test_a_field_of_the_documents_own(docs):
    hits = docs.search(QUESTION, k=32)
    ranked = docs.search(
        QUESTION,
        k=32,
        rerank=RecencyReranker(docs.parts.rerank_context, timedelta(days=7), "metadata.written", now=lambda: NOW),
    )
    expected = by_hand(hits, [31 - int(hit.source[:2]) for hit in hits], 7)
    assert {hit.id: hit.score for hit in ranked} == pytest.approx(expected, abs=1e-6)


def test_words_say_half_life_and_field(docs):
    context, words = docs.parts.rerank_context, ("", "12h", "2w:written", "0.5y")
    made = [RecencyReranker.from_word(context, word) for word in words]
    days = [one.half_life / timedelta(days=1) for one in made]
    assert days == [30, 0.5, 14, 365.25 / 2]
    assert [one.field.key for one in made] == ["modified", "modified", "written", "modified"]
    assert docs.search(QUESTION, rerank="recency:1d:metadata.written", k=1)


def test_what_has_no_date_counts_as_old_and_what_is_to_come_as_new(make_collection):
    made = make_collection()
    dated = {"old": "1999-01-01", "soon": "2999-01-01T00:00:00Z", "odd": "last week"}
    dated["both"] = [dated["old"], dated["soon"]]
    for source, date in dated.items():
        made.ingest([Document(text="Cod is landed.", source=source, metadata={"date": date})])
    made.ingest([Document(text="Cod is landed.", source="none")])
    ranked = made.search("cod", rerank="recency:30d:date")
    assert {hit.source: round(hit.score, 6) for hit in ranked} == {
        "soon": 1.0, "both": 1.0, "old": 0.5, "odd": 0.5, "none": 0.5,
    }  # fmt: skip


def test_it_warns_where_no_passage_has_a_date(docs):
    plain = docs.search(QUESTION, k=32)
    with pytest.warns(RerankWarning, match=r"none of the 32 passages .* 'log\.day'.*recency:30d:metadata\.date"):
        ranked = docs.search(QUESTION, k=32, rerank="recency:30d:log.day")
    assert [hit.id for hit in ranked] == [hit.id for hit in plain]


@pytest.mark.parametrize("word", ["recency:soon", "recency:30", "recency:0d", "recency:30m", "recency:-1d"])
def test_other_half_lives_are_refused(docs, word):
    with pytest.raises(ConfigurationError, match=r"a half-life in h, d, w or y .*type 'recency:30d'"):
        docs.search("ship", rerank=word)
    with pytest.raises(ConfigurationError, match="no time is that long"):
        docs.search("ship", rerank="recency:99999999999999y")
