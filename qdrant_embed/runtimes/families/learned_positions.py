"""Rows of a learned table of positions: as trained, or stretched over longer texts, text by text from the mask.

What a text gets depends on its own length alone, whatever stands beside it. The arithmetic is that of
`long_context.positions`, which says where it is from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from qdrant_embed.errors import ModelError
from qdrant_embed.long_context.extension_plan import ExtensionPlan
from qdrant_embed.long_context.positions import attention_scales, stretch_factors
from qdrant_embed.runtimes.families.family import Node

if TYPE_CHECKING:
    from qdrant_embed.runtimes.families.builder import Builder


def learned_positions(builder: Builder, table: str, usual: Node | None = None, first: int = 0) -> Node:
    """Return the rows of positions, (n or 1, tokens, dim).

    :param table: Name of the tensor, (rows, dim).
    :param usual: Rows that tokens have where nothing is stretched, (n, tokens); one after the other if left out.
    :param first: The row of the first position.
    :raises ModelError: It has fewer rows than are to be stretched.
    """
    preset, plan, ops = builder.preset, builder.extension_plan, builder.ops
    there = builder.weights.tensor(table, -1, -1).data.shape[0] - first
    if there < (plan.trained if plan else preset.max_tokens):
        raise ModelError(
            f"{preset.name!r} is to read {plan.trained if plan else preset.max_tokens} tokens at once, and has "
            f"{there} positions; give it max_tokens={there} in a preset."
        )
    if plan is not None:
        return _stretched(builder, plan, table, first)
    if preset.short_factor > 1 or preset.scale_from:
        return _tuned(builder, table, first)
    if usual is not None:
        return builder.embedding(usual, table)
    rows = ops.range(np.int64(first), ops.add(builder.length(), np.int64(first)), np.int64(1), "i64")
    return builder.embedding(ops.unsqueeze(rows, np.int64(0)), table)


def rows_behind_padding(builder: Builder, padding: int) -> Node:
    """Return the rows of tokens where positions begin behind that of padding, which has its own (n, tokens).

    :param padding: The token that is counted as padding, wherever it stands.
    """
    ops = builder.ops
    seen = ops.convert(ops.not_equal(builder.ids, np.int64(padding)), np.int64)
    return ops.add(ops.multiply(ops.cumsum(seen, np.int64(1)), seen), np.int64(padding))


def counted(builder: Builder) -> tuple[Node, Node]:
    """Return each token's place in its text, padding on the left not counted (n, tokens), and lengths (n, 1)."""
    ops = builder.ops
    places = ops.subtract(ops.cumsum(builder.mask, np.int64(1)), np.int64(1))
    lengths = ops.reduce_sum(builder.mask, np.int64(1), keep_dims=True)
    return ops.maximum(places, np.int64(0)), lengths


def _stretched(builder: Builder, plan: ExtensionPlan, table: str, first: int) -> Node:
    ops = builder.ops
    method, trained, tokens = plan.extension.method, plan.trained, plan.extension.tokens
    places, lengths = counted(builder)
    known = ops.minimum(lengths, np.int64(tokens))
    factors = _looked_up(ops, stretch_factors(tokens, trained).astype(np.int64), known)
    if plan.extension.scaled:
        builder.query_scale = _scales(builder, attention_scales(tokens, trained), known)
    if method == "rp":
        return builder.embedding(ops.add(ops.floor_mod(places, np.int64(trained)), np.int64(first)), table)
    lower = ops.divide(places, factors)
    rows = builder.embedding(ops.add(lower, np.int64(first)), table)
    if method == "gp":
        return rows
    shares = ops.divide(
        ops.convert(ops.subtract(places, ops.multiply(lower, factors)), np.float32), ops.convert(factors, np.float32)
    )
    share = ops.unsqueeze(shares, np.int64(-1))
    above = ops.minimum(ops.add(lower, np.int64(first + 1)), np.int64(first + trained - 1))
    rest = ops.subtract(ops.constant(np.float32(1)), share)
    return ops.add(ops.multiply(rest, rows), ops.multiply(share, builder.embedding(above, table)))


def _tuned(builder: Builder, table: str, first: int) -> Node:
    """Return rows of a table that was made longer and trained; see `long_context.patches.absolute_positions`."""
    ops, factor, scale_from = builder.ops, builder.preset.short_factor, builder.preset.scale_from
    last = builder.weights.tensor(table, -1, -1).data.shape[0] - 1
    tokens = last + 1 - first
    old = tokens // factor if factor > 1 else scale_from
    places, lengths = counted(builder)
    if scale_from:
        known = ops.minimum(lengths, np.int64(tokens))
        builder.query_scale = _scales(builder, attention_scales(tokens, scale_from), known)
    factors = ops.select(ops.less_equal(lengths, np.int64(old)), np.int64(factor), np.int64(1))
    rows = ops.add(ops.multiply(places, factors), np.int64(first))
    return builder.embedding(ops.minimum(rows, np.int64(last)), table)


def _scales(builder: Builder, table: Any, lengths: Node) -> Node:
    """Return what the queries of each text are multiplied by, (n, 1, 1, 1)."""
    ops = builder.ops
    return ops.unsqueeze(_looked_up(ops, table, lengths), ops.constant(np.array([2, 3])))


def _looked_up(ops: Any, table: Any, places: Node) -> Node:
    return ops.gather(ops.constant(table), places, np.int64(0))
