"""Frequencies as `config.json` states them, against those of transformers; what is not known is refused by name."""

import re
import shutil

import numpy as np
import pytest

from qdrant_embed.models.resolve import resolve
from qdrant_embed.runtimes.families.known_families import unbuilt
from qdrant_embed.runtimes.families.rotary.rope import stated_rope, turning
from tests.support.late_import import Late
from tests.support.tiny_models import edit_json

AutoConfig = Late("transformers", "AutoConfig")
ROPE_INIT_FUNCTIONS = Late("transformers.modeling_rope_utils", "ROPE_INIT_FUNCTIONS")

SIZES = {"head_dim": 64, "hidden_size": 256, "num_attention_heads": 4, "max_position_embeddings": 8192}
WINDOW = {"original_max_position_embeddings": 2048}
KINDS = {
    "linear": {"rope_type": "linear", "factor": 4.0},
    "llama3": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, **WINDOW},
    "yarn": {"rope_type": "yarn", "factor": 4.0, **WINDOW},
    "yarn of the window": {"rope_type": "yarn", "factor": None, **WINDOW},
    "yarn, weighted": {"rope_type": "yarn", "factor": 4.0, "mscale": 0.7, "mscale_all_dim": 0.3},
    "yarn, all set": {
        **{"type": "yarn", "factor": 16.0, "attention_factor": 1.5, "beta_fast": 8, "beta_slow": 2, "truncate": False},
        **WINDOW,
    },
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("entry", ["rope_parameters", "rope_scaling"])
def test_frequencies_and_sizes_are_those_of_transformers(kind, entry):
    older = {"rope_theta": 50_000.0} if entry == "rope_scaling" else {}
    given = {**SIZES, **older, entry: {**KINDS[kind], **({} if older else {"rope_theta": 50_000.0})}}
    config = AutoConfig.for_model("llama", **{**given, entry: dict(given[entry])})
    wanted, size = ROPE_INIT_FUNCTIONS[config.rope_parameters["rope_type"]](config)
    found = turning(stated_rope(given, 10_000.0), 64, 8192)
    np.testing.assert_allclose(found.frequencies, wanted.numpy(), rtol=1e-5)
    assert found.size == pytest.approx(size)


REFUSED = [
    ("qwen2", {"rope_parameters": {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 1e4}}, "of the kind 'dynamic'"),
    ("llama", {"rope_scaling": {"type": "longrope", "factor": 2.0}}, "of the kind 'longrope'"),
    (
        "qwen3",
        {"rope_parameters": {"rope_type": "default", "mrope_section": [1, 1, 2]}},
        "known here .mrope_section",
    ),
    ("gemma3_text", {"rope_scaling": {"rope_type": "proportional"}}, "of the kind 'proportional'"),
    ("gemma3_text", {"attn_logit_softcapping": 50.0}, "not known here .attn_logit_softcapping"),
    ("llama", {"partial_rotary_factor": 0.5}, "partial_rotary_factor=0.5"),
    ("llama", {"rope_parameters": {"rope_type": "default", "partial_rotary_factor": 0.5}}, "a part of each head alone"),
    ("qwen3", {"head_dim": None}, "how large a head is .head_dim"),
    ("mistral", {"sliding_window": None}, "how far tokens see .sliding_window"),
    ("qwen2", {"use_sliding_window": True, "layer_types": None, "max_window_layers": None}, "max_window_layers"),
    ("modernbert", {"layer_types": ["chunked_attention", "full_attention"]}, "layers are of the kinds chunked"),
    ("nomic_bert", {"rotary_emb_base": 10_000}, "rotary_emb_base=10000, and only 1000"),
    ("gte", {"logn_attention_scale": True}, "logn_attention_scale=True"),
    ("phi", {"qk_layernorm": True}, "qk_layernorm=True"),
    ("qwen2", {"hidden_act": "xielu"}, "xielu"),
]


@pytest.mark.parametrize(("kind", "entries", "why"), REFUSED, ids=str)
def test_entries_that_change_what_is_computed_are_refused_by_name(folder_of, tmp_path, kind, entries, why):
    folder = shutil.copytree(folder_of(kind), tmp_path / kind)
    edit_json(folder / "config.json", **entries)
    assert re.search(why, unbuilt(resolve(folder)))


PUBLISHED = {
    "nomic_bert": {
        **{
            "activation_function": "swiglu",
            "attn_pdrop": 0.0,
            "causal": False,
            "dense_seq_output": True,
            "n_embd": 768,
        },
        **{"fused_bias_fc": True, "fused_dropout_add_ln": True, "layer_norm_epsilon": 1e-12, "n_head": 12},
        **{"max_trained_positions": 2048, "mlp_fc1_bias": False, "mlp_fc2_bias": False, "n_layer": 12, "n_inner": 3072},
        **{"pad_vocab_size_multiple": 64, "parallel_block": False, "parallel_block_tied_norm": False, "prenorm": False},
        **{"qkv_proj_bias": False, "reorder_and_upcast_attn": False, "rotary_emb_base": 1000, "n_positions": 8192},
        **{"rotary_emb_interleaved": False, "scale_attn_by_inverse_layer_idx": False, "scale_attn_weights": True},
        **{"summary_first_dropout": 0.0, "summary_proj_to_logits": True, "summary_type": "cls_index"},
        **{"summary_use_proj": True, "use_flash_attn": True, "use_xentropy": True, "use_rms_norm": False},
        "rotary_emb_fraction": 1.0,
    },
    "modernbert": {
        **{"global_attn_every_n_layers": 3, "global_rope_theta": 160_000.0, "local_rope_theta": 10_000.0},
        **{"layer_norm_eps": 1e-5, "position_embedding_type": "absolute", "repad_logits_with_grad": False},
    },
    "gte": {
        **{"layer_norm_type": "layer_norm", "logn_attention_clip1": False, "logn_attention_scale": False},
        **{"position_embedding_type": "rope", "rope_theta": 160_000, "unpad_inputs": True, "pack_qkv": True},
        "use_memory_efficient_attention": True,
    },
    "qwen2": {"use_mrope": False, "rope_theta": 1_000_000.0, "sliding_window": 32_768, "max_window_layers": 21},
    "llama": {"pooling": "avg", "temperature": 0.02, "pretraining_tp": 1, "rope_theta": 500_000.0},
    "phi": {"embd_pdrop": 0.0, "resid_pdrop": 0.0, "partial_rotary_factor": 0.5, "qk_layernorm": False},
    "gemma3_text": {"_sliding_window_pattern": 6, "rope_local_base_freq": 10_000.0, "query_pre_attn_scalar": 256},
}
"""Entries as the models were published with them, of which newer files have some no more."""


@pytest.mark.parametrize("kind", PUBLISHED)
def test_entries_as_they_were_published_are_known(folder_of, tmp_path, kind):
    folder = shutil.copytree(folder_of(kind), tmp_path / kind)
    edit_json(folder / "config.json", **PUBLISHED[kind])
    assert unbuilt(resolve(folder)) == ""
