"""The same vectors as sentence-transformers, the reference."""

import json
import shutil

import numpy as np
import pytest

from qdrant_embed.embedding import load_embedder
from qdrant_embed.errors import ConfigurationError

SHORT = ["w1 w2", "w3", "", "w4 w5 w6 . w7", "unknown words here"]
LONG = " ".join(f"w{number}" for number in range(50))  # the tiny models take 24 tokens, two of them special


def close(found, expected):
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(
    "settings",
    [
        {"pooling": "mean"},
        {"pooling": "cls"},
        {"pooling": "max"},
        {"pooling": "lasttoken"},
        {"pooling": "weightedmean"},
        {"pooling": "mean_sqrt_len_tokens"},
        {"pooling": ("cls", "mean")},
        {"pooling": "cls", "normalize": False},
        {"dense": 16},
        {"dense": 16, "normalize": False},
        {"prompts": {"query": "query : ", "document": "passage : "}},
        {"prompts": {"query": "query : ", "document": "passage : "}, "include_prompt": False},
    ],
    ids=str,
)
def test_vectors_equal_those_of_sentence_transformers(save_model, reference, settings):
    folder = save_model(**settings)
    embedder, theirs = load_embedder(folder, window="truncate"), reference(folder)
    texts = [*SHORT, LONG]
    close(embedder.embed_documents(texts), theirs.encode_document(texts))
    close(embedder.embed_queries(texts), theirs.encode_query(texts))


def test_cut_dimensions_equal_those_of_sentence_transformers(save_model, reference, tmp_path):
    folder = shutil.copytree(save_model(), tmp_path / "matryoshka")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "matryoshka_dimensions": [8, 16, 32]}))
    embedder = load_embedder(folder, compression="8d")
    assert embedder.dim == 8
    expected = reference(folder).encode_document(SHORT, truncate_dim=8, normalize_embeddings=True)
    close(embedder.embed_documents(SHORT), expected)
    with pytest.raises(ConfigurationError, match="trained for: 8d, 16d"):
        load_embedder(folder, compression="9d")


def test_a_model_that_lower_cases_texts_gets_them_so(save_model, reference, tmp_path):
    folder = shutil.copytree(save_model(), tmp_path / "lower")
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 24, "do_lower_case": true}')
    embedder = load_embedder(folder)
    close(embedder.embed_documents(["W1 w2"]), reference(folder).encode_document(["W1 w2"]))
    close(embedder.embed_documents(["W1 w2"]), embedder.embed_documents(["w1 w2"]))


def test_left_padding_changes_nothing(save_model, tmp_path):
    folder = shutil.copytree(save_model("lasttoken"), tmp_path / "left")
    right = load_embedder(folder).embed_documents(SHORT)
    config = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps({**config, "padding_side": "left"}))
    alone = load_embedder(folder)
    close(np.concatenate([alone.embed_documents([text]) for text in SHORT]), right)
