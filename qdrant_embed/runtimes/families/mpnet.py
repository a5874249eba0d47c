"""MPNet (Song et al. 2020, arXiv 2004.09297): learned positions, and a bias for each distance, which blocks share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qdrant_embed.runtimes.families.family import ACTIVATIONS, Family, Node
from qdrant_embed.runtimes.families.learned_positions import learned_positions, rows_behind_padding
from qdrant_embed.types import IntArray

if TYPE_CHECKING:
    from qdrant_embed.runtimes.families.builder import Builder

_WORDS = "embeddings.word_embeddings.weight"
_PADDING = 1
"""The token that its code takes for padding, whatever its configuration says."""
_BUCKETS, _FURTHEST = 32, 128
"""Distances that share a bias: each has one of its own up to 7, those from 128 on have the same."""


def enter(builder: Builder) -> Node:
    """Return rows of words and of positions, normalized."""
    rows = rows_behind_padding(builder, _PADDING)
    positions = learned_positions(builder, "embeddings.position_embeddings.weight", rows, _PADDING + 1)
    states = builder.add(builder.embedding(builder.ids, _WORDS), positions)
    return builder.layer_norm(states, "embeddings.LayerNorm", builder.config["layer_norm_eps"])


def block(builder: Builder, states: Node, number: int) -> Node:
    """Return the states behind a block."""
    place, eps = f"encoder.layer.{number}", builder.config["layer_norm_eps"]
    parts = (builder.linear(states, f"{place}.attention.attn.{part}") for part in "qkv")
    heads = [builder.heads(part, builder.config["num_attention_heads"]) for part in parts]
    seen = builder.attention(*heads, added=builder.once("biases", lambda: _biases(builder)))
    seen = builder.linear(seen, f"{place}.attention.attn.o")
    states = builder.layer_norm(builder.add(seen, states), f"{place}.attention.LayerNorm", eps)
    inner = builder.activation(builder.linear(states, f"{place}.intermediate.dense"))
    inner = builder.linear(inner, f"{place}.output.dense")
    return builder.layer_norm(builder.add(inner, states), f"{place}.output.LayerNorm", eps)


def buckets(distances: IntArray) -> IntArray:
    """Return which bias keys have that stand so far behind their query, or before it where the distance is negative.

    Half of the buckets are for either direction; of these a half for single distances, and the rest grow by a factor.
    """
    half = _BUCKETS // 2
    single, far = half // 2, np.abs(distances)
    ratio = np.log(np.maximum(far, 1).astype(np.float32) / single) / np.log(_FURTHEST / single)
    grown = np.minimum(single + (ratio * (half - single)).astype(np.int64), half - 1)
    return np.asarray(np.where(distances > 0, half, 0) + np.where(far < single, far, grown), np.int64)


def _biases(builder: Builder) -> Node:
    """Return what is added to all scores, (n, heads, tokens, tokens): biases, and what hides padding."""
    ops = builder.ops
    near = np.arange(-_FURTHEST, _FURTHEST + 1)
    table = builder.weights.array("encoder.relative_attention_bias.weight", _BUCKETS, -1)[buckets(near)]
    places = ops.range(np.int64(0), builder.length(), np.int64(1), "i64")
    behind = ops.subtract(ops.unsqueeze(places, np.int64(0)), ops.unsqueeze(places, np.int64(1)))
    rows = ops.add(ops.clamp(behind, -float(_FURTHEST), float(_FURTHEST)), np.int64(_FURTHEST))
    by_head = ops.gather(builder.constant(table.T), rows, np.int64(1))
    return builder.add(ops.unsqueeze(by_head, np.int64(0)), builder.padding_row())


FAMILY = Family(
    model_types=("mpnet",),
    used=("num_attention_heads", "num_hidden_layers", "layer_norm_eps"),
    fixed={"hidden_act": tuple(ACTIVATIONS), "relative_attention_num_buckets": (_BUCKETS,)},
    passing=("pad_token_id",),
    defaults={"layer_norm_eps": 1e-12, "hidden_act": "gelu", "num_hidden_layers": 12, "num_attention_heads": 12},
    prefixes=("", "mpnet."),
    words=_WORDS,
    unread=r"embeddings\.position_ids$",
    enter=enter,
    block=block,
    positions="learned",
)
