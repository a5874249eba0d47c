"""What BERT with rotary positions and gated layers has in common, by whomever it was trained."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from qdrant_embed.runtimes.families.family import Node
from qdrant_embed.runtimes.families.rotary.angles import angles, rotated
from qdrant_embed.runtimes.families.rotary.decoder_parts import gated, head_size
from qdrant_embed.runtimes.families.rotary.rope import stated_rope

if TYPE_CHECKING:
    from qdrant_embed.runtimes.families.builder import Builder

Feed = Callable[["Builder", Node, str], Node]

USED = (
    *("num_attention_heads", "num_hidden_layers", "hidden_size", "head_dim", "hidden_act", "layer_norm_eps"),
    *("type_vocab_size", "default_theta"),
)
"""Entries of `config.json` that are read here, beside those of rotary positions."""
WORDS = "embeddings.word_embeddings.weight"
UNREAD = r"(pooler|cls|lm_head|classifier)\.|embeddings\.(position|token_type)_ids$"


def enter(builder: Builder) -> Node:
    """Return rows of words and of the first kind of text, normalized."""
    states = builder.embedding(builder.ids, WORDS)
    if builder.config["type_vocab_size"]:
        kinds = builder.weights.array("embeddings.token_type_embeddings.weight", -1, -1)
        states = builder.add(states, builder.constant(kinds[:1]))
    return builder.layer_norm(states, "embeddings.LayerNorm", builder.config["layer_norm_eps"])


def block(builder: Builder, states: Node, number: int, *, bias: bool, feed: Feed | None = None) -> Node:
    """Return the states behind a block.

    :param feed: Builder, states and the name of a layer → what it gives, before a sum; gated if left out, where gates
        have no bias.
    """
    place, config = f"layers.{number}", builder.config
    heads, eps = config["num_attention_heads"], config["layer_norm_eps"]
    queries, keys, values = (
        builder.heads(builder.linear(states, f"{place}.self_attn.{part}_proj", bias=bias), heads) for part in "qkv"
    )
    rope = stated_rope(config, config["default_theta"])
    by = builder.once("angles", lambda: angles(builder, rope, head_size(config)))
    seen = builder.attention(rotated(builder, queries, by), rotated(builder, keys, by), values)
    seen = builder.linear(seen, f"{place}.self_attn.o_proj", bias=bias)
    states = builder.layer_norm(builder.add(states, seen), f"{place}.post_attention_layernorm", eps)
    feed = feed or partial(gated, out_bias=bias)
    inner = feed(builder, states, f"{place}.mlp")
    return builder.layer_norm(builder.add(states, inner), f"{place}.post_mlp_layernorm", eps)
