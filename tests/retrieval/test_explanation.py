"""Why a passage was found: numbers that add up, words where they stand, and what is shown of it."""

import pytest

from qdrant_embed import Collection, Document, Recipe
from qdrant_embed.errors import ConfigurationError
from tests.support.tiny_models import save_tiny_model

pytestmark = pytest.mark.anywhere

QUESTION = "when are the cables of the cranes inspected?"


@pytest.mark.parametrize("mode", ["hybrid", "rrf", "dense", "bm25"])
@pytest.mark.parametrize("k", [1, 7])
def test_the_parts_sum_to_the_score(harbour, mode, k):
    hits = harbour.search(QUESTION, k=k, mode=mode, explain=True)
    assert hits == harbour.search(QUESTION, k=k, mode=mode), "explaining changes nothing"
    for hit in hits:
        told = hit.explain()
        assert told.score == hit.score
        assert sum(part.share for part in told.lists) == pytest.approx(hit.score, abs=1e-6)
        assert sum(part.weight for part in told.lists) == pytest.approx(1.0)
    names = {"hybrid": ["bm25", "dense"], "rrf": ["bm25", "dense"]}.get(mode, [mode])
    assert sorted(part.name for part in hits[0].explain().lists) == names


def test_each_list_says_where_the_passage_stood(harbour):
    alone = {mode: harbour.search(QUESTION, k=7, mode=mode) for mode in ("dense", "bm25")}
    for hit in harbour.search(QUESTION, k=7, explain=True):
        told = hit.explain()
        for part in told.lists:
            if part.name == "dense" and told.feedback:
                continue  # it is the list of the question that was moved
            score = next((other.score for other in alone[part.name] if other.id == hit.id), None)
            assert part.score == score
            better = sum(other.score > score for other in alone[part.name]) if score is not None else None
            assert part.rank == (None if better is None else better + 1)


def test_words_stand_where_it_says(harbour, pages):
    hit = harbour.search(QUESTION, k=1, explain=True)[0]
    text = (pages / hit.source).read_text()
    told = hit.explain()
    assert {term.word for term in told.terms} >= {"cables", "cranes", "inspected"}
    for term in told.terms:
        assert term.idf > 0
        for start, end in term.spans:
            assert text[start:end].lower()[:4] == term.word[:4]
    start, end = told.sentence_span
    assert text[start:end] == told.sentence
    assert "inspected" in told.sentence
    assert f"nearest sentence ({told.sentence_score:.3f}): {told.sentence}" in str(told)
    assert told.sentence_score > 0


def test_it_is_shown_everywhere(harbour):
    hits = harbour.search(QUESTION, k=2, explain=True)
    why = str(hits[0].explain())
    assert why.splitlines()[0].startswith(f"{hits[0].score:.3f} = ")
    assert "bm25 (rank 1" in why
    assert "words: " in why
    assert f"   | {why.splitlines()[0]}" in str(hits)
    assert why.splitlines()[0] in hits._repr_html_()
    assert hits[0].as_dict()["explanation"]["lists"]
    with pytest.raises(ConfigurationError, match="explain=True"):
        harbour.search(QUESTION, k=1)[0].explain()


def test_words_of_documents_are_no_markup(tmp_path):
    with Collection.open("odd", at=tmp_path / "q", recipe=Recipe(model="hashing")) as docs:
        docs.ingest(Document(text="<b>crane</b> \x1b[31mred", source="a"))
        hits = docs.search("<b>crane</b> red", k=1, explain=True)
        assert "<b>" not in hits._repr_html_()
        assert "\x1b" not in str(hits)


def test_a_reranker_is_told_of(harbour):
    hits = harbour.search(QUESTION, k=5, rerank="mmr:0.9", explain=True)
    for rank, hit in enumerate(harbour.search(QUESTION, k=7), 1):
        moved = next((other for other in hits if other.id == hit.id), None)
        if moved is not None:
            assert moved.explain().reranked == (rank, hit.score, moved.score)
    assert "reranked: was 1." in str(hits[0].explain())


def test_only_what_is_shown_is_embedded_for_its_sentences(harbour, monkeypatch):
    embedded, embed = [], harbour.embedder.embed_documents

    def watched(texts, **named):
        embedded.extend(texts)
        return embed(texts, **named)

    monkeypatch.setattr(type(harbour.embedder), "embed_documents", lambda _, texts, **named: watched(texts, **named))
    (hit,) = harbour.search(QUESTION, k=1, rerank="mmr:0.1", explain=True)
    told = hit.explain()
    assert told.sentence in embedded
    assert set(embedded) <= {part for part in embedded if part in hit.text}
    assert told.reranked is not None


def test_groups_and_longer_passages_are_explained(harbour):
    hits = harbour.search(QUESTION, k=3, group_by="document", expand=1, explain=True)
    for hit in hits:
        assert sum(part.share for part in hit.explain().lists) == pytest.approx(hit.score, abs=1e-6)


def test_what_is_doubtful_is_left_out(harbour):
    sure, doubtful = harbour.search([QUESTION, "zebras on the moon of Jupiter"], k=3)
    assert 0 <= doubtful.confidence < sure.confidence <= 1
    assert sure[0].score == pytest.approx(sure.confidence)
    between = (sure.confidence + doubtful.confidence) / 2
    found, nothing = harbour.search([QUESTION, "zebras on the moon of Jupiter"], k=3, min_confidence=between)
    assert list(found) == list(sure)
    assert (list(nothing), nothing.confidence) == ([], doubtful.confidence)
    assert sure[:2].confidence == sure.confidence
    assert harbour.search(QUESTION, mode="dense").confidence is None
    for wrong in (1.5, "high"):
        with pytest.raises(ConfigurationError, match="min_confidence"):
            harbour.search(QUESTION, min_confidence=wrong)
    with pytest.raises(ConfigurationError, match="mode='hybrid'"):
        harbour.search(QUESTION, mode="dense", min_confidence=0.5)


def test_parts_of_what_lies_behind_the_first_hundred_sum_to_the_score(make_collection):
    docs = make_collection(at=":memory:", chunk_tokens=24)
    pages = [f"The crane lifts {place} tons over the pier. Herring {place}." for place in range(140)]
    docs.ingest(Document(text=page, source=f"{place:03}") for place, page in enumerate(pages))
    docs.ingest(
        Document(text="\n\n".join(["The crane lifts the crane over the pier, with tons of it."] * 140), source="long")
    )
    for asked in ({"mode": "rrf"}, {"mode": "rrf", "group_by": "document"}, {"mode": "dense", "group_by": "document"}):
        hits = docs.search("crane pier", k=130, explain=True, **asked)
        assert len(hits) > 120
        for hit in hits:
            lists = hit.explain().lists
            assert sum(part.share for part in lists) == pytest.approx(hit.score, abs=1e-6)
            assert any(part.rank for part in lists)


@pytest.mark.parametrize("distance", ["euclid", "cosine", "dot"])
def test_sentences_are_compared_as_the_model_compares(make_collection, tmp_path, monkeypatch, distance):
    presets = tmp_path / "presets.toml"
    presets.write_text(f'[models.hashing]\nnormalize = false\ndistance = "{distance}"\n')
    monkeypatch.setenv("QDRANT_EMBED_PRESETS", str(presets))
    docs = make_collection(at=":memory:", compression="float32")
    docs.ingest(Document(text="The crane lifts twelve tons over the pier, and lifts the tons again.", source="a"))
    (hit,) = docs.search("crane pier", k=1, mode="dense", explain=True)
    assert hit.explain().sentence == hit.text
    assert hit.explain().sentence_score == pytest.approx(hit.score, rel=1e-4)


def test_sentences_are_found_where_each_window_has_a_vector(make_collection, tmp_path):
    docs = make_collection(model=str(save_tiny_model(tmp_path / "model")), window="windows")
    docs.ingest(Document(text="Crane four lifts twelve tons. The pier sleeps at night.", source="a"))
    (hit,) = docs.search("crane four lifts twelve tons", k=1, explain=True)
    assert hit.explain().sentence in hit.text
    assert hit.explain().sentence_score > 0
