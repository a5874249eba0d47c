"""Gated layers, down(act(gate(x)) · up(x)), kept as three products.

On processors with AMX, OpenVINO (2026.4) makes one operation of them that is written for several threads. With one
thread a stream, as here, it divides by zero and ends the process (SIGFPE); where it works it is no faster.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import openvino

_ACTIVATIONS = ("Gelu", "Swish")
_NOTHING = 1e-30
"""Not zero, whose addition would be left out; it is added as a bias, which costs no time."""


def keep_gates_apart(model: openvino.Model) -> openvino.Model:
    """Add next to nothing to the side without the activation of each gated layer, in place, and return the model."""
    from openvino import opset13 as ops

    for node in model.get_ordered_ops():
        for place in (0, 1) if node.get_type_name() == "Multiply" else ():
            plain, gate = node.input_value(place), node.input_value(1 - place).get_node()
            if plain.get_node().get_type_name() == "MatMul" and _is_gate(gate):
                moved = ops.add(plain, ops.constant(np.full((1, 1, 1), _NOTHING, np.float32)))
                node.input(place).replace_source_output(moved.output(0))
    return model


def _is_gate(node: Any) -> bool:
    """Tell whether a node is an activation of a product, also one that is written out as x · σ(x)."""
    if node.get_type_name() == "Multiply":
        return any(value.get_node().get_type_name() == "Sigmoid" for value in node.input_values())
    return node.get_type_name() in _ACTIVATIONS
