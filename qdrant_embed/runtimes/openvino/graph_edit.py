"""Parts of an OpenVINO graph taken out and put in: what quantizing needs of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import openvino
from openvino import opset13 as ops

from qdrant_embed.types import FloatArray, IntArray

_ELEMENTWISE = {
    "Add": "add",
    "Multiply": "multiply",
    "Gelu": "gelu",
    "Relu": "relu",
    "Sigmoid": "sigmoid",
    "Swish": "swish",
    "Tanh": "tanh",
}
"""Operations that work on each channel alone → what the opset calls them."""


def inputs_of_products(model: openvino.Model) -> dict[str, list[Any]]:
    """Return node name → the products of its output (n, tokens, in) and a constant (out, in), in the graph's order."""
    found: dict[str, list[Any]] = {}
    for node in model.get_ordered_ops():
        if node.get_type_name() == "MatMul" and _is_linear(node):
            found.setdefault(node.input_value(0).get_node().get_friendly_name(), []).append(node)
    return found


def _is_linear(node: Any) -> bool:
    attributes = node.get_attributes()
    if attributes.get("transpose_a") or not attributes.get("transpose_b"):
        return False
    if node.input_value(0).get_index() or len(node.input_value(0).get_partial_shape()) != 3:
        return False
    return _constant(node.input_value(1)) is not None and len(node.input_value(1).get_partial_shape()) == 2


def weights_of(product: Any) -> FloatArray:
    """Return the weights (out, in) of a product."""
    return np.asarray(_constant(product.input_value(1)), np.float32)


def _constant(value: Any) -> np.ndarray | None:
    """Return a value that is the model's own, perhaps cast on its way; None if it is computed."""
    node = value.get_node()
    while node.get_type_name() == "Convert":
        node = node.input_value(0).get_node()
    if node.get_type_name() != "Constant":
        return None
    # numpy has no bf16: asked for as it is, it would come as other numbers.
    short = node.get_element_type() == openvino.Type.bf16
    return np.asarray(node.get_data(dtype=np.float32) if short else node.get_data())


def scaled(value: Any, factors: FloatArray) -> Any:
    """Return a value (n, tokens, channels) times a factor for each channel."""
    return ops.multiply(value, ops.constant(factors.reshape(1, 1, -1).astype(np.float32)))


def levels(value: Any, low: float, high: float, count: int) -> Any:
    """Return a value rounded to `count` levels from low to high."""
    ends = [ops.constant(np.float32(end)) for end in (low, high)]
    return ops.fake_quantize(value, *ends, *ends, count)


def int8_weights(value: Any, whole: np.ndarray, step: FloatArray) -> Any:
    """Return the product of a value with int8 weights (out, in), each row times its step (out, 1)."""
    weights = ops.multiply(ops.convert(ops.constant(whole), np.float32), ops.constant(step))
    return ops.matmul(value, weights, transpose_a=False, transpose_b=True)


def narrowed(value: Any, channels: IntArray) -> Any | None:
    """Return some channels of a value, computed by themselves: its elementwise operations and products made narrow.

    None if it does not come from a product with constant weights, by elementwise operations alone.
    """
    node = value.get_node()
    kind = node.get_type_name()
    if kind == "MatMul" and _is_linear(node):
        return ops.matmul(
            node.input_value(0), ops.constant(weights_of(node)[channels]), transpose_a=False, transpose_b=True
        )
    constant = _constant(value)
    if constant is not None:
        return ops.constant(constant[..., channels] if constant.ndim and constant.shape[-1] > 1 else constant)
    if kind not in _ELEMENTWISE:
        return None
    parts = [narrowed(part, channels) for part in node.input_values()]
    if any(part is None for part in parts):
        return None
    attributes = {"approximation_mode": node.get_attributes()["approximation_mode"]} if kind == "Gelu" else {}
    return getattr(ops, _ELEMENTWISE[kind])(*parts, **attributes)


def follow_bias(product: Any, instead: Any, offset: FloatArray, extra: Sequence[tuple[Any, FloatArray]]) -> None:
    """Put another node in a product's place, and add to what comes out, after its bias where it has one.

    :param offset: (out,) added.
    :param extra: Values (n, tokens, in) and weights (out, in), whose products are added.
    """
    instead.set_friendly_name(product.get_friendly_name())
    users = [target.get_node() for target in product.output(0).get_target_inputs()]
    adds = len(users) == 1 and users[0].get_type_name() == "Add"
    bias = users[0] if adds and any(_constant(value) is not None for value in users[0].input_values()) else None
    product.output(0).replace(instead.output(0))
    end = bias or instead
    targets = list(end.output(0).get_target_inputs())
    out = ops.add(end, ops.constant(offset.reshape(1, 1, -1).astype(np.float32)))
    for value, weights in extra:
        narrow = ops.constant(np.ascontiguousarray(weights, np.float32))
        out = ops.add(out, ops.matmul(value, narrow, transpose_a=False, transpose_b=True))
    for target in targets:
        target.replace_source_output(out.output(0))
