"""Llama and its like: normalization before each half of a block, rotary positions, gated layers.

Llama (Touvron et al. 2023, arXiv 2302.13971), Mistral (arXiv 2310.06825), Qwen2 (arXiv 2407.10671) and Qwen3 (arXiv
2505.09388) differ in biases, in a normalization of queries and keys, and in windows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from qdrant_embed.runtimes.families.family import Family, Node
from qdrant_embed.runtimes.families.rotary.angles import angles
from qdrant_embed.runtimes.families.rotary.decoder_parts import (
    HEADS,
    PASSING,
    gated,
    grouped_attention,
    head_size,
    is_causal,
    rms_norm,
)
from qdrant_embed.runtimes.families.rotary.masks import seen_within
from qdrant_embed.runtimes.families.rotary.rope import FULL, ROPE_ENTRIES, SLIDING, stated_rope, unknown_rope
from qdrant_embed.types import Json

if TYPE_CHECKING:
    from qdrant_embed.runtimes.families.builder import Builder

_THETA = 10_000.0


def enter(builder: Builder) -> Node:
    """Return rows of words."""
    return builder.embedding(builder.ids, "embed_tokens.weight")


def block(builder: Builder, states: Node, number: int) -> Node:
    """Return the states behind a block."""
    place, config = f"layers.{number}", builder.config
    inner = rms_norm(builder, states, f"{place}.input_layernorm")
    parts = _projected(builder, inner, f"{place}.self_attn")
    dim = head_size(config)
    by = builder.once("angles", lambda: angles(builder, stated_rope(config, _THETA), dim))
    seen = grouped_attention(builder, parts, by, _seen(builder, number))
    out = builder.linear(seen, f"{place}.self_attn.o_proj", bias=_biases(config)[1])
    states = builder.add(states, out)
    inner = rms_norm(builder, states, f"{place}.post_attention_layernorm")
    bias = bool(config.get("mlp_bias"))
    return builder.add(states, gated(builder, inner, f"{place}.mlp", bias=bias, out_bias=bias))


def _projected(builder: Builder, states: Node, place: str) -> tuple[Node, Node, Node]:
    """Return queries, keys and values by heads."""
    config, bias = builder.config, _biases(builder.config)[0]
    heads = config["num_attention_heads"]
    shared = config.get("num_key_value_heads") or heads
    queries, keys, values = (
        builder.heads(builder.linear(states, f"{place}.{part}_proj", bias=bias), count)
        for part, count in zip("qkv", (heads, shared, shared), strict=True)
    )
    if config["model_type"] == "qwen3":
        queries, keys = (
            rms_norm(builder, part, f"{place}.{name}_norm") for name, part in (("q", queries), ("k", keys))
        )
    return queries, keys, values


def _biases(config: Mapping[str, Json]) -> tuple[bool, bool]:
    """Return whether queries, keys and values have a bias, and what attention gives."""
    if config["model_type"] in ("qwen2", "mistral"):
        return config["model_type"] == "qwen2", False
    return (bool(config.get("attention_bias")),) * 2


def _seen(builder: Builder, number: int) -> Node | None:
    window, causal = _window(builder.config, number), is_causal(builder)
    if causal:
        return seen_within(builder, None if window is None else window - 1, 0)
    return seen_within(builder, window, window)


def _window(config: Mapping[str, Json], number: int) -> int | None:
    """Return how far a block sees; None for any distance."""
    window, kinds = config.get("sliding_window"), config.get("layer_types")
    if config["model_type"] == "mistral":
        return None if window is None else int(window)
    if not config.get("use_sliding_window") or window is None:
        return None
    slides = kinds[number] == SLIDING if kinds else number >= config["max_window_layers"]
    return int(window) if slides else None


def finish(builder: Builder, states: Node) -> Node:
    """Return states normalized a last time."""
    return rms_norm(builder, states, "norm")


def unusual(config: Mapping[str, Json]) -> str:
    """Return why the positions or the windows of a configuration are not built here; empty if they are."""
    kinds = set(config.get("layer_types") or ())
    if kinds - {FULL, SLIDING}:
        return f"its layers are of the kinds {', '.join(sorted(kinds))}"
    if config["model_type"] == "mistral" and "sliding_window" not in config:
        return "its config.json does not say how far tokens see (sliding_window)"
    if config["model_type"] == "qwen3" and not config.get("head_dim"):
        return "its config.json does not say how large a head is (head_dim)"
    if config.get("use_sliding_window") and not kinds and "max_window_layers" not in config:
        return "its config.json does not say which layers have a window (max_window_layers)"
    return unknown_rope(stated_rope(config, _THETA))


FAMILY = Family(
    model_types=("llama", "mistral", "qwen2", "qwen3"),
    used=(
        *("num_attention_heads", "num_key_value_heads", "head_dim", "hidden_act", "rms_norm_eps", "num_hidden_layers"),
        *("attention_bias", "mlp_bias", "sliding_window", "use_sliding_window", "max_window_layers", "layer_types"),
        *("is_causal", *ROPE_ENTRIES),
    ),
    fixed={"partial_rotary_factor": (1, 1.0), "use_mrope": (False,)},
    passing=PASSING,
    defaults={"rms_norm_eps": 1e-6, "hidden_act": "silu"},
    prefixes=("", "model."),
    words="embed_tokens.weight",
    unread=HEADS,
    enter=enter,
    block=block,
    finish=finish,
    positions="rotary",
    attentions=("causal", "bidirectional"),
    unusual=unusual,
)
