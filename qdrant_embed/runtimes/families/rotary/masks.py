"""What tokens may see besides padding: nothing that comes later, or nothing that is far away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qdrant_embed.runtimes.families.family import Node

if TYPE_CHECKING:
    from qdrant_embed.runtimes.families.builder import Builder


def seen_within(builder: Builder, left: int | None, right: int | None) -> Node:
    """Return what is added to the scores of tokens that see others up to some distance, and no padding.

    :param left: The greatest distance to a token before; None for any.
    :param right: The greatest distance to a token behind; 0 for causal attention, None for any.
    :return: (n, 1, 1 or tokens, tokens): 0 for what is seen.
    """
    from qdrant_embed.runtimes.families.builder import UNSEEN

    ops, longest = builder.ops, builder.preset.max_tokens
    limits = tuple(None if limit is None or limit >= longest - 1 else limit for limit in (left, right))
    if limits == (None, None):
        return builder.padding_row()

    def make() -> Node:
        places = ops.range(np.int64(0), builder.length(), np.int64(1), "i64")
        behind = ops.subtract(ops.unsqueeze(places, np.int64(0)), ops.unsqueeze(places, np.int64(1)))
        hidden = [
            ops.greater(side, np.int64(limit))
            for side, limit in zip((ops.negative(behind), behind), limits, strict=True)
            if limit is not None
        ]
        square = ops.select(
            hidden[0] if len(hidden) == 1 else ops.logical_or(*hidden), np.float32(UNSEEN), np.float32(0)
        )
        return ops.add(builder.padding_row(), ops.unsqueeze(square, ops.constant(np.array([0, 1]))))

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
