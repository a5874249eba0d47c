"""Gated layers stay three products, with the same numbers; as one operation they can end the process."""

import numpy as np
import pytest

from qdrant_embed.runtimes.openvino.gated_layers import keep_gates_apart

openvino = pytest.importorskip("openvino")


def gated(activation):
    from openvino import opset13 as ops

    random = np.random.default_rng(0)
    states = ops.parameter([-1, -1, 32], np.float32)
    wide = [ops.constant(random.standard_normal((64, 32)).astype(np.float32)) for _ in range(2)]
    gate, up = (ops.matmul(states, weights, transpose_a=False, transpose_b=True) for weights in wide)
    acts = {
        "gelu": lambda: ops.gelu(gate, "tanh"),
        "silu": lambda: ops.multiply(gate, ops.sigmoid(gate)),
        "swish": lambda: ops.swish(gate),
    }
    product = ops.multiply(up, acts[activation]()) if activation == "gelu" else ops.multiply(acts[activation](), up)
    down = ops.constant(random.standard_normal((32, 64)).astype(np.float32))
    return openvino.Model([ops.matmul(product, down, transpose_a=False, transpose_b=True)], [states])


@pytest.mark.parametrize("activation", ["gelu", "silu", "swish"])
def test_they_are_not_joined_and_compute_what_they_did(activation):
    states = np.random.default_rng(1).standard_normal((2, 3, 32)).astype(np.float32)
    core, exact = openvino.Core(), {"INFERENCE_PRECISION_HINT": "f32"}
    wanted = core.compile_model(gated(activation), "CPU", exact)(states)[0]
    apart = keep_gates_apart(gated(activation))
    np.testing.assert_array_equal(core.compile_model(apart, "CPU", exact)(states)[0], wanted)
    compiled = core.compile_model(apart, "CPU", {"INFERENCE_PRECISION_HINT": "bf16"})
    kinds = {node.get_rt_info()["layerType"].astype(str) for node in compiled.get_runtime_model().get_ops()}
    assert not any("MLP" in kind for kind in kinds), kinds
