"""nomic and GTE, whose files have one of two sets of names."""

import re
import shutil

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from qdrant_embed.models.resolve import resolve
from tests.support.built_graphs import batch, built

pytest.importorskip("openvino")
NAMES = {
    "nomic_bert": {
        "attn.Wqkv": ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
        "attn.out_proj": ("self_attn.o_proj",),
        "mlp.fc11": ("mlp.up_proj",),
        "mlp.fc12": ("mlp.gate_proj",),
        "mlp.fc2": ("mlp.down_proj",),
        "norm1": ("post_attention_layernorm",),
        "norm2": ("post_mlp_layernorm",),
    },
    "gte": {
        "attention.qkv_proj": ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
        "attention.o_proj": ("self_attn.o_proj",),
        "mlp.up_gate_proj": ("mlp.up_proj", "mlp.gate_proj"),
        "mlp.down_proj": ("mlp.down_proj",),
        "attn_ln": ("post_attention_layernorm",),
        "mlp_ln": ("post_mlp_layernorm",),
    },
}


def renamed(kind, tensors):
    """Return tensors under the names of transformers, which saves them under those that they were published with."""
    found = {}
    for name, tensor in tensors.items():
        start, old, what = re.fullmatch(r"(?:encoder\.layers?\.(\d+)\.)?(.+)\.(weight|bias)", name).groups()
        if start is None:
            found[f"{'embeddings.LayerNorm' if old == 'emb_ln' else old}.{what}"] = tensor
            continue
        names = NAMES[kind][old]
        for new, part in zip(names, np.split(tensor, len(names)), strict=True):
            found[f"new.layers.{start}.{new}.{what}" if kind == "gte" else f"layers.{start}.{new}.{what}"] = part
    return {name if "layers." in name or kind != "gte" else f"new.{name}": part for name, part in found.items()}


@pytest.mark.parametrize("kind", NAMES)
def test_files_with_the_names_of_transformers_give_the_same_states(folder_of, tmp_path, kind):
    folder = shutil.copytree(folder_of(kind), tmp_path / kind)
    file = folder / "model.safetensors"
    tensors = renamed(kind, load_file(file))
    file.unlink()
    save_file(tensors, file)
    old, new = (built(resolve(str(place)), pooled=False)(batch()) for place in (folder_of(kind), folder))
    np.testing.assert_array_equal(old, new)
