"""Gemma 3 (arXiv 2503.19786, section 2), and EmbeddingGemma (arXiv 2509.20354): most blocks see near tokens only.

Four normalizations a block, and queries and keys are normalized too. Blocks that see far have a base of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from qdrant_embed.runtimes.families.family import Family, Node
from qdrant_embed.runtimes.families.rotary.angles import angles_of_kind
from qdrant_embed.runtimes.families.rotary.decoder_parts import (
    HEADS,
    PASSING,
    gated,
    grouped_attention,
    is_causal,
    rms_norm,
)
from qdrant_embed.runtimes.families.rotary.masks import seen_within
from qdrant_embed.runtimes.families.rotary.rope import FULL, ROPE_ENTRIES, kind_of, stated_rope, unknown_kinds
from qdrant_embed.types import Json

if TYPE_CHECKING:
    from qdrant_embed.runtimes.families.builder import Builder

_BOTH = "use_bidirectional_attention"


def enter(builder: Builder) -> Node:
    """Return rows of words, multiplied by the root of their width."""
    rows = builder.embedding(builder.ids, "embed_tokens.weight")
    return builder.ops.multiply(rows, np.float32(builder.config["hidden_size"] ** 0.5))


def block(builder: Builder, states: Node, number: int) -> Node:
    """Return the states behind a block."""
    place, config = f"layers.{number}", builder.config
    kind = kind_of(config, number, slides=(number + 1) % config["sliding_window_pattern"] != 0)
    inner = _norm(builder, states, f"{place}.input_layernorm")
    heads, shared = config["num_attention_heads"], config["num_key_value_heads"]
    queries, keys, values = (
        builder.heads(builder.linear(inner, f"{place}.self_attn.{part}_proj", bias=False), count)
        for part, count in zip("qkv", (heads, shared, shared), strict=True)
    )
    queries, keys = (
        _norm(builder, part, f"{place}.self_attn.{name}_norm") for name, part in (("q", queries), ("k", keys))
    )
    by = builder.once(kind, lambda: angles_of_kind(builder, kind, _rope(config, kind), config["head_dim"]))
    scale = config["query_pre_attn_scalar"] ** -0.5
    seen = grouped_attention(builder, (queries, keys, values), by, _seen(builder, kind), scale)
    seen = _norm(
        builder, builder.linear(seen, f"{place}.self_attn.o_proj", bias=False), f"{place}.post_attention_layernorm"
    )
    states = builder.add(states, seen)
    inner = _norm(builder, states, f"{place}.pre_feedforward_layernorm")
    inner = gated(builder, inner, f"{place}.mlp", activation="hidden_activation")
    return builder.add(states, _norm(builder, inner, f"{place}.post_feedforward_layernorm"))


def finish(builder: Builder, states: Node) -> Node:
    """Return states normalized a last time."""
    return _norm(builder, states, "norm")


def _norm(builder: Builder, states: Node, name: str) -> Node:
    # Its weights are what is added to 1.
    return rms_norm(builder, states, name, added=1.0)


def _rope(config: Mapping[str, Json], kind: str) -> dict[str, Json]:
    if kind == FULL:
        return stated_rope(config, 1_000_000.0, kind)
    return stated_rope(config, 10_000.0, kind, theta_entry="rope_local_base_freq", scaled=False)


def _seen(builder: Builder, kind: str) -> Node | None:
    config = builder.config
    both = bool(config.get(_BOTH))
    causal = is_causal(builder) if builder.preset.attention or not both else False
    if kind == FULL:
        return seen_within(builder, None, 0 if causal else None)
    # Where both sides are seen by its own configuration, half of the window is on each.
    window = config["sliding_window"] // 2 + 1 if both else config["sliding_window"]
    if causal:
        return seen_within(builder, window - 1, 0)
    # Its own configuration counts the token itself; where a preset lets tokens see both sides, transformers does not.
    reach = window - 1 if both and not builder.preset.attention else window
    return seen_within(builder, reach, reach)


FAMILY = Family(
    model_types=("gemma3_text",),
    used=(
        *("num_attention_heads", "num_key_value_heads", "head_dim", "hidden_activation", "rms_norm_eps", "hidden_size"),
        *("num_hidden_layers", "query_pre_attn_scalar", "sliding_window", "layer_types", "sliding_window_pattern"),
        *(_BOTH, "is_causal", "rope_local_base_freq", *ROPE_ENTRIES),
    ),
    fixed={"attention_bias": (False,)},
    passing=(*PASSING, "_sliding_window_pattern", "final_logit_softcapping"),
    defaults={
        **{"num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 256, "query_pre_attn_scalar": 256},
        **{"hidden_activation": "gelu_pytorch_tanh", "rms_norm_eps": 1e-6, "sliding_window": 4096},
        **{"max_position_embeddings": 131_072, "sliding_window_pattern": 6},
    },
    prefixes=("", "model."),
    words="embed_tokens.weight",
    unread=HEADS,
    enter=enter,
    block=block,
    finish=finish,
    positions="rotary",
    attentions=("causal", "bidirectional"),
    unusual=lambda config: unknown_kinds(config, _rope),
)
