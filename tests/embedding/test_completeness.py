"""A checkpoint that lacks weights would give random vectors that look like any others."""

import pytest

from qdrant_embed import load_embedder
from qdrant_embed.errors import ModelError
from qdrant_embed.testing.tiny_models import save_tiny_model


def drop(folder, *parts):
    from safetensors.torch import load_file, save_file

    path = folder / "model.safetensors"
    kept = {name: tensor for name, tensor in load_file(path).items() if not any(part in name for part in parts)}
    save_file(kept, path, metadata={"format": "pt"})


@pytest.mark.parametrize("architecture", ["bert", "qwen3"])
def test_missing_weights_are_refused(architecture, tmp_path):
    folder = save_tiny_model(tmp_path, architecture)
    load_embedder(folder).embed_queries(["a"])
    drop(folder, "layer.1.", "layers.1.")
    with pytest.raises(ModelError, match=r"lack .* of the model's parts"):
        load_embedder(folder).embed_queries(["a"])


def test_a_missing_pooler_is_none_of_our_business(tmp_path):
    folder = save_tiny_model(tmp_path, "bert")
    before = load_embedder(folder).embed_queries(["a"])
    drop(folder, "pooler")
    assert load_embedder(folder).embed_queries(["a"]) == pytest.approx(before, abs=1e-6)
