"""Cross-encoders: the scores that transformers itself gives, and what is refused."""

import json
import shutil

import pytest

from qdrant_embed import Collection, Document, Recipe
from qdrant_embed.errors import ConfigurationError, ModelError
from qdrant_embed.reranking import CrossEncoderReranker
from qdrant_embed.testing import check_reranker
from tests.support.tiny_encoders import save_cross_encoder

QUESTION = "when do the gates of the harbour open?"
TEXTS = (
    "The gates of the harbour open at six in the morning.",
    "Master keys are rotated every ninety days by the harbour master.",
    "Crane four lifts at most twelve tons.",
    "A lost key is reported within one hour.",
    "Crane four lifts at most twelve tons. " * 12,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_cross_encoder(tmp_path_factory.mktemp("cross-encoder"))


@pytest.fixture(scope="module")
def harbour():
    with Collection.open("harbour", at=":memory:", recipe=Recipe(model="hashing")) as made:
        made.ingest([Document(text=text, source=text[:30] + str(len(text))) for text in TEXTS])
        yield made


def scores_by_transformers(folder, query, texts):
    """Return what the model gives for one pair after the other, cut at the end of the passage, by sigmoid."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForSequenceClassification.from_pretrained(folder)
    found = []
    for text in texts:
        inputs = tokenizer(query, text, truncation="longest_first", max_length=64, return_tensors="pt")
        with torch.inference_mode():
            found.append(float(torch.sigmoid(model.eval()(**inputs).logits)))
    return found


def test_the_suite_runs_over_it(folder, harbour):
    check_reranker(harbour.parts.reranker(f"cross-encoder:{folder}"), QUESTION, harbour.search(QUESTION))


def test_scores_are_those_of_transformers(folder, harbour):
    hits = harbour.search(QUESTION, rerank=f"cross-encoder:{folder}")
    expected = scores_by_transformers(folder, QUESTION, [hit.text for hit in hits])
    assert [hit.score for hit in hits] == pytest.approx(expected, abs=1e-5)
    assert expected == sorted(expected, reverse=True)
    assert len(hits) == len(TEXTS)


def test_weights_are_loaded_once(folder, harbour, monkeypatch):
    harbour.search(QUESTION, rerank=f"cross-encoder:{folder}")
    monkeypatch.setattr("sentence_transformers.CrossEncoder", None)
    assert harbour.search([QUESTION, "keys"], k=2, rerank=[f"cross-encoder:{folder}", "mmr"])


def test_no_hits_load_nothing(harbour):
    assert harbour.search("cod", filter={"source": "none"}, rerank="cross-encoder:no/such") == []


def test_what_gives_several_numbers_is_refused(tmp_path, harbour):
    several = save_cross_encoder(tmp_path / "several", labels=3)
    with pytest.raises(ModelError, match=r"gave an array of shape \(5, 3\) for 5 pairs.*num_labels = 1"):
        harbour.search(QUESTION, rerank=f"cross-encoder:{several}")


def test_what_would_be_made_up_or_run_code_is_refused(folder, tmp_path, harbour):
    bare = shutil.copytree(folder, tmp_path / "bare")
    config = json.loads((bare / "config.json").read_text())
    (bare / "config.json").write_text(json.dumps({**config, "architectures": ["BertModel"]}))
    with pytest.raises(ModelError, match=r"is no cross-encoder: its config\.json says BertModel.*SequenceClass"):
        harbour.search(QUESTION, rerank=f"cross-encoder:{bare}")
    pickled = shutil.copytree(folder, tmp_path / "pickled")
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    with pytest.raises(ModelError, match="no weights as safetensors"):
        harbour.search(QUESTION, rerank=f"cross-encoder:{pickled}")
    (bare / "model.safetensors").write_bytes(b"nothing")
    (bare / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="cannot be loaded"):
        CrossEncoderReranker(bare).rerank(QUESTION, harbour.search(QUESTION))


@pytest.mark.parametrize("word", ["cross-encoder", "cross-encoder:"])
def test_a_word_without_a_model_is_refused(harbour, word):
    with pytest.raises(ConfigurationError, match="name a folder or an id on the hub"):
        harbour.search(QUESTION, rerank=word)


def test_a_model_that_is_not_there_says_how_to_get_it(harbour):
    with pytest.raises(ModelError, match=r"'no/such' is not on this machine"):
        harbour.search(QUESTION, rerank="cross-encoder:no/such")
