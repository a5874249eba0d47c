"""Questions and their passages, on each local engine."""

import pytest

from qdrant_embed import Document, Hit, Hits
from qdrant_embed.errors import ConfigurationError
from qdrant_embed.retrieval.fusion.fused_ranking import RRF_K

pytestmark = pytest.mark.anywhere

MODES = ("hybrid", "rrf", "dense", "bm25")


@pytest.mark.parametrize("mode", MODES)
def test_each_mode_finds_the_passage(harbour, mode):
    hits = harbour.search("when are the cables of the cranes inspected?", k=3, mode=mode)
    assert hits[0].source == "guide/cranes.md"
    assert "every Tuesday" in hits[0].text
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert len({hit.id for hit in hits}) == len(hits)


def test_a_hit_knows_its_place(harbour, pages):
    hit = harbour.search("rotated every ninety days", k=1)[0]
    assert isinstance(hit, Hit)
    assert (pages / hit.source).read_text()[hit.start : hit.end] == hit.text
    assert (hit.source, hit.root, hit.title, hit.media_type) == ("guide/keys.md", "harbour", "Keys", "text/markdown")
    assert hit.headings[0] == "Keys"
    assert (hit.page, dict(hit.metadata)) == (None, {})
    assert hit.place.startswith("guide/keys.md › Keys")
    assert hit.score > 0
    assert hit.as_dict()["headings"] == hit.headings


def test_pages_and_metadata_come_back(notes):
    hit = notes.search("drivers eat at noon", k=1)[0]
    assert (hit.source, hit.page) == ("canteen", 1)
    assert hit.metadata == {"team": "kitchen", "year": 2026, "tags": ["food", "hours"]}
    assert hit.place == "canteen, page 1"


@pytest.mark.parametrize("k", [1, 2, 50])
def test_k_passages_at_most(notes, k):
    for mode in MODES:
        assert len(notes.search("crane", k=k, mode=mode)) == min(k, notes.count())


@pytest.mark.parametrize("mode", MODES)
def test_several_questions_are_answered_as_each_alone(harbour, mode):
    questions = ["master keys", "herring at the pier", "opening hours of the gates"]
    together = harbour.search(questions, k=3, mode=mode)
    assert [hits.query for hits in together] == questions
    assert all(isinstance(hits, Hits) for hits in together)
    assert together == [harbour.search(question, k=3, mode=mode) for question in questions]
    assert harbour.search([], mode=mode) == []


@pytest.mark.parametrize("mode", MODES)
def test_min_score_leaves_out_what_is_weaker(harbour, mode):
    question = "the harbour master is told of cod and of lost keys"
    hits = harbour.search(question, k=4, mode=mode)
    assert hits[0].score > hits[1].score
    line = (hits[0].score + hits[1].score) / 2
    assert harbour.search(question, k=4, mode=mode, min_score=line) == hits[:1]
    assert harbour.search(question, k=4, mode=mode, min_score=hits[0].score + 1) == []


def test_dense_scores_are_cosines(harbour):
    hit = harbour.search("herring", k=1, mode="dense")[0]
    chunk = harbour.embedder.embed_documents([hit.text])[0] if not hit.headings else None
    query = harbour.embedder.embed_queries(["herring"])[0]
    assert chunk is not None
    assert hit.score == pytest.approx(float(chunk @ query), abs=1e-5)


def test_rrf_scores_are_sums_of_reciprocal_ranks(harbour):
    best = harbour.search("herring is landed at pier two", k=1, mode="rrf")[0]
    assert best.score == pytest.approx(2 / RRF_K)  # first in both lists; the engine counts ranks from 0


def test_words_that_no_passage_has_find_nothing_by_bm25(harbour):
    assert harbour.search("zeppelin", mode="bm25") == []
    assert harbour.search("the of and", mode="bm25") == []


def test_bm25_compares_stems(harbour):
    assert harbour.search("inspecting a cable", k=1, mode="bm25")[0].source == "guide/cranes.md"


@pytest.mark.parametrize("mode", MODES)
def test_equal_scores_come_in_the_same_order_every_time(collection, mode):
    pages = [Document(text="The same words in every page.", source=f"page {number}") for number in (4, 0, 3, 5, 1, 2)]
    collection.ingest(pages[:3], root="b")
    collection.ingest(pages[3:], root="a")
    first = collection.search("the same words", k=6, mode=mode)
    assert len(first) == 6
    assert len({hit.score for hit in first}) == 1
    assert [f"{hit.root}: {hit.source}" for hit in first] == [
        "a: page 1", "a: page 2", "a: page 5", "b: page 0", "b: page 3", "b: page 4",
    ]  # fmt: skip
    for _ in range(5):
        assert collection.search("the same words", k=6, mode=mode) == first
    for k in range(1, 6):
        assert collection.search("the same words", k=k, mode=mode) == first[:k]


@pytest.mark.parametrize("query", ["", "   ", "\n\t", ["keys", " "], [None], 3, None])
def test_what_is_no_question_is_refused(harbour, query):
    with pytest.raises(ConfigurationError, match="a query must be a text"):
        harbour.search(query)


@pytest.mark.parametrize("k", [0, -1, 2.5, "5"])
def test_what_is_no_number_of_hits_is_refused(harbour, k):
    with pytest.raises(ConfigurationError, match="at least 1"):
        harbour.search("keys", k=k)


def test_an_unknown_mode_is_refused_with_those_that_exist(harbour):
    with pytest.raises(ConfigurationError, match="hybrid, rrf, dense, bm25"):
        harbour.search("keys", mode="sparse")


@pytest.mark.parametrize("mode", MODES)
def test_an_empty_collection_answers_with_nothing(collection, mode):
    assert collection.search("anything", mode=mode) == []


@pytest.mark.folder
def test_engines_agree(make_collection, pages):
    here, there = make_collection(chunk_tokens=24), make_collection(at=":memory:", chunk_tokens=24)
    for collection in (here, there):
        collection.ingest(pages)
    for question in ("master keys", "cod landed at pier seven", "cables every Tuesday"):
        for mode in ("dense", "bm25"):
            ours, theirs = (found.search(question, k=3, mode=mode) for found in (here, there))
            assert [hit.id for hit in ours] == [hit.id for hit in theirs]
            assert [hit.score for hit in ours] == pytest.approx([hit.score for hit in theirs], abs=1e-4)
