import json
import shutil

import numpy as np
import pytest

from qdrant_embed.embedding import load_embedder
from qdrant_embed.errors import ModelError


@pytest.fixture
def folder(save_model, tmp_path):
    """Return a copy of a model that a test may spoil."""
    return shutil.copytree(save_model(), tmp_path / "copy")


def test_weights_of_sixteen_bits_are_run_in_float32(folder):
    import torch
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    # Rounded first, so that both files hold the same numbers.
    rounded = {name: value.to(torch.bfloat16) for name, value in weights.items()}
    config = json.loads((folder / "config.json").read_text())
    found = []
    for dtype in ("float32", "bfloat16"):
        save_file(
            {name: value.to(getattr(torch, dtype)) for name, value in rounded.items()}, folder / "model.safetensors"
        )
        (folder / "config.json").write_text(json.dumps({**config, "dtype": dtype}))
        found.append(load_embedder(folder).embed_documents(["w1 w2 w3", "w4"]))
    np.testing.assert_allclose(*found, atol=1e-6)


def test_a_tokenizer_file_that_does_not_match_the_folder_is_found_out(folder):
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    config = json.loads((folder / "tokenizer_config.json").read_text())
    tokenizer["post_processor"] = None
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    # This class puts [CLS] and [SEP] around every text, whatever the file says.
    (folder / "tokenizer_config.json").write_text(json.dumps({**config, "tokenizer_class": "BertTokenizer"}))
    with pytest.raises(ModelError, match=r"gives other tokens .*Save it anew: AutoTokenizer"):
        load_embedder(folder).embed_documents(["w1"])


def test_broken_weights_are_named(folder):
    (folder / "model.safetensors").write_bytes(b"not weights at all")
    with pytest.raises(ModelError, match=rf"{folder}/model\.safetensors is no safetensors file.*Download it again"):
        load_embedder(folder).embed_documents(["w1"])


def test_a_model_whose_code_is_unknown_is_refused(folder):
    config = json.loads((folder / "config.json").read_text())
    theirs = {"model_type": "made_up", "auto_map": {"AutoConfig": "theirs.Config", "AutoModel": "theirs.Model"}}
    (folder / "config.json").write_text(json.dumps({**config, **theirs}))
    (folder / "theirs.py").write_text("raise SystemExit('code of the model was run')")
    with pytest.raises(ModelError, match=r"brings code of its own \(theirs\.Model\), which is not run"):
        load_embedder(folder).embed_documents(["w1"])


# First numbers of SentenceTransformer(folder).encode(text), sentence-transformers 6.2.0, torch 2.13.0, float32, CPU.
GOLDEN = {
    "query": (
        "how often are the master keys rotated?",
        [0.019135, -0.060426, -0.002779, -0.018412, -0.077543, 0.031919, -0.051167, -0.033276],
    ),
    "document": (
        "Master keys are rotated every ninety days by the harbour master.",
        [0.012906, -0.013318, 0.025391, -0.03606, -0.039345, 0.023733, -0.047876, -0.054249],
    ),
}


@pytest.mark.model
@pytest.mark.parametrize("kind", GOLDEN)
def test_the_default_model_gives_its_golden_vectors(kind):
    text, expected = GOLDEN[kind]
    embedder = load_embedder("minilm")
    embed = embedder.embed_queries if kind == "query" else embedder.embed_documents
    np.testing.assert_allclose(embed([text])[0, :8], expected, atol=1e-5)


@pytest.mark.model
def test_the_default_model_keeps_its_promises():
    from qdrant_embed.testing.embedders import check_embedder

    check_embedder(load_embedder("minilm"))
