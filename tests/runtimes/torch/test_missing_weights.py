"""A checkpoint that lacks weights would give random vectors that look like any others."""

import logging
import logging.config

import numpy as np
import pytest

from qdrant_embed import load_embedder, load_multivector, load_sparse
from qdrant_embed.errors import ModelError
from qdrant_embed.models.files.word_vectors import CACHE_VARIABLE
from tests.support.tiny_encoders import save_colbert, save_splade
from tests.support.tiny_models import edit_json, save_tiny_model


def drop(folder, *parts):
    from safetensors.torch import load_file, save_file

    path = folder / "model.safetensors"
    kept = {name: tensor for name, tensor in load_file(path).items() if not any(part in name for part in parts)}
    save_file(kept, path, metadata={"format": "pt"})


def silenced():
    logging.getLogger("transformers.modeling_utils").disabled = True


LOGS = {
    "as it is": lambda: None,
    "disabled": lambda: logging.disable(logging.CRITICAL),
    "dictConfig": lambda: logging.config.dictConfig({"version": 1}),
    "one logger": silenced,
    "filter": lambda: logging.getLogger("transformers.modeling_utils").addFilter(lambda _: False),
}


@pytest.fixture
def logs(request):
    """Set logging up as programs do, and back at the end."""
    known = [logging.getLogger(name) for name in logging.root.manager.loggerDict]
    before = [(logger, logger.disabled, list(logger.filters)) for logger in known]
    root = logging.root.handlers[:], logging.root.level
    LOGS[request.param]()
    yield
    logging.disable(logging.NOTSET)
    logging.root.handlers[:], logging.root.level = root
    for logger, disabled, filters in before:
        logger.disabled, logger.filters = disabled, filters


@pytest.mark.parametrize(
    ("architecture", "logs"), [*(("bert", name) for name in LOGS), ("qwen3", "disabled")], indirect=["logs"]
)
def test_missing_weights_are_refused_whatever_is_done_to_logs(architecture, tmp_path, logs):
    folder = save_tiny_model(tmp_path, architecture)
    load_embedder(folder).embed_queries(["a"])
    drop(folder, "layer.1.", "layers.1.")
    with pytest.raises(ModelError, match=r"lack .* of the model's tensors"):
        load_embedder(folder).embed_queries(["a"])


@pytest.mark.parametrize("part", ["word_embeddings.weight", "position_embeddings", "layer.0.attention.self.key.bias"])
def test_one_missing_tensor_is_enough(part, tmp_path):
    folder = save_tiny_model(tmp_path, "bert")
    drop(folder, part)
    with pytest.raises(ModelError, match="lack 1 of"):
        load_embedder(folder).embed_queries(["a"])


@pytest.mark.parametrize(
    ("save", "load", "logs"),
    [
        (save_splade, load_sparse, "as it is"),
        (save_splade, load_sparse, "disabled"),
        (save_colbert, load_multivector, "as it is"),
        (save_colbert, load_multivector, "one logger"),
    ],
    indirect=["logs"],
)
def test_sparse_and_multivector_models_are_looked_at_too(save, load, tmp_path, logs):
    folder = save(tmp_path)
    load(folder).embed_documents(["a"])
    drop(folder, "layer.1.")
    with pytest.raises(ModelError, match="would be filled with random numbers"):
        load(folder).embed_documents(["a"])


def test_a_sparse_model_without_its_head_is_refused(tmp_path):
    folder = save_splade(tmp_path)
    drop(folder, "cls.predictions.transform")
    with pytest.raises(ModelError, match="would be filled with random numbers"):
        load_sparse(folder).embed_documents(["a"])


def test_a_random_graph_is_not_kept_for_the_next_process(tmp_path, monkeypatch):
    pytest.importorskip("openvino")
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    folder = save_tiny_model(tmp_path / "model", "bert")
    drop(folder, "layer.1.")
    logging.disable(logging.CRITICAL)
    try:
        with pytest.raises(ModelError, match="random"):
            load_embedder(folder, runtime="openvino:float32").embed_queries(["a"])
    finally:
        logging.disable(logging.NOTSET)
    assert not list((tmp_path / "cache").glob("converted/*/*"))


def test_a_missing_pooler_is_none_of_our_business(tmp_path):
    folder = save_tiny_model(tmp_path, "bert")
    before = load_embedder(folder).embed_queries(["a"])
    drop(folder, "pooler")
    assert load_embedder(folder).embed_queries(["a"]) == pytest.approx(before, abs=1e-6)


def test_tied_weights_stand_in_a_file_once(tmp_path):
    folder = save_splade(tmp_path)
    before = load_sparse(folder).embed_documents(["keys"])[0]
    drop(folder, "cls.predictions.decoder")
    after = load_sparse(folder).embed_documents(["keys"])[0]
    np.testing.assert_array_equal(before.indices, after.indices)
    np.testing.assert_allclose(before.values, after.values, atol=1e-6)


def test_models_that_others_load_meanwhile_are_none_of_our_business(tmp_path):
    from transformers import AutoModel

    from qdrant_embed.runtimes.torch.missing_weights import require_all_weights

    folder = save_tiny_model(tmp_path, "bert")
    usual = AutoModel.from_pretrained(folder)
    with pytest.raises(ModelError, match="could not be found out"), require_all_weights(folder):
        pass
    with require_all_weights(folder):
        model, report = AutoModel.from_pretrained(folder, output_loading_info=True)
    assert type(model) is type(usual)
    assert not report["missing_keys"]


def test_an_activation_that_is_not_known_is_refused(tmp_path):
    folder = save_tiny_model(tmp_path, "bert", dense=[16])
    edit_json(next(folder.glob("*_Dense")) / "config.json", activation_function="mine.layers.Swish")
    with pytest.raises(ModelError, match="Swish"):
        load_embedder(folder)
