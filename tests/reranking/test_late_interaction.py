"""Late interaction by the collection's own model, beside a slow twin that compares token by token."""

from dataclasses import replace
from math import exp
from statistics import fmean, pstdev

import numpy as np
import pytest

from qdrant_embed import Collection, Document, Recipe
from qdrant_embed.errors import ConfigurationError
from qdrant_embed.reranking.late_interaction import interaction, standard_scores
from qdrant_embed.testing import check_reranker

QUESTION = "w7 w12 w55"


@pytest.fixture(scope="module")
def words(save_model, tmp_path_factory):
    """Return twenty documents of a few words each, twins among them, embedded by a tiny model."""
    generator = np.random.default_rng(3)
    with Collection.open("words", at=tmp_path_factory.mktemp("words"), recipe=Recipe(model=str(save_model()))) as made:
        for number in range(20):
            chosen = generator.integers(0, 60, 12)
            made.ingest([Document(text=" ".join(f"w{word}" for word in chosen), source=f"{number}")])
        made.ingest([Document(text="w7 w12 w55 w3", source="twin a"), Document(text="w7 w12 w55 w3", source="twin b")])
        yield made


def scores_slowly(embedder, hits):
    """Return the score of each hit, worked out token by token."""
    (asked,) = embedder.tokens.embed_queries([QUESTION])
    read = [embedder.tokens.embed_documents([hit.text])[0] for hit in hits]
    rows = [[max(float(np.dot(token, other)) for other in tokens) for token in asked] for tokens in read]
    weights = [pstdev(column) for column in zip(*rows, strict=True)]
    late = [sum(w * cell for w, cell in zip(weights, row, strict=True)) / sum(weights) for row in rows]
    first = [hit.score for hit in hits]
    if min(first) <= 0:
        first = [score - min(first) + pstdev(first) for score in first]
    standings = [(value - fmean(late)) / pstdev(late) for value in late]
    return [score * exp(standing / 4) for score, standing in zip(first, standings, strict=True)]


def test_the_suite_runs_over_it(words):
    check_reranker(words.parts.reranker("tokens"), QUESTION, words.search(QUESTION, k=12))


@pytest.mark.parametrize("mode", ["hybrid", "dense"])
def test_scores_are_those_of_a_slow_twin(words, mode):
    hits = words.search(QUESTION, k=22, mode=mode)
    ranked = words.search(QUESTION, k=22, mode=mode, rerank="tokens")
    expected = dict(zip([hit.id for hit in hits], scores_slowly(words.embedder, hits), strict=True))
    assert {hit.id: hit.score for hit in ranked} == pytest.approx(expected, abs=1e-3)
    one, other = (hit.score for hit in ranked if hit.source.startswith("twin"))
    assert one == other


def test_it_reads_so_many_and_each_passage_once(words, monkeypatch):
    read = []
    embed = type(words.embedder.tokens).embed_documents
    monkeypatch.setattr(
        type(words.embedder.tokens), "embed_documents", lambda self, texts: read.append(texts) or embed(self, texts)
    )
    plain = words.search(QUESTION, k=22)
    ranked = words.search(QUESTION, k=22, rerank="tokens:5")
    assert [hit.id for hit in ranked[5:]] == [hit.id for hit in plain[5:]]
    assert {hit.id for hit in ranked[:5]} == {hit.id for hit in plain[:5]}
    read.clear()
    words.search([QUESTION, "w1 w2", "w9"], k=3, rerank="tokens")
    (texts,) = read
    assert len(texts) == len(set(texts)) == 21, "twins are one text"


def test_words_of_the_question_that_are_everywhere_count_for_nothing():
    nearest = np.array([[0.9, 0.1], [0.9, 0.5], [0.9, 0.3]], np.float32)
    np.testing.assert_allclose(interaction(nearest), [0.1, 0.5, 0.3], atol=1e-6)
    np.testing.assert_allclose(interaction(np.full((3, 2), 0.4, np.float32)), [0.4] * 3, atol=1e-6)
    assert standard_scores([2.0, 2.0]).tolist() == [0.0, 0.0]


def test_scores_that_are_not_above_0_are_raised_in_their_order(words):
    hits = [replace(hit, score=3.0 - place) for place, hit in enumerate(words.search(QUESTION, k=8))]
    same = [replace(hit, text="w1", context="") for hit in hits]
    ranked = words.parts.reranker("tokens").rerank(QUESTION, same)
    assert [hit.id for hit in ranked] == [hit.id for hit in hits]
    spread = pstdev(range(8))
    assert [hit.score for hit in ranked] == pytest.approx([7 - place + spread for place in range(8)])


def test_of_long_documents_the_nearest_window_is_read(save_model, make_collection, monkeypatch):
    made = make_collection(model=str(save_model()), window="windows", chunker="document")
    texts = (" ".join(f"w{(start + number) % 60}" for number in range(200)) for start in (0, 9))
    made.ingest([Document(text=text, source=text[:2]) for text in texts])
    read = []
    monkeypatch.setattr(
        type(made.embedder.tokens),
        "embed_documents",
        lambda self, texts: read.extend(texts) or [np.eye(32, dtype=np.float32)] * len(texts),
    )
    hits = made.search("w7 w8", mode="dense", rerank="tokens")
    assert sorted(read) == sorted(hit.passage for hit in hits)
    assert all(len(text.split()) <= 22 for text in read)


@pytest.mark.parametrize("word", ["tokens:x", "tokens:-1", "tokens:0", "tokens:2.5"])
def test_other_depths_are_refused(words, word):
    with pytest.raises(ConfigurationError, match="'tokens:50'"):
        words.search(QUESTION, rerank=word)


def test_models_without_token_states_are_refused(make_collection):
    with pytest.raises(ConfigurationError, match=r"rerank='tokens' compares the states of single tokens.*'hashing'"):
        make_collection().search("cod", rerank="tokens")
