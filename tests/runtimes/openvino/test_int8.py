"""Products in int8, compared with what they stand for; the graph is computed exactly, whatever the processor has."""

from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from qdrant_embed.models.resolve import resolve
from qdrant_embed.runtimes.conversion.fidelity import batches_of
from qdrant_embed.runtimes.conversion.probe_texts import PROBES
from qdrant_embed.runtimes.openvino import runtime as openvino
from qdrant_embed.runtimes.openvino.graph_edit import weights_of
from qdrant_embed.runtimes.preparation.bf16_weights import to_bf16
from qdrant_embed.testing.conformance.embedders import TEXTS

pytest.importorskip("openvino")
EXACT = {"LP_TRANSFORMS_MODE": "OFF", "INFERENCE_PRECISION_HINT": "f32"}


def run(model, batches, settings=EXACT):
    from qdrant_embed.runtimes.openvino.requests import core

    request = core().compile_model(model, "CPU", settings).create_infer_request()
    found = []
    for batch in batches:
        request.infer([batch.ids, batch.mask])
        found.append(np.array(request.get_output_tensor(0).data))
    return np.concatenate(found)


def cosines(one, other):
    return np.einsum("nd,nd->n", one, other) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)


def weights(model):
    """Return the types of the constants that go into products."""
    from qdrant_embed.runtimes.openvino import graph_edit

    kinds = []
    for node in model.get_ordered_ops():
        if node.get_type_name() == "MatMul":
            source = node.input_value(1).get_node()
            while source.get_type_name() in ("Multiply", "Convert"):
                source = source.input_value(0).get_node()
            if source.get_type_name() == "Constant":
                kinds.append(source.get_element_type().get_type_name())
    return kinds, graph_edit.inputs_of_products(model)


@pytest.mark.model
@pytest.mark.usefixtures("int8_anywhere")
def test_every_product_of_minilm_is_in_int8_and_its_vectors_stay():
    from qdrant_embed.runtimes.openvino import int8
    from qdrant_embed.runtimes.openvino.requests import SHORT_TOKENS

    # Two of its six blocks: the others are like them, and take three times as long.
    resolved = resolve("minilm")
    resolved = replace(resolved, preset=replace(resolved.preset, layers=2))
    whole, _ = openvino.graph_of(resolved, pooled=True)
    model = int8.quantize(resolved, whole.clone())
    batches = batches_of(resolved, (*PROBES[::6], *TEXTS[::2]))  # long ones and short ones, in several scripts
    wanted = run(whole, batches)
    found = run(model, batches)
    lengths = np.concatenate([batch.mask.sum(axis=1) for batch in batches])
    agreement = cosines(wanted, found)
    assert agreement[lengths > SHORT_TOKENS].min() >= 0.995
    assert agreement.min() >= 0.97, "texts of a word, which run in floating point beside it"
    assert agreement.max() < 0.999999, "nothing was rounded"
    kinds, _ = weights(model)
    assert kinds.count("i8") == 12
    assert kinds.count("f32") == 4, "a narrow block of two products in each layer"


def test_a_narrow_block_takes_the_channels_that_reach_furthest(save_model):
    """With one hidden unit made huge, rounding everything in its range would leave nothing of the others."""
    from qdrant_embed.runtimes.openvino import int8

    folder = save_model("mean")
    (layer, tensors) = "encoder.layer.0.", load_file(folder / "model.safetensors")
    tensors[f"{layer}intermediate.dense.bias"][3] = 3000.0
    tensors[f"{layer}output.dense.weight"][:, 3] *= 1e-3
    save_file(tensors, folder / "model.safetensors")
    resolved = resolve(str(folder))
    model = openvino.graph_of(resolved, pooled=True)[0]
    batches = batches_of(resolved, TEXTS)
    wanted = run(model, batches)
    assert cosines(wanted, run(int8.quantize(resolved, model), batches)).min() > 0.99
    kinds, _ = weights(model)
    assert "f32" in kinds


def test_ranges_are_those_of_the_tokens_and_not_of_the_padding(save_model):
    from qdrant_embed.runtimes.openvino import int8

    resolved = resolve(save_model("mean"))
    model = openvino.graph_of(resolved, pooled=True)[0]
    (batch,) = batches_of(resolved, ("w1 w2 w3", "w4"))
    alone = [row for text in ("w1 w2 w3", "w4") for row in batches_of(resolved, (text,))]
    names = list(weights(model)[1])[:1]
    together, one_by_one = int8._watch(model, names, [batch]), int8._watch(model, names, alone)
    for field in ("low", "high", "mean"):
        np.testing.assert_allclose(
            getattr(together[names[0]], field), getattr(one_by_one[names[0]], field), rtol=1e-5, atol=1e-6
        )


def test_weights_are_rounded_to_the_nearest_step():
    from qdrant_embed.runtimes.openvino import int8

    matrix = np.random.default_rng(0).normal(size=(5, 7)).astype(np.float32)
    matrix[2] = 0
    whole, step = int8._int8(matrix)
    assert np.abs(whole).max() == 127
    assert (np.abs(whole * step - matrix) <= step / 2 + 1e-7).all()


def test_weights_that_are_stored_in_bf16_are_read_as_the_numbers_they_are():
    import openvino as ov
    from openvino import opset13 as ops

    wanted = np.array([[1.5, -2.25], [0.125, 3.0]], np.float32)
    stored = ov.Tensor(to_bf16(wanted), ov.Shape([2, 2]), ov.Type.bf16)
    weights = ops.convert(ov.op.Constant(stored, shared_memory=False), np.float32)
    states = ops.parameter([-1, -1, 2], np.float32)
    assert np.array_equal(weights_of(ops.matmul(states, weights, transpose_a=False, transpose_b=True)), wanted)
