"""Pooling as part of a graph: the poolings of `pooling.token_pooling`, for either side of padding."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from openvino import opset13 as ops

from qdrant_embed.runtimes.families.family import Node

Pool = Callable[[Node, Node], Node]
"""States (n, tokens, dim) and mask (n, tokens) → vectors (n, dim)."""
_TOKENS = 1


def _axis(number: int) -> Node:
    return ops.constant(np.int64(number))


def _sums(states: Node, weights: Node) -> tuple[Node, Node]:
    """Return states times weights (n, tokens), added up, and the sum of weights (n, 1), never 0."""
    wide = ops.convert(ops.unsqueeze(weights, _axis(-1)), np.float32)
    total = ops.reduce_sum(ops.multiply(states, wide), _axis(_TOKENS), keep_dims=False)
    return total, ops.maximum(ops.reduce_sum(wide, _axis(_TOKENS), keep_dims=False), np.float32(1e-9))


def _mean_sqrt(states: Node, mask: Node) -> Node:
    total, weights = _sums(states, mask)
    return ops.divide(total, ops.sqrt(weights))


def _maximum(states: Node, mask: Node) -> Node:
    seen = ops.unsqueeze(ops.not_equal(mask, np.int64(0)), _axis(-1))
    hidden = ops.select(seen, states, ops.constant(np.float32(-np.inf)))
    return ops.reduce_max(hidden, _axis(_TOKENS), keep_dims=False)


def _at(states: Node, places: Node) -> Node:
    """Return the state of each text at its place (n, 1)."""
    return ops.squeeze(ops.gather(states, places, _axis(_TOKENS), batch_dims=1), _axis(_TOKENS))


def _padding_before(mask: Node) -> Node:
    before = ops.equal(ops.cumsum(mask, _axis(_TOKENS)), np.int64(0))
    return ops.reduce_sum(ops.convert(before, np.int64), _axis(_TOKENS), keep_dims=True)


def _last(states: Node, mask: Node) -> Node:
    tokens = ops.reduce_sum(mask, _axis(_TOKENS), keep_dims=True)
    return _at(states, ops.subtract(ops.add(_padding_before(mask), tokens), np.int64(1)))


GRAPH_POOLS: Mapping[str, Pool] = {
    "mean": lambda states, mask: ops.divide(*_sums(states, mask)),
    "weightedmean": lambda states, mask: ops.divide(
        *_sums(states, ops.multiply(ops.cumsum(mask, _axis(_TOKENS)), mask))
    ),
    "mean_sqrt_len_tokens": _mean_sqrt,
    "max": _maximum,
    "cls": lambda states, mask: _at(states, _padding_before(mask)),
    "lasttoken": _last,
}
