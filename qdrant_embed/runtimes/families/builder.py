"""The parts that transformers are made of, as nodes of an OpenVINO graph.

They have the form that OpenVINO's processor plug-in has the fastest kernels for, and that `int8` finds products in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import openvino
from openvino import opset13 as ops

from qdrant_embed.long_context.extension_plan import ExtensionPlan
from qdrant_embed.models.presets import Preset
from qdrant_embed.runtimes.families.family import ACTIVATIONS, Node
from qdrant_embed.runtimes.families.pools import GRAPH_POOLS
from qdrant_embed.runtimes.families.weights import Weights, constant_of
from qdrant_embed.types import FloatArray, IntArray, Json

UNSEEN = -1e30
"""Added to scores of padding: nothing of them is left, and a text of nothing but padding divides by no zero."""
LONGEST_WRITTEN = 8192
"""Of longer windows no square of scores is held: attention is then one operation, which takes it in pieces."""
_KEEP = 0
"""In a shape: as it was."""


class Builder:
    """A graph that grows, and what it grows from.

    :param config: `config.json`, with what its family has for entries that are left out.
    :ivar ops: OpenVINO's operations, for what has no method here.
    :ivar ids: `input_ids` (n, tokens) int64.
    :ivar mask: `attention_mask` (n, tokens) int64, 1 for tokens of the text.
    """

    ops: Any = ops

    def __init__(
        self, config: Mapping[str, Json], weights: Weights, preset: Preset, extension_plan: ExtensionPlan | None = None
    ) -> None:
        self.config, self.weights, self.preset, self.extension_plan = config, weights, preset, extension_plan
        self.ids, self.mask = (_input(name) for name in ("input_ids", "attention_mask"))
        self._made: dict[object, Any] = {}
        self.query_scale: Node | None = None
        """What queries of each text are multiplied by (n, 1, 1, 1), where a method for longer texts says so."""

    def once(self, key: object, make: Callable[[], Any]) -> Any:
        """Return what all blocks share (a mask, a table of angles): made when the first one asks."""
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def constant(self, values: FloatArray | IntArray) -> Node:
        """Return numbers as a node; copied, where they are not a view of the weights."""
        return ops.constant(np.ascontiguousarray(values))

    def embedding(self, ids: Node, name: str) -> Node:
        """Return the rows of a table (rows, dim) that ids (n, tokens) name: (n, tokens, dim)."""
        stored = self.weights.tensor(name, -1, -1)
        rows = ops.gather(constant_of(stored), ids, ops.constant(np.int64(0)))
        return rows if stored.kind == "F32" else ops.convert(rows, np.float32)

    def linear(self, states: Node, name: str, *, bias: bool = True) -> Node:
        """Return states times `NAME.weight` (out, in), plus `NAME.bias` (out,)."""
        product = ops.matmul(
            states, self.weights.constant(f"{name}.weight", -1, -1), transpose_a=False, transpose_b=True
        )
        return ops.add(product, self.weights.constant(f"{name}.bias", -1)) if bias else product

    def linear_parts(self, states: Node, name: str, count: int, *, bias: bool = False) -> list[Node]:
        """Return states times each of the parts that lie one below the other in `NAME.weight`, as `linear` does."""
        products = [
            ops.matmul(states, rows, transpose_a=False, transpose_b=True)
            for rows in self.weights.parts(f"{name}.weight", count)
        ]
        if not bias:
            return products
        return [ops.add(*pair) for pair in zip(products, self.weights.parts(f"{name}.bias", count), strict=True)]

    def layer_norm(self, states: Node, name: str, eps: float, *, bias: bool = True) -> Node:
        """Return states of mean 0 and variance 1, times `NAME.weight`, plus `NAME.bias` (Ba et al. 2016)."""
        # Checkpoints of 2018 and 2019 name them gamma and beta.
        gain, offset = ("gamma", "beta") if f"{name}.gamma" in self.weights else ("weight", "bias")
        scaled = ops.multiply(normalized(states, eps), self.weights.constant(f"{name}.{gain}", -1))
        return ops.add(scaled, self.weights.constant(f"{name}.{offset}", -1)) if bias else scaled

    def activation(self, states: Node, key: str = "hidden_act") -> Node:
        """Return states through the activation that `config.json` names under a key."""
        return self.activated(states, self.config[key])

    def activated(self, states: Node, name: str) -> Node:
        """Return states through an activation, by its name in `config.json`."""
        name, *how = ACTIVATIONS[name]
        result: Node = getattr(ops, name)(states, *how)
        return result

    def add(self, *parts: Node) -> Node:
        """Return the sum, from the left."""
        return reduce(ops.add, parts)

    def heads(self, states: Node, count: int) -> Node:
        """Return states (n, tokens, heads · size) as (n, heads, tokens, size)."""
        size = states.get_output_partial_shape(0)[-1].get_length() // count
        split = ops.reshape(states, ops.constant(np.array([_KEEP, _KEEP, count, size])), special_zero=True)
        return ops.transpose(split, ops.constant(np.array([0, 2, 1, 3])))

    def attention(
        self,
        queries: Node,
        keys: Node,
        values: Node,
        *,
        scale: float | None = None,
        added: Node | None = None,
        seen: Node | None = None,
    ) -> Node:
        """Return softmax(scale · q kᵀ + what is added) v, heads side by side (Vaswani et al. 2017, section 3.2.1).

        :param queries: (n, heads, tokens, size), keys and values likewise.
        :param scale: The root of the size, inverted, where it is not given.
        :param added: What is added to the scores, (n or 1, heads or 1, tokens or 1, tokens); what hides padding is in
            it. Left out, all tokens see all tokens of their text.
        :param seen: Instead of it, what tokens see, (n, 1, tokens, tokens), true or false. (A square of bytes is read
            faster than one of numbers that are added.)
        :return: (n, tokens, heads · size).
        """
        factor = scale or queries.get_output_partial_shape(0)[-1].get_length() ** -0.5
        if self.query_scale is not None:
            queries = ops.multiply(queries, self.query_scale)
        if self.preset.max_tokens > LONGEST_WRITTEN:
            mask = self.padding_row() if added is None else added
            if seen is not None:
                # In numbers: what sees nothing (padding) would divide zero by zero.
                mask = self.once(("numbers", seen), lambda: ops.select(seen, np.float32(0), np.float32(UNSEEN)))
            out = ops.scaled_dot_product_attention(queries, keys, values, mask, ops.constant(np.float32(factor)))
        else:
            scores = ops.matmul(
                ops.multiply(queries, ops.constant(np.float32(factor))), keys, transpose_a=False, transpose_b=True
            )
            if seen is None:
                scores = ops.add(scores, self.padding_row() if added is None else added)
            else:
                scores = ops.select(seen, scores, ops.constant(np.float32(UNSEEN)))
            out = ops.matmul(ops.softmax(scores, -1), values, transpose_a=False, transpose_b=False)
        joined = ops.transpose(out, ops.constant(np.array([0, 2, 1, 3])))
        return ops.reshape(joined, ops.constant(np.array([_KEEP, _KEEP, -1])), special_zero=True)

    def pool(self, states: Node, pooling: str) -> Node:
        """Return one vector (n, dim) for the states (n, tokens, dim) of each text."""
        return GRAPH_POOLS[pooling](states, self.mask)

    def beside(self, folder: Path) -> Builder:
        """Return a builder of this graph with the weights of another module."""
        other = copy(self)
        other.weights = Weights.read(folder)
        return other

    def padding_row(self) -> Node:
        """Return what hides padding, (n, 1, 1, tokens): 0, or `UNSEEN`."""

        def make() -> Node:
            padding = ops.subtract(ops.constant(np.float32(1)), ops.convert(self.mask, np.float32))
            return ops.unsqueeze(
                ops.multiply(padding, ops.constant(np.float32(UNSEEN))), ops.constant(np.array([1, 2]))
            )

        return self.once("padding", make)

    def length(self) -> Node:
        """Return how many tokens wide the batch is, a number."""
        return self.once(
            "length",
            lambda: ops.gather(ops.shape_of(self.ids), ops.constant(np.int64(1)), ops.constant(np.int64(0))),
        )

    def model(self, output: Node, name: str) -> openvino.Model:
        """Return the graph of what has been built.

        :param name: What comes out, `vectors` or `states`.
        """
        output.output(0).get_tensor().set_names({name})
        return openvino.Model([output], [self.ids, self.mask], "encoder")


def normalized(states: Node, eps: float) -> Node:
    """Return states of mean 0 and variance 1 over their last axis."""
    return ops.mvn(
        states, ops.constant(np.array([-1])), normalize_variance=True, eps=float(eps), eps_mode="inside_sqrt"
    )


def _input(name: str) -> Node:
    node = ops.parameter(openvino.PartialShape([-1, -1]), np.int64, name)
    node.output(0).get_tensor().set_names({name})
    return node
