"""Graphs that a folder brings: read where there are no weights, refused where they are not what the folder says."""

import numpy as np
import pytest

from qdrant_embed.embedding import load_embedder
from qdrant_embed.errors import ModelError
from qdrant_embed.models.resolve import resolve
from qdrant_embed.runtimes.choice import choose
from qdrant_embed.runtimes.families import known_families
from tests.support.tiny_models import edit_json, save_tiny_model

openvino = pytest.importorskip("openvino")
TEXTS = ["w1 w2", "The gates of the harbour open at six in the morning.", "keys " * 90]


@pytest.fixture
def folder(tmp_path):
    return save_tiny_model(tmp_path / "model", "bert", dense=[16])


def states_of(folder):
    """Return the graph of a model's states as exporters leave it: with kinds of text, in whole numbers of 32 bits."""
    from openvino import opset13 as ops

    from qdrant_embed.runtimes.families.built_graph import build
    from tests.support.built_graphs import shaped

    resolved = shaped(save_tiny_model(folder.parent / "states", "bert", normalize=False))
    model = build(resolved, pooled=False).model
    kinds = ops.parameter([-1, -1], np.int32, "token_type_ids")
    kinds.output(0).set_names({"token_type_ids"})
    states = model.get_results()[0].input_value(0)
    # Other kinds than the first would show.
    added = ops.add(states, ops.unsqueeze(ops.convert(kinds, np.float32), np.int64(-1)))
    added.output(0).set_names({"last_hidden_state"})
    return openvino.Model([added], [*model.get_parameters(), kinds])


def bring(folder, model, place="openvino/openvino_model.xml"):
    (folder / place).parent.mkdir()
    openvino.save_model(model, folder / place, compress_to_fp16=False)


def test_a_folder_without_weights_is_read_by_its_graph(folder):
    wanted = load_embedder(folder, runtime="torch").embed_documents(TEXTS)
    bring(folder, states_of(folder))
    (folder / "model.safetensors").unlink()
    edit_json(folder / "config.json", model_type="mystery")
    embedder = load_embedder(folder)
    assert embedder.runtime.startswith("openvino")
    assert "no weights" in choose(resolve(str(folder))).why
    found = load_embedder(folder, runtime="openvino:float32").embed_documents(TEXTS)
    assert np.einsum("nd,nd->n", found, wanted).min() > 0.99999
    with pytest.raises(ModelError, match="a graph and no weights"):
        load_embedder(folder, layers=1, runtime="openvino").embed_documents(["w1"])


def test_another_graph_is_another_model(folder):
    bring(folder, states_of(folder))
    (folder / "model.safetensors").unlink()
    before = load_embedder(folder).fingerprint
    numbers = folder / "openvino" / "openvino_model.bin"
    numbers.write_bytes(numbers.read_bytes()[::-1])
    assert load_embedder(folder).fingerprint != before


def test_weights_come_first_and_torch_before_a_graph_of_unknown_make(folder, monkeypatch):
    bring(folder, states_of(folder))
    assert known_families.brought_file(resolve(str(folder))) is None
    edit_json(folder / "config.json", model_type="mystery")
    assert known_families.brought_file(resolve(str(folder))) is None
    monkeypatch.setattr(known_families, "is_installed", lambda _: False)
    assert known_families.brought_file(resolve(str(folder))) is not None


def test_onnx_is_read_too(tmp_path):
    folder = save_tiny_model(tmp_path / "plain", "bert")
    onnx = pytest.importorskip("onnx")
    words = np.random.default_rng(1).normal(size=(600, 32)).astype(np.float32)
    graph = onnx.parser.parse_model(
        """<ir_version: 8, opset_import: ["": 17]>
        table (int64[n, t] input_ids, int64[n, t] attention_mask) => (float[n, t, 32] last_hidden_state) {
            last_hidden_state = Gather(words, input_ids)
        }"""
    )
    graph.graph.initializer.append(onnx.numpy_helper.from_array(words, "words"))
    (folder / "onnx").mkdir()
    onnx.save(graph, folder / "onnx" / "model.onnx")
    (folder / "model.safetensors").unlink()
    found = load_embedder(folder, runtime="openvino:float32").embed_documents(TEXTS[:2])
    tokens = resolve(str(folder)).files.tokenizer()
    wanted = np.stack([words[tokens.encode(text).ids].mean(axis=0) for text in TEXTS[:2]])
    np.testing.assert_allclose(found, wanted / np.linalg.norm(wanted, axis=1, keepdims=True), atol=1e-5)


def two(ops, **changes):
    """Return a graph that is not what it should be."""
    names = changes.get("names", ("input_ids", "attention_mask"))
    inputs = [ops.parameter([-1, -1], np.int64, name) for name in names]
    for node, name in zip(inputs, names, strict=True):
        node.output(0).set_names({name})
    table = np.random.default_rng(1).normal(size=(700, changes.get("width", 32)))
    rows = (
        ops.constant((table * 40).astype(np.int8)) if changes.get("rounded") else ops.constant(table.astype(np.float32))
    )
    states = ops.gather(ops.convert(rows, np.float32), inputs[0], np.int64(0))
    for more in inputs[1:]:
        states = ops.multiply(states, ops.unsqueeze(ops.convert(more, np.float32), np.int64(-1)))
    return openvino.Model([ops.reduce_sum(states, np.int64(1)) if changes.get("flat") else states], inputs)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"names": ("input_ids", "attention_mask", "position_ids")},
            "takes input_ids, attention_mask, position_ids; only",
        ),
        ({"names": ("input_ids",)}, "takes input_ids; only"),
        ({"width": 24}, "states of 24 dimensions, not the 32 of config"),
        ({"flat": True}, r"and no states of tokens \(n, tokens, 32\)"),
        ({"rounded": True}, "weights that were rounded to i8"),
    ],
    ids=str,
)
def test_a_graph_that_is_not_the_models_is_refused(folder, changes, message):
    from openvino import opset13 as ops

    bring(folder, two(ops, **changes))
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=message):
        load_embedder(folder).embed_documents(["w1"])


def test_a_graph_that_is_cut_short_is_refused(folder):
    bring(folder, states_of(folder))
    (folder / "model.safetensors").unlink()
    place = folder / "openvino" / "openvino_model.xml"
    place.write_text(place.read_text()[:500])
    with pytest.raises(ModelError, match=r"openvino_model\.xml cannot be read"):
        load_embedder(folder).embed_documents(["w1"])
