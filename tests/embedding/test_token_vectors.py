"""Vectors of single tokens: those that sentence-transformers pools, each token of a text once."""

import numpy as np
import pytest

from qdrant_embed import load_embedder
from qdrant_embed.errors import ConfigurationError

TEXT = " ".join(f"w{number % 60}" for number in range(100))
ROOM = 22
"""Words beside [CLS] and [SEP] in a window of the tiny model."""


def units(states):
    return states / np.linalg.norm(states, axis=1, keepdims=True)


def states_of(model, text):
    return model.encode([text], output_value="token_embeddings", convert_to_numpy=False)[0].numpy()


@pytest.fixture(scope="module")
def folder(save_model):
    return save_model()


def test_they_are_the_states_of_a_texts_own_tokens(folder, reference):
    texts = ["w7", "w1 w2 w3 w4 w5 w6 w7 w8", "w3 . w4"]
    found, model = load_embedder(folder).tokens.embed_documents(texts), reference(folder)
    for text, vectors in zip(texts, found, strict=True):
        np.testing.assert_allclose(vectors, units(states_of(model, text)[1:-1]), atol=1e-5)


def test_prompts_are_read_and_left_out(prompted_folder, reference):
    embedder, model = load_embedder(prompted_folder), reference(prompted_folder)
    for embed, prompt in ((embedder.tokens.embed_documents, "passage : "), (embedder.tokens.embed_queries, "query : ")):
        (found,) = embed(["w1 w2 w3"])
        np.testing.assert_allclose(found, units(states_of(model, f"{prompt}w1 w2 w3")[3:-1]), atol=1e-5)


@pytest.mark.parametrize("window", ["pcw", "truncate", "windows:12", "late"])
def test_of_a_long_text_each_token_is_there_once(folder, reference, window):
    (found,) = load_embedder(folder, window=window).tokens.embed_documents([TEXT])
    model, words = reference(folder), TEXT.split()
    starts = [*range(0, 88, ROOM), 100 - ROOM]
    read = [units(states_of(model, " ".join(words[start : start + ROOM]))[1:-1]) for start in starts]
    expected = np.concatenate([*read[:-1], read[-1][88 - 78 :]])
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_an_empty_text_has_those_of_its_special_tokens(folder):
    empty, none = load_embedder(folder), load_embedder(folder).tokens.embed_queries([])
    assert [vectors.shape for vectors in empty.tokens.embed_documents(["", "w1"])] == [(2, 32), (1, 32)]
    assert none == []


def test_layers_behind_the_pooling_are_left_out(save_model):
    plain, dense = (load_embedder(save_model(dense=size)) for size in (0, 8))
    for one, other in zip(plain.tokens.embed_queries([TEXT]), dense.tokens.embed_queries([TEXT]), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_models_without_token_states_say_what_to_use():
    with pytest.raises(ConfigurationError, match=r"rerank compares .* 'hashing' gives none.*Recipe\(model='minilm'\)"):
        load_embedder("hashing").tokens.require("rerank")
