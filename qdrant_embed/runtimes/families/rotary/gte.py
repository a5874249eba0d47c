"""GTE for long texts (Zhang et al. 2024, arXiv 2407.19669, section 3.1): rotary positions, GeGLU."""

from functools import partial

from qdrant_embed.runtimes.families.family import Family
from qdrant_embed.runtimes.families.rotary.rope import ROPE_ENTRIES, stated_rope, unknown_rope
from qdrant_embed.runtimes.families.rotary.rotary_bert import UNREAD, USED, WORDS, block, enter

_THETA = 160_000.0
_PLACE = r"^encoder\.layer\.(\d+)\."

FAMILY = Family(
    model_types=("gte",),
    used=(*USED, *ROPE_ENTRIES),
    fixed={
        # As the models were published.
        **{"position_embedding_type": ("rope",), "layer_norm_type": ("layer_norm",), "pack_qkv": (True,)},
        **{"logn_attention_scale": (False,), "logn_attention_clip1": (False,)},
    },
    passing=("intermediate_size", "pad_token_id", "unpad_inputs", "use_memory_efficient_attention"),
    defaults={
        **{"num_attention_heads": 12, "num_hidden_layers": 12, "hidden_size": 768, "hidden_act": "gelu"},
        **{"layer_norm_eps": 1e-12, "type_vocab_size": 1, "max_position_embeddings": 8192, "default_theta": _THETA},
    },
    prefixes=("", "gte.", "new."),
    words=WORDS,
    unread=UNREAD,
    enter=enter,
    block=partial(block, bias=True),
    positions="rotary",
    unusual=lambda config: unknown_rope(stated_rope(config, _THETA)),
    published={
        rf"{_PLACE}attention\.qkv_proj\.": tuple(rf"layers.\1.self_attn.{part}_proj." for part in "qkv"),
        rf"{_PLACE}attention\.o_proj\.": (r"layers.\1.self_attn.o_proj.",),
        rf"{_PLACE}mlp\.up_gate_proj\.": (r"layers.\1.mlp.up_proj.", r"layers.\1.mlp.gate_proj."),
        rf"{_PLACE}mlp\.down_proj\.": (r"layers.\1.mlp.down_proj.",),
        rf"{_PLACE}attn_ln\.": (r"layers.\1.post_attention_layernorm.",),
        rf"{_PLACE}mlp_ln\.": (r"layers.\1.post_mlp_layernorm.",),
    },
)
