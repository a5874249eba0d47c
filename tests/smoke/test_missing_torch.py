"""What needs torch says so, what to type, and how to be spared CUDA, before it does anything that takes time."""

import json
import re

import pytest

from qdrant_embed import diagnose, extend, load_embedder, load_multivector, load_sparse
from qdrant_embed.errors import MissingExtraError
from qdrant_embed.extras import is_installed
from qdrant_embed.training import train_paragraph_vectors

pytestmark = pytest.mark.skipif(is_installed("torch"), reason="torch is installed")


@pytest.fixture
def refused():
    """Return what expects the error, with the words that name what needs torch."""

    def expect(what):
        words = rf"(?s){re.escape(what)}.* needs the package 'torch'.*pip install 'qdrant-embed\[torch\]'.*whl/cpu"
        return pytest.raises(MissingExtraError, match=words)

    return expect


def test_trainings(opened, refused, tmp_path):
    with refused("training codes"):
        opened().vectors.train_codes(bits=8)
    with refused("training paragraph vectors"):
        train_paragraph_vectors(["a b", "a b"])
    with refused("training positions"):
        extend("minilm", 1024, ["a text"], tmp_path / "longer")


def test_runtimes_that_were_asked_for(refused, minilm):
    with refused("'minilm'"):
        load_embedder("minilm", runtime="torch").embed_documents(["a"])
    with pytest.raises(MissingExtraError, match=r"qdrant-embed\[onnx\]"):
        load_embedder("minilm", runtime="onnx").embed_documents(["a"])


def test_selfextend(refused, changed_minilm):
    config = {
        "model_type": "llama", "hidden_size": 32, "num_attention_heads": 2, "num_hidden_layers": 2, "rope_theta": 1e4,
        "max_position_embeddings": 64,
    }  # fmt: skip
    folder = changed_minilm({"config.json": json.dumps(config), "sentence_bert_config.json": '{"max_seq_length": 64}'})
    with refused("'selfextend'"):
        load_embedder(str(folder), window="selfextend:256").embed_documents(["a"])


def test_sparse_and_multivector_models(refused, changed_minilm):
    kinds = "sentence_transformers.sparse_encoder.modules"
    modules = [
        {"idx": 0, "name": "0", "path": "", "type": f"{kinds}.MLMTransformer"},
        {"idx": 1, "name": "1", "path": "1_SpladePooling", "type": f"{kinds}.SpladePooling"},
    ]
    pooling = {"pooling_strategy": "max", "activation_function": "relu", "word_embedding_dimension": 30522}
    folder = changed_minilm({"modules.json": json.dumps(modules), "1_SpladePooling/config.json": json.dumps(pooling)})
    with refused("the sparse model"):
        load_sparse(str(folder)).embed_documents(["a"])
    (folder / "modules.json").unlink()
    (folder / "modules.json").write_text(json.dumps(modules[:1]).replace("MLMTransformer", "Transformer"))
    (folder / "config_sentence_transformers.json").unlink()
    (folder / "config_sentence_transformers.json").write_text(json.dumps({"model_type": "MultiVectorEncoder"}))
    with refused("the multivector model"):
        load_multivector(str(folder)).embed_documents(["a"])


def test_a_cross_encoder(opened, refused):
    with refused("the cross-encoder"):
        opened().search("keys", k=1, rerank="cross-encoder:some/model")


def test_an_architecture_that_openvino_is_not_given(refused, changed_minilm, minilm):
    config = json.loads((minilm / "config.json").read_text()) | {"model_type": "electra"}
    with refused("electra"):
        load_embedder(str(changed_minilm({"config.json": json.dumps(config)}))).embed_documents(["a"])


def test_doctor_takes_it_for_optional():
    found = {finding.name: finding for finding in diagnose("hashing").findings}
    assert found["device"].status in ("ok", "absent")
    assert all(finding.status != "problem" for finding in found.values()), found
