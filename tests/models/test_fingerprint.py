"""What names a model's files: every tensor counts, every setting counts, who saved them does not."""

import json
import shutil

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from qdrant_embed.embedding import load_embedder
from qdrant_embed.errors import ModelError
from qdrant_embed.models.files.model_folder import read_model_files
from qdrant_embed.models.fingerprint import file_fingerprint, model_fingerprint


@pytest.fixture
def folder(save_model, tmp_path):
    """Return a copy that a test may spoil."""
    return shutil.copytree(save_model(), tmp_path / "copy")


def edit(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def named(folder):
    return model_fingerprint(read_model_files(folder))


def test_one_number_of_any_tensor_of_a_small_model_is_seen(folder):
    path, seen = folder / "model.safetensors", {named(folder)}
    weights = load_file(path)
    for name, tensor in weights.items():
        changed = tensor.copy()
        changed.flat[tensor.size // 2] += 1
        save_file(weights | {name: changed}, path)
        seen.add(named(folder))
    assert len(seen) == len(weights) + 1


def test_training_one_block_is_seen_however_large_its_tensors(folder):
    path, random = folder / "model.safetensors", np.random.default_rng(3)
    weights = load_file(path)
    large = {f"encoder.layer.{n}.output.dense.weight": np.zeros((256, 1024), np.float32) for n in range(3)}
    save_file(weights | large, path)
    before, size = named(folder), path.stat().st_size
    name = "encoder.layer.1.output.dense.weight"
    save_file(weights | large | {name: random.normal(size=(256, 1024)).astype(np.float32)}, path)
    assert path.stat().st_size == size
    assert named(folder) != before


def test_how_weights_are_split_into_files_and_who_saved_them_is_not_seen(folder):
    before, weights = named(folder), load_file(folder / "model.safetensors")
    edit(folder / "config.json", transformers_version="4.8.2", _name_or_path="elsewhere")
    (folder / "model.safetensors").unlink()
    halves = sorted(weights)[::2], sorted(weights)[1::2]
    for number, names in enumerate(halves):
        save_file({name: weights[name] for name in names}, folder / f"model-{number}.safetensors", {"format": "pt"})
    assert named(folder) == before
    edit(folder / "config.json", layer_norm_eps=1e-6)
    assert named(folder) != before


def test_settings_of_modules_behind_the_pooling_are_seen(save_model, tmp_path):
    saved = save_model(["mean", "max"], dense=16)
    seen = {named(saved)}
    for number, (path, changes) in enumerate(
        [
            ("1_Pooling/config.json", {"pooling_mode": ["mean", "cls"]}),
            ("1_Pooling/config.json", {"include_prompt": False}),
            ("2_Dense/config.json", {"activation_function": "torch.nn.modules.linear.Identity"}),
        ]
    ):
        folder = shutil.copytree(saved, tmp_path / str(number))
        edit(folder / path, **changes)
        seen.add(named(folder))
    assert len(seen) == 4


def test_a_pooling_written_in_the_older_way_is_the_same(save_model, tmp_path):
    folder = shutil.copytree(save_model("mean", dense=16), tmp_path / "copy")
    before = named(folder)
    old = {"word_embedding_dimension": 32, "pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True}
    (folder / "1_Pooling/config.json").write_text(json.dumps(old))
    assert named(folder) == before


def test_a_prompt_that_is_not_pooled_makes_another_model(save_model):
    models = [load_embedder(save_model(include_prompt=include)).fingerprint["model"] for include in (True, False)]
    assert models[0] != models[1]


@pytest.mark.parametrize("spoil", [lambda data: data[:-5], lambda _: b"version https://git-lfs.github.com/spec/v1\n"])
def test_weights_that_are_cut_short_are_named(folder, spoil):
    path = folder / "model.safetensors"
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(ModelError, match=r"model\.safetensors is no safetensors file, or was cut short .*git lfs pull"):
        named(folder)


def test_samples_of_a_file_reach_all_over_it_and_into_what_goes_on_from_it(tmp_path):
    path, data = tmp_path / "model.onnx", bytearray(32 * 2**20)
    path.write_bytes(data)
    seen = {file_fingerprint(path)}
    for start in range(0, len(data), 2**20):
        data[start : start + 2**16] = b"\x01" * 2**16
        path.write_bytes(data)
        seen.add(file_fingerprint(path))
    assert len(seen) == 33
    (tmp_path / "model.onnx_data").write_bytes(b"more")
    assert file_fingerprint(path) not in seen
