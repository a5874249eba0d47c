"""What tokens may see besides padding: nothing that comes later, or nothing that is far away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qdrant_embed.runtimes.families.family import Node

if TYPE_CHECKING:
    from qdrant_embed.runtimes.families.builder import Builder


def seen_within(builder: Builder, left: int | None, right: int | None) -> Node | None:
    """Return what tokens see that see others up to some distance, and no padding; None where padding alone limits them.

    :param left: The greatest distance to a token before; None for any.
    :param right: The greatest distance to a token behind; 0 for causal attention, None for any.
    :return: (n, 1, tokens, tokens), true for what is seen.
    """
    ops, longest = builder.ops, builder.preset.max_tokens
    limits = tuple(None if limit is None or limit >= longest - 1 else limit for limit in (left, right))
    if limits == (None, None):
        return None

    def make() -> Node:
        places = ops.range(np.int64(0), builder.length(), np.int64(1), "i64")
        behind = ops.subtract(ops.unsqueeze(places, np.int64(0)), ops.unsqueeze(places, np.int64(1)))
        near = [
            compare(behind, np.int64(limit))
            for compare, limit in (
                (ops.greater_equal, None if limits[0] is None else -limits[0]),
                (ops.less_equal, limits[1]),
            )
            if limit is not None
        ]
        square = near[0] if len(near) == 1 else ops.logical_and(*near)
        tokens = ops.unsqueeze(ops.convert(builder.mask, "boolean"), ops.constant(np.array([1, 2])))
        return ops.logical_and(ops.unsqueeze(square, ops.constant(np.array([0, 1]))), tokens)

    return builder.once(("seen", limits), make)


def shared_heads(builder: Builder, states: Node, times: int) -> Node:
    """Return keys or values (n, groups, tokens, size) for each of the `times` heads that share them."""
    if times == 1:
        return states
    ops = builder.ops
    groups, size = (states.get_output_partial_shape(0)[axis].get_length() for axis in (1, 3))
    shape = ops.constant(np.array([1, 1, times, 1, 1]))
    each = ops.broadcast(ops.unsqueeze(states, np.int64(2)), shape, broadcast_spec="BIDIRECTIONAL")
    return ops.reshape(each, ops.constant(np.array([0, groups * times, -1, size])), special_zero=True)
