"""A wrong preset cannot pass: whatever is altered, the vectors are no longer those of sentence-transformers."""

import json

import numpy as np
import pytest

from qdrant_embed.embedding import load_embedder

TEXTS = ["w1 w2 w3", "w4", "w5 w6 w7 w8 w9 w10 w11", "w12 w13"]
RIGHT = {"pooling": "lasttoken", "attention": "bidirectional", "query_prompt": "query : ", "padding": "left"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a Mistral of two layers with a sliding window, as transformers models are laid out."""
    import torch
    from transformers import MistralConfig, MistralModel

    from tests.support.plain_bert import WORDS, make_tokenizer

    torch.manual_seed(5)
    folder = tmp_path_factory.mktemp("mistral")
    config = MistralConfig(
        vocab_size=len(WORDS),
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=64,
        initializer_range=0.3,
        sliding_window=3,
    )
    MistralModel(config).save_pretrained(folder)
    make_tokenizer().save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def expected(folder, tmp_path_factory):
    """Return what sentence-transformers makes of the model, bidirectional by its configuration."""
    import shutil

    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

    copy = shutil.copytree(folder, tmp_path_factory.mktemp("reference") / "model")
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(config | {"is_causal": False}))
    # Eager attention always has a mask, so that nothing is left to how a kernel reads its absence.
    transformer = Transformer(str(copy), model_kwargs={"attn_implementation": "eager", "dtype": torch.float32})
    transformer.tokenizer.padding_side = "left"
    modules = [transformer, Pooling(32, "lasttoken"), Normalize()]
    model = SentenceTransformer(modules=modules, device="cpu")
    return model.encode(TEXTS, prompt="query : ", batch_size=4)


@pytest.fixture
def vectors(folder, tmp_path):
    def make(**values):
        stated = "\n".join(f"{key} = {json.dumps(value)}" for key, value in values.items())
        (tmp_path / "mine.toml").write_text(f'[models.mine]\nsource = "{folder}"\n{stated}\n')
        return load_embedder("mine", presets=tmp_path / "mine.toml").embed_queries(TEXTS)

    return make


def test_the_right_preset_gives_the_vectors_of_sentence_transformers(vectors, expected):
    np.testing.assert_allclose(vectors(**RIGHT), expected, atol=1e-5)
    np.testing.assert_allclose(vectors(**RIGHT | {"padding": "right"}), expected, atol=1e-5)


@pytest.mark.parametrize(
    "wrong",
    [
        *({"pooling": name} for name in ("mean", "cls", "max", "weightedmean")),
        {"attention": "causal"},
        {"attention": ""},
        {"query_prompt": ""},
        {"query_prompt": "query "},
        {"query_prompt": "passage : "},
        {"query_prompt": "", "query_template": "query : {text} ."},
        {"states": "first"},
        {"states": "input"},
        {"layers": 1},
    ],
    ids=str,
)
def test_a_wrong_preset_does_not(vectors, expected, wrong):
    cosines = (vectors(**RIGHT | wrong) * expected).sum(axis=1)
    assert cosines.min() < 0.999
