"""Rotary positions in a graph: cosines and sines of each token's angles, and states turned by them.

They are rows of a table that is computed here, in float32: a graph that runs in bfloat16 would compute angles with its
eight bits, which a few hundred tokens on are off by more than a radian. Where the angles depend on each length, by
`dynamic`, the graph computes which row it is, in whole numbers.

A text longer than the trained window stands as an extension has it, a shorter one as without; see
`long_context.positions`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qdrant_embed.long_context.extension_plan import ExtensionPlan
from qdrant_embed.long_context.positions import attention_scales, dynamic_multiples, ntk_frequencies, stretch_factors
from qdrant_embed.runtimes.families.family import Node
from qdrant_embed.runtimes.families.learned_positions import counted
from qdrant_embed.runtimes.families.rotary.rope import FULL, Turning, turning
from qdrant_embed.types import FloatArray, Json

if TYPE_CHECKING:
    from qdrant_embed.runtimes.families.builder import Builder

_STRIDE = 128
"""Places are counted in so many and what is left of them, where angles are computed in whole numbers."""
_MOST_BITS, _TABLE_BITS = 24, 14
"""Of a whole turn: those that it is counted in, and those of the table's rows, which are 0.0004 radians apart."""
_SPARE_ROWS = 64
"""Batches are padded beyond the longest text, to lengths that a processor likes."""


@dataclass(frozen=True, slots=True)
class Angles:
    """Cosines and sines, each (n or 1, 1, tokens, d/2)."""

    cosines: Node
    sines: Node


def plain_angles(builder: Builder, turns: Turning) -> Angles:
    """Return the angles of tokens that stand one after the other."""
    sharpen(builder)
    ops = builder.ops
    rows = ops.range(np.int64(0), builder.length(), np.int64(1), "i64")
    return _rows(builder, [turns], ops.unsqueeze(rows, np.int64(0)), builder.preset.max_tokens)


def angles(builder: Builder, rope: Mapping[str, Json], dim: int) -> Angles:
    """Return the angles of tokens, those of long texts as the model's extension has it.

    :param rope: As of `stated_rope`.
    :param dim: Dimensions of a head that are rotated.
    """
    positions = int(builder.config["max_position_embeddings"])
    turns, plan = turning(rope, dim, positions), builder.extension_plan
    if plan is None:
        return plain_angles(builder, turns)
    sharpen(builder)
    tokens, ops = plan.extension.tokens, builder.ops
    places, lengths = builder.once("counted", lambda: counted(builder))
    known = ops.minimum(lengths, np.int64(tokens))
    if plan.extension.method in ("gp", "pi"):
        return _moved(builder, turns, plan, places, known)
    if plan.extension.method == "dynamic":
        return _by_length(builder, turns, plan, places, known)
    slowed = _slowed(rope, turns, plan, positions)
    long = ops.convert(ops.greater(lengths, np.int64(plan.trained)), "i64")
    moved = ops.add(places, ops.multiply(long, np.int64(tokens + _SPARE_ROWS)))
    return _rows(builder, [turns, slowed], moved, tokens)


def angles_of_kind(builder: Builder, kind: str, rope: Mapping[str, Json], dim: int) -> Angles:
    """Return the angles of a kind of blocks; what sees near tokens only is never stretched.

    Nothing is further away for it than it was in training.
    """
    if kind == FULL:
        return angles(builder, rope, dim)
    return plain_angles(builder, turning(rope, dim, builder.config["max_position_embeddings"]))


def sharpen(builder: Builder) -> None:
    """Let queries of long texts be multiplied as the model's extension has it, in blocks of all kinds."""
    plan, ops = builder.extension_plan, builder.ops
    if plan is None or not plan.extension.scaled or builder.query_scale is not None:
        return
    _, lengths = builder.once("counted", lambda: counted(builder))
    table = attention_scales(plan.extension.tokens, plan.trained)
    scales = ops.gather(table, ops.minimum(lengths, np.int64(plan.extension.tokens)), np.int64(0))
    builder.query_scale = ops.unsqueeze(scales, ops.constant(np.array([2, 3])))


def _slowed(rope: Mapping[str, Json], turns: Turning, plan: ExtensionPlan, positions: int) -> Turning:
    """Return how long texts turn by `ntk` or `yarn`."""
    if plan.extension.method == "ntk":
        return Turning(ntk_frequencies(turns.frequencies, plan.ntk_lambda), turns.size)
    stretched = {
        "rope_type": "yarn",
        "factor": max(1.0, plan.extension.tokens / plan.trained),
        "original_max_position_embeddings": plan.trained,
    }
    found = turning({**rope, **stretched}, 2 * len(turns.frequencies), positions)
    return Turning(found.frequencies, found.size * turns.size)


def _rows(builder: Builder, kinds: list[Turning], rows: Node, tokens: int) -> Angles:
    """Return rows (n or 1, tokens) of the angles of all places, those of one kind below those of the other."""
    places = np.arange(tokens + _SPARE_ROWS)[:, None]
    turned = [(kind.size, places * kind.frequencies.astype(np.float64)) for kind in kinds]
    tables = (np.concatenate([size * of(angle) for size, angle in turned]) for of in (np.cos, np.sin))
    return Angles(*(_row(builder, table, rows) for table in tables))


def _row(builder: Builder, table: FloatArray, rows: Node) -> Node:
    ops = builder.ops
    found = ops.gather(builder.constant(table.astype(np.float32)), rows, np.int64(0))
    return ops.unsqueeze(found, np.int64(1))


def _moved(builder: Builder, turns: Turning, plan: ExtensionPlan, places: Node, known: Node) -> Angles:
    """Return the angles of places divided by the factor of each length, without a rest by `gp`."""
    ops, tokens = builder.ops, plan.extension.tokens
    factors = ops.gather(stretch_factors(tokens, plan.trained).astype(np.int64), known, np.int64(0))
    whole = ops.divide(places, factors)
    near = _rows(builder, [turns], whole, plan.trained)
    if plan.extension.method == "gp":
        return near
    # The rest of a division is one of few numbers: the angle is the sum of that of the whole places, and that of it.
    most = plan.factor + 1
    shares = np.arange(most) / np.maximum(1, np.arange(most))[:, None]
    rest = ops.add(ops.multiply(factors, np.int64(most)), ops.subtract(places, ops.multiply(whole, factors)))
    between = shares.reshape(-1, 1) * turns.frequencies
    cosines, sines = (_row(builder, of(between), rest) for of in (np.cos, np.sin))
    return Angles(
        ops.subtract(ops.multiply(near.cosines, cosines), ops.multiply(near.sines, sines)),
        ops.add(ops.multiply(near.sines, cosines), ops.multiply(near.cosines, sines)),
    )


def _by_length(builder: Builder, turns: Turning, plan: ExtensionPlan, places: Node, known: Node) -> Angles:
    """Return the angles of frequencies that go by each length: too many for a table, and computed in whole numbers.

    A whole turn is a power of two, so that what is left of many turns are the lower bits; of these the upper ones name
    a row of a table of one turn. A place is taken apart, so that no product is beyond 31 bits.
    """
    ops, pairs, tokens = builder.ops, len(turns.frequencies), plan.extension.tokens
    bits = min(_MOST_BITS, 30 - (tokens // _STRIDE).bit_length())
    multiples = dynamic_multiples(tokens, plan.trained, plan.dynamic_factor, 2 * pairs).astype(np.float64)
    steps = turns.frequencies * multiples[:, None] ** (-np.arange(pairs) / pairs) * (2**bits / (2 * np.pi))
    far = ops.divide(places, np.int64(_STRIDE))
    near = ops.subtract(places, ops.multiply(far, np.int64(_STRIDE)))
    parts = []
    for place, table in ((near, steps), (far, np.fmod(steps * _STRIDE, 2**bits))):
        rows = ops.gather(builder.constant(np.rint(table).astype(np.int64)), known, np.int64(0))
        parts.append(ops.multiply(ops.unsqueeze(place, np.int64(-1)), rows))
    left = ops.bitwise_and(ops.add(*parts), np.int64(2**bits - 1))
    row = ops.divide(left, np.int64(2 ** (bits - _TABLE_BITS)))
    turn = (np.arange(2**_TABLE_BITS) + 0.5) * (2 * np.pi / 2**_TABLE_BITS)
    return Angles(*(_row(builder, turns.size * of(turn), row) for of in (np.cos, np.sin)))


def rotated(builder: Builder, states: Node, by: Angles) -> Node:
    """Return states (n, heads, tokens, size) turned by angles, the first d dimensions where not all are.

    The first half of them and the second are the pairs.
    """
    ops = builder.ops
    half = by.cosines.get_output_partial_shape(0)[-1].get_length()
    rest = states.get_output_partial_shape(0)[-1].get_length() - 2 * half
    parts = ops.variadic_split(states, np.int64(-1), ops.constant(np.array([half, half, rest] if rest else [half] * 2)))
    first, second, *kept = parts.outputs()
    wide = builder.once((by, "wide"), lambda: _wide(builder, by))
    turned = ops.concat([first, second], -1) if rest else states
    crossed = ops.concat([second, first], -1)
    out = ops.add(ops.multiply(turned, wide.cosines), ops.multiply(crossed, wide.sines))
    return ops.concat([out, *kept], -1) if kept else out


def _wide(builder: Builder, by: Angles) -> Angles:
    """Return cosines twice, and sines with the sign that each half takes them with."""
    ops = builder.ops
    negative = ops.multiply(by.sines, np.float32(-1))
    return Angles(ops.concat([by.cosines, by.cosines], -1), ops.concat([negative, by.sines], -1))
