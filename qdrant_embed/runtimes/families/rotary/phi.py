"""Phi (Li et al. 2023, arXiv 2309.05463): attention beside a feed-forward layer, half of each head rotated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from qdrant_embed.runtimes.families.family import Family, Node
from qdrant_embed.runtimes.families.rotary.angles import angles
from qdrant_embed.runtimes.families.rotary.decoder_parts import HEADS, PASSING, grouped_attention, head_size, is_causal
from qdrant_embed.runtimes.families.rotary.masks import seen_within
from qdrant_embed.runtimes.families.rotary.rope import ROPE_ENTRIES, stated_rope, unknown_rope
from qdrant_embed.types import Json

if TYPE_CHECKING:
    from qdrant_embed.runtimes.families.builder import Builder

_SHARE = "partial_rotary_factor"


def enter(builder: Builder) -> Node:
    """Return rows of words."""
    return builder.embedding(builder.ids, "embed_tokens.weight")


def block(builder: Builder, states: Node, number: int) -> Node:
    """Return the states behind a block."""
    place, config = f"layers.{number}", builder.config
    inner = builder.layer_norm(states, f"{place}.input_layernorm", config["layer_norm_eps"])
    heads = config["num_attention_heads"]
    shared = config.get("num_key_value_heads") or heads
    queries, keys, values = (
        builder.heads(builder.linear(inner, f"{place}.self_attn.{part}_proj"), count)
        for part, count in zip("qkv", (heads, shared, shared), strict=True)
    )
    rope = _rope(config)
    dim = int(head_size(config) * rope[_SHARE])
    by = builder.once("angles", lambda: angles(builder, rope, dim))
    mask = seen_within(builder, None, 0 if is_causal(builder) else None)
    seen = builder.linear(grouped_attention(builder, (queries, keys, values), by, mask), f"{place}.self_attn.dense")
    inner = builder.linear(builder.activation(builder.linear(inner, f"{place}.mlp.fc1")), f"{place}.mlp.fc2")
    return builder.add(seen, inner, states)


def finish(builder: Builder, states: Node) -> Node:
    """Return states normalized a last time."""
    return builder.layer_norm(states, "final_layernorm", builder.config["layer_norm_eps"])


def _rope(config: Mapping[str, Json]) -> dict[str, Json]:
    """Return the settings of rotary positions; half of a head is rotated where nothing says how much."""
    share = config.get(_SHARE)
    return {_SHARE: 0.5 if share is None else share, **stated_rope(config, 10_000.0)}


FAMILY = Family(
    model_types=("phi",),
    used=(
        *("num_attention_heads", "num_key_value_heads", "hidden_act", "layer_norm_eps", "num_hidden_layers"),
        *("is_causal", _SHARE, *ROPE_ENTRIES),
    ),
    fixed={"qk_layernorm": (False,)},
    passing=PASSING,
    defaults={"layer_norm_eps": 1e-5, "hidden_act": "gelu_new"},
    prefixes=("", "model."),
    words="embed_tokens.weight",
    unread=HEADS,
    enter=enter,
    block=block,
    finish=finish,
    positions="rotary",
    attentions=("causal", "bidirectional"),
    unusual=lambda config: unknown_rope(_rope(config), partial=True),
)
