"""What language models share: normalization by size alone, gated layers, attention with fewer keys than queries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from qdrant_embed.runtimes.families.family import Node
from qdrant_embed.runtimes.families.rotary.angles import Angles, rotated
from qdrant_embed.runtimes.families.rotary.masks import shared_heads
from qdrant_embed.types import Json

if TYPE_CHECKING:
    from qdrant_embed.runtimes.families.builder import Builder

PASSING = ("hidden_size", "intermediate_size", "pad_token_id", "eos_token_id", "pooling", "temperature")
"""Entries of `config.json` that change no state of a language model, beside those that change none in any."""
HEADS = r"(lm_head|score|classifier)\.|(model\.)?(layers\.\d+\.self_attn\.)?rotary_emb\."
"""Tensors that give no state: heads, and frequencies that are not learned."""


def head_size(config: Mapping[str, Json]) -> int:
    """Return the dimensions of a head."""
    return int(config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"])


def is_causal(builder: Builder) -> bool:
    """Tell whether tokens see none that come later: by the preset, else by `config.json`."""
    if builder.preset.attention:
        return builder.preset.attention == "causal"
    return bool(builder.config.get("is_causal", True))


def rms_norm(builder: Builder, states: Node, name: str, *, added: float = 0.0) -> Node:
    """Return states divided by the root of their mean square, times `NAME.weight` (Zhang and Sennrich 2019).

    :param added: What is added to that weight.
    """
    ops, eps = builder.ops, np.float32(builder.config["rms_norm_eps"])
    square = ops.reduce_mean(ops.power(states, np.float32(2)), ops.constant(np.array([-1])), keep_dims=True)
    inverse = ops.divide(ops.constant(np.float32(1)), ops.sqrt(ops.add(square, eps)))
    gain = builder.weights.array(f"{name}.weight", -1) + np.float32(added)
    return ops.multiply(ops.multiply(states, inverse), builder.constant(gain))


def gated(
    builder: Builder,
    states: Node,
    place: str,
    *,
    activation: str = "hidden_act",
    bias: bool = False,
    out_bias: bool = False,
) -> Node:
    """Return down(act(gate(x)) · up(x)) (Shazeer 2020, arXiv 2002.05202).

    :param activation: The entry of `config.json` that names act.
    :param bias: Whether gate and up have one; `out_bias`, whether down has.
    """
    gate, up = (builder.linear(states, f"{place}.{part}_proj", bias=bias) for part in ("gate", "up"))
    inner = builder.ops.multiply(builder.activation(gate, activation), up)
    return builder.linear(inner, f"{place}.down_proj", bias=out_bias)


def grouped_attention(
    builder: Builder, parts: tuple[Node, Node, Node], by: Angles, seen: Node | None, scale: float | None = None
) -> Node:
    """Return what tokens see, heads side by side (n, tokens, heads · size).

    :param parts: Queries (n, heads, tokens, size), keys and values (n, groups, tokens, size), not rotated yet.
    :param seen: As of `seen_within`.
    """
    queries, keys, values = parts
    counts = [states.get_output_partial_shape(0)[1].get_length() for states in (queries, keys)]
    queries, keys = (rotated(builder, states, by) for states in (queries, keys))
    keys, values = (shared_heads(builder, states, counts[0] // counts[1]) for states in (keys, values))
    return builder.attention(queries, keys, values, scale=scale, seen=seen)
