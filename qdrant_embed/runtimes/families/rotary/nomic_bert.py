"""nomic-embed-text (Nussbaum et al. 2024, arXiv 2402.01613, section 3): rotary positions, SwiGLU, no biases."""

from functools import partial

from qdrant_embed.runtimes.families.family import Family
from qdrant_embed.runtimes.families.rotary.rope import ROPE_ENTRIES, stated_rope, unknown_rope
from qdrant_embed.runtimes.families.rotary.rotary_bert import UNREAD, USED, WORDS, block, enter

_THETA = 1000.0
_PLACE = r"^encoder\.layers\.(\d+)\."

FAMILY = Family(
    model_types=("nomic_bert",),
    used=(*USED, *ROPE_ENTRIES),
    fixed={
        # As the models were published: what is computed here has these values, whatever the entry is called.
        **{"n_embd": (768,), "n_layer": (12,), "n_head": (12,), "n_inner": (3072,), "layer_norm_epsilon": (1e-12,)},
        **{"activation_function": ("swiglu",), "rotary_emb_base": (1000,), "rotary_emb_fraction": (1,)},
        **{"rotary_emb_interleaved": (False,), "prenorm": (False,), "parallel_block": (False,), "causal": (False,)},
        "parallel_block_tied_norm": (False,),
        **{"use_rms_norm": (False,), "qkv_proj_bias": (False,), "mlp_fc1_bias": (False,), "mlp_fc2_bias": (False,)},
        **{"scale_attn_weights": (True,), "scale_attn_by_inverse_layer_idx": (False,)},
    },
    passing=(
        *("intermediate_size", "pad_token_id", "n_positions", "max_trained_positions", "attn_pdrop", "use_flash_attn"),
        *("fused_bias_fc", "fused_dropout_add_ln", "use_xentropy", "pad_vocab_size_multiple", "dense_seq_output"),
        *("last_layer_subset", "reorder_and_upcast_attn", "summary_activation", "summary_first_dropout"),
        *("summary_proj_to_logits", "summary_type", "summary_use_proj"),
        # About texts that are longer than the trained window, which `dynamic` reads.
        "rotary_scaling_factor",
    ),
    defaults={
        **{"num_attention_heads": 12, "num_hidden_layers": 12, "hidden_size": 768, "hidden_act": "silu"},
        **{"layer_norm_eps": 1e-12, "type_vocab_size": 2, "max_position_embeddings": 2048, "default_theta": _THETA},
    },
    prefixes=("", "nomic_bert."),
    words=WORDS,
    unread=UNREAD,
    enter=enter,
    block=partial(block, bias=False),
    positions="rotary",
    unusual=lambda config: unknown_rope(stated_rope(config, _THETA)),
    published={
        rf"{_PLACE}attn\.Wqkv\.": tuple(rf"layers.\1.self_attn.{part}_proj." for part in "qkv"),
        rf"{_PLACE}attn\.out_proj\.": (r"layers.\1.self_attn.o_proj.",),
        rf"{_PLACE}mlp\.fc11\.": (r"layers.\1.mlp.up_proj.",),
        rf"{_PLACE}mlp\.fc12\.": (r"layers.\1.mlp.gate_proj.",),
        rf"{_PLACE}mlp\.fc2\.": (r"layers.\1.mlp.down_proj.",),
        rf"{_PLACE}norm1\.": (r"layers.\1.post_attention_layernorm.",),
        rf"{_PLACE}norm2\.": (r"layers.\1.post_mlp_layernorm.",),
        r"^emb_ln\.": ("embeddings.LayerNorm.",),
    },
)
