"""Attention that only padding limits, written out for OpenVINO: one row of numbers for a text instead of a square.

Transformers makes a mask (n, 1, tokens, tokens) of true and false, and OpenVINO asks it for every score, and turns all
keys round in memory before. Where each token sees all tokens of its text, a row that is added says the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import openvino

_UNSEEN = -1e30
"""Added to scores of padding: nothing of them is left, and a text of nothing but padding divides by no zero."""
_LONGEST_COMPARED = 8192
"""To compute a mask of as many took a gigabyte, and takes four times as much for twice as many."""
_MASK = 3


def write_out_padding(model: openvino.Model, max_tokens: int) -> openvino.Model:
    """Replace, in place, each attention whose mask hides padding and nothing else, and return the model.

    :param max_tokens: The most that the model can take: a mask that hides what is far away shows it at that length.
    """
    if max_tokens > _LONGEST_COMPARED:
        return model
    found = [node for node in model.get_ordered_ops() if node.get_type_name() == "ScaledDotProductAttention"]
    masked = [node for node in found if node.get_input_size() > _MASK and not node.get_attributes()["causal"]]
    if not masked:
        return model
    masks = {_name(node): node.input_value(_MASK) for node in masked}
    plain = {name for name, mask in masks.items() if _hides_padding_alone(model, mask, max_tokens)}
    row = _row(next(node for node in model.get_parameters() if node.get_friendly_name() == "attention_mask"))
    for node in masked:
        if _name(node) in plain:
            node.output(0).replace(_attention(node, row).output(0))
    model.validate_nodes_and_infer_types()
    return model


def _name(attention: Any) -> str:
    mask = attention.input_value(_MASK)
    return f"{mask.get_node().get_friendly_name()}:{mask.get_index()}"


def _hides_padding_alone(model: openvino.Model, mask: Any, max_tokens: int) -> bool:
    """Compute a mask for a whole text and padded ones, short and as long as the model can take, and look at it."""
    import openvino

    from qdrant_embed.runtimes.openvino.requests import core

    if mask.get_element_type() != openvino.Type.boolean:
        return False
    compiled = core().compile_model(openvino.Model([mask], model.get_parameters()), "CPU")
    for tokens in sorted({min(7, max_tokens), max_tokens}):
        given = np.ones((2, tokens), np.int64)
        given[1, (tokens + 1) // 2 :] = 0
        inputs = {port: given for port in compiled.inputs}
        seen = compiled(inputs)[0]  # (n, heads or 1, tokens, tokens), true for what is seen
        if seen.ndim != 4 or seen.shape[-1] != tokens or not (seen == given[:, None, None, :]).all():
            return False
    return True


def _row(attention_mask: Any) -> Any:
    """Return what is added to the scores of each text, (n, 1, 1, tokens): 0, or `_UNSEEN` for padding."""
    from openvino import opset13 as ops

    padding = ops.subtract(ops.constant(np.float32(1)), ops.convert(attention_mask, np.float32))
    return ops.unsqueeze(ops.multiply(padding, ops.constant(np.float32(_UNSEEN))), ops.constant(np.array([1, 2])))


def _attention(node: Any, row: Any) -> Any:
    """Return softmax(scale · q kᵀ + row) v (Vaswani et al. 2017, section 3.2.1)."""
    from openvino import opset13 as ops

    queries, keys, values = (node.input_value(place) for place in range(_MASK))
    if node.get_input_size() > _MASK + 1:
        scale = node.input_value(4)
    else:
        scale = ops.constant(np.float32(queries.get_partial_shape()[-1].get_length() ** -0.5))
    scores = ops.matmul(ops.multiply(queries, scale), keys, transpose_a=False, transpose_b=True)
    out = ops.matmul(ops.softmax(ops.add(scores, row), -1), values, transpose_a=False, transpose_b=False)
    out.set_friendly_name(node.get_friendly_name())
    return out
