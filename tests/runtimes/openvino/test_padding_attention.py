"""Attention written out for OpenVINO: only where padding alone is hidden, and with the same states."""

import numpy as np
import pytest

from qdrant_embed.models.resolve import resolve
from qdrant_embed.runtimes.torch.graph import build_graph, examples, quiet, without_blind_rows
from tests.support.tiny_models import save_tiny_model

openvino = pytest.importorskip("openvino")


@pytest.fixture
def converted(tmp_path):
    def convert(architecture):
        resolved = resolve(save_tiny_model(tmp_path / architecture, architecture))
        ids, mask = examples()
        with quiet():
            graph = build_graph(resolved, pooled=False)
            with without_blind_rows():
                inputs = {"input_ids": ids, "attention_mask": mask}
                return openvino.convert_model(graph.module, example_input=inputs), resolved.preset.max_tokens

    return convert


def attentions(model):
    return sum(node.get_type_name() == "ScaledDotProductAttention" for node in model.get_ops())


def states(model, tokens):
    random = np.random.default_rng(0)
    mask = np.ones((3, tokens), np.int64)
    mask[1, tokens // 2 :] = 0
    mask[2, 1:] = 0
    compiled = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return compiled([random.integers(5, 40, mask.shape), mask])[0][mask == 1]


def test_attention_that_padding_alone_limits_is_written_out_with_the_same_states(converted):
    from qdrant_embed.runtimes.openvino.padding_attention import write_out_padding

    model, most = converted("bert")
    there = attentions(model)
    before = {tokens: states(model, tokens) for tokens in (1, 13)}
    assert attentions(write_out_padding(model, 8193)) == there > 0, "the mask is too large to be compared"
    assert not attentions(write_out_padding(model, most))
    for tokens, wanted in before.items():
        np.testing.assert_allclose(states(model, tokens), wanted, atol=1e-5)


def test_causal_attention_stays(converted):
    from qdrant_embed.runtimes.openvino.padding_attention import write_out_padding

    model, most = converted("qwen3")
    there = attentions(model)
    before = states(model, 13)
    assert attentions(write_out_padding(model, most)) == there > 0
    np.testing.assert_array_equal(states(model, 13), before)


def test_a_window_that_slides_stays_and_shows_itself_only_in_texts_beyond_it(converted):
    from qdrant_embed.runtimes.openvino.padding_attention import write_out_padding

    model, most = converted("modernbert")
    there, before = attentions(model), states(model, 31)
    left = attentions(write_out_padding(model, most))
    assert 0 < left < there, "layers that see everything are written out, and no others"
    np.testing.assert_allclose(states(model, 31), before, atol=1e-5)


@pytest.mark.parametrize("before", [(), (1, 1)], ids=["square", "square for all texts"])
def test_a_mask_that_knows_nothing_of_padding_stays(before):
    from openvino import opset13 as ops

    from qdrant_embed.runtimes.openvino.padding_attention import write_out_padding

    given = ops.parameter([-1, -1], np.int64, name="attention_mask")
    tokens = ops.gather(ops.shape_of(given), ops.constant(np.array([1])), ops.constant(0))
    shape = ops.concat([*(ops.constant(np.array([size])) for size in before), tokens, tokens], 0)
    everything = ops.broadcast(ops.constant(np.array(True)), shape)
    states = ops.unsqueeze(ops.convert(given, np.float32), ops.constant(np.array([1, 3])))
    attended = ops.scaled_dot_product_attention(states, states, states, everything)
    model = openvino.Model([attended], [given])
    assert attentions(write_out_padding(model, 9)) == 1
