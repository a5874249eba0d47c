"""Weights that do not fit what they are said to be are refused, and say why; nothing is guessed."""

import json
import shutil

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from qdrant_embed.embedding import load_embedder
from qdrant_embed.errors import ConfigurationError, ModelError
from qdrant_embed.models.resolve import resolve
from qdrant_embed.runtimes.conversion.convert import FidelityWarning
from qdrant_embed.runtimes.families.known_families import unbuilt
from tests.support.tiny_models import edit_json, save_tiny_model

pytest.importorskip("openvino")
WEIGHTS = "model.safetensors"


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    return save_tiny_model(tmp_path_factory.mktemp("model"), "bert")


@pytest.fixture
def folder(saved, tmp_path):
    return shutil.copytree(saved, tmp_path / "model")


def build(folder):
    from qdrant_embed.runtimes.families.built_graph import build

    return build(resolve(str(folder)))


def rewrite(folder, change):
    tensors = load_file(folder / WEIGHTS)
    change(tensors)
    save_file(tensors, folder / WEIGHTS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda found: found.pop("encoder.layer.1.output.dense.bias"), r"lack the tensor 'encoder\.layer\.1\.output"),
        (lambda found: found.update({"encoder.layer.2.new": np.zeros(3, np.float32)}), r"1 tensors that nothing reads"),
        (lambda found: found.update({"embeddings.words.weight": found.pop(EMBEDDINGS)}), "have no tensor 'embeddings"),
        (lambda found: found.update({EMBEDDINGS: found[EMBEDDINGS][:, :16].copy()}), r"has the shape \[\d+, 16\]"),
        (lambda found: found.update({EMBEDDINGS: found[EMBEDDINGS][:40].copy()}), r"has the shape \[40, 32\]"),
        (lambda found: found.update({POSITIONS: found[POSITIONS] > 0}), "is stored as BOOL"),
        (
            lambda found: found.update({POSITIONS: found[POSITIONS][:40].copy()}),
            "64 tokens at once, and has 40 positions",
        ),
    ],
    ids=["missing", "left over", "no words", "other width", "other vocabulary", "other type", "fewer positions"],
)
def test_tensors_that_do_not_fit_are_named(folder, change, message):
    rewrite(folder, change)
    with pytest.raises(ModelError, match=message):
        build(folder)


EMBEDDINGS, POSITIONS = "embeddings.word_embeddings.weight", "embeddings.position_embeddings.weight"


def test_heads_and_counted_positions_are_left_over_rightly_and_older_names_are_known(folder):
    def older(found):
        found["embeddings.position_ids"] = np.arange(64)[None]
        found["cls.predictions.bias"] = np.zeros(3, np.float32)
        for name in [name for name in found if "LayerNorm" in name]:
            newer, older = (name.replace(*pair) for pair in ((".weight", ".gamma"), (".bias", ".beta")))
            found[newer if newer != name else older] = found.pop(name)
        for name in [name for name in found if not name.startswith("cls.")]:
            found[f"bert.{name}"] = found.pop(name)

    wanted = load_embedder(folder, runtime="openvino:float32").embed_documents(["w1 w2"])
    rewrite(folder, older)
    found = load_embedder(folder, runtime="openvino:float32").embed_documents(["w1 w2"])
    np.testing.assert_array_equal(found, wanted)


def split(folder):
    tensors, halves = (
        load_file(folder / WEIGHTS),
        ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"),
    )
    place = {name: halves[number % 2] for number, name in enumerate(sorted(tensors))}
    for half in halves:
        save_file({name: tensors[name] for name in tensors if place[name] == half}, folder / half)
    (folder / f"{WEIGHTS}.index.json").write_text(json.dumps({"weight_map": place}))
    (folder / WEIGHTS).unlink()
    return [folder / half for half in halves]


def test_weights_in_several_files_are_one_model_and_half_of_them_none(folder):
    wanted = load_embedder(folder, runtime="openvino:float32").embed_documents(["w1 w2"])
    _, second = split(folder)
    found = load_embedder(folder, runtime="openvino:float32").embed_documents(["w1 w2"])
    np.testing.assert_array_equal(found, wanted)
    whole = second.read_bytes()
    second.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match=r"model-00002-of-00002.*cut short"):
        build(folder)
    second.unlink()
    with pytest.raises(ModelError, match=r"lacks model-00002-of-00002\.safetensors"):
        build(folder)


@pytest.mark.parametrize("kind", ["F16", "BF16"])
def test_half_precision_is_read_as_its_numbers_are(folder, kind):
    import torch
    from safetensors.torch import load_file as load
    from safetensors.torch import save_file as save

    half = {"F16": torch.float16, "BF16": torch.bfloat16}[kind]
    save({name: tensor.to(half) for name, tensor in load(folder / WEIGHTS).items()}, folder / WEIGHTS)
    found = load_embedder(folder, runtime="openvino:float32").embed_documents(["w1 w2", "The gates open at six."])
    wanted = load_embedder(folder, runtime="torch").embed_documents(["w1 w2", "The gates open at six."])
    np.testing.assert_allclose(found, wanted, atol=1e-5)


@pytest.mark.parametrize(
    ("stated", "why"),
    [
        ({"position_embedding_type": "relative_key"}, "position_embedding_type='relative_key'"),
        ({"hidden_act": "mish"}, "hidden_act='mish'"),
        ({"is_decoder": True}, "is_decoder=True"),
        ({"add_cross_attention": True}, "add_cross_attention=True"),
        ({"quantization_config": {"bits": 4}}, r"an entry that is not known here \(quantization_config\)"),
        ({"model_type": "deberta-v2"}, "the architecture 'deberta-v2' is not run without torch"),
    ],
    ids=str,
)
def test_a_configuration_that_is_not_described_is_left_to_torch(folder, stated, why):
    edit_json(folder / "config.json", **stated)
    found = unbuilt(resolve(str(folder)))
    assert why.replace(r"\(", "(").replace(r"\)", ")") in found
    with pytest.raises(ModelError, match=why):
        build(folder)


def test_what_nobody_asked_for_gives_way_to_torch_where_weights_are_odd(folder, monkeypatch):
    monkeypatch.delenv("QDRANT_EMBED_RUNTIME")
    monkeypatch.setattr("qdrant_embed.runtimes.choice._has_gpu", lambda: False)
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    rewrite(folder, lambda found: found.update({"encoder.new": np.zeros(3, np.float32)}))
    with pytest.warns(FidelityWarning, match=r"tensors that nothing reads \(encoder\.new\).* Torch runs it instead"):
        assert load_embedder(folder).embed_documents(["w1"]).shape == (1, 32)


def test_more_blocks_than_there_are_are_refused(saved):
    with pytest.raises(ConfigurationError, match="layers=3"):
        load_embedder(saved, runtime="openvino:float32", layers=3).embed_documents(["w1"])
