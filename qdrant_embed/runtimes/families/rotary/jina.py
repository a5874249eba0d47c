"""jina-embeddings-v3 (Sturua et al. 2024, arXiv 2409.10173, section 4): XLM-R with rotary positions, and adapters."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from qdrant_embed.runtimes.families.family import Family, Node
from qdrant_embed.runtimes.families.rotary.rope import ROPE_ENTRIES, stated_rope, unknown_rope
from qdrant_embed.runtimes.families.rotary.rotary_bert import UNREAD, USED, WORDS, block, enter

if TYPE_CHECKING:
    from qdrant_embed.runtimes.families.builder import Builder

_THETA = 20_000.0
_PLACE = r"^encoder\.layers\.(\d+)\."


def feed(builder: Builder, states: Node, place: str) -> Node:
    """Return down(act(up(x)))."""
    return builder.linear(builder.activation(builder.linear(states, f"{place}.fc1")), f"{place}.fc2")


FAMILY = Family(
    model_types=("jina_embeddings_v3",),
    used=(*USED, *ROPE_ENTRIES),
    passing=("intermediate_size", "pad_token_id"),
    defaults={
        **{"num_attention_heads": 16, "num_hidden_layers": 24, "hidden_size": 1024, "hidden_act": "gelu"},
        **{"layer_norm_eps": 1e-5, "type_vocab_size": 1, "max_position_embeddings": 8194, "default_theta": _THETA},
    },
    prefixes=("", "roberta."),
    words=WORDS,
    unread=UNREAD,
    enter=enter,
    block=partial(block, bias=True, feed=feed),
    positions="rotary",
    unusual=lambda config: unknown_rope(stated_rope(config, _THETA)),
    published={
        rf"{_PLACE}mixer\.Wqkv\.": tuple(rf"layers.\1.self_attn.{part}_proj." for part in "qkv"),
        rf"{_PLACE}mixer\.out_proj\.": (r"layers.\1.self_attn.o_proj.",),
        rf"{_PLACE}mlp\.": (r"layers.\1.mlp.",),
        rf"{_PLACE}norm1\.": (r"layers.\1.post_attention_layernorm.",),
        rf"{_PLACE}norm2\.": (r"layers.\1.post_mlp_layernorm.",),
        r"^emb_ln\.": ("embeddings.LayerNorm.",),
    },
)
