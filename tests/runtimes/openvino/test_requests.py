"""Short sequences beside an int8 graph, which are not run by it; the first inference; what a long one leaves."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from qdrant_embed.models.resolve import resolve
from qdrant_embed.runtimes.batching import cores
from qdrant_embed.runtimes.choice import RuntimeChoice
from qdrant_embed.tokenization.batch import TokenBatch

pytest.importorskip("openvino")


@pytest.fixture(scope="module", params=[True, False], ids=["pooled", "states"])
def graphs(save_model, tmp_path_factory, request):
    from qdrant_embed.runtimes.openvino import runtime as openvino

    folder = tmp_path_factory.mktemp("int8")
    resolved = resolve(save_model("mean"))
    openvino._convert(resolved, folder, RuntimeChoice("openvino", "int8"), pooled=request.param)
    return folder / "model.blob", folder / "whole.blob"


def batch(*lengths):
    random = np.random.default_rng(1)
    ids, mask = np.zeros((len(lengths), max(lengths)), np.int64), np.zeros((len(lengths), max(lengths)), np.int64)
    for row, length in enumerate(lengths):
        ids[row, :length], mask[row, :length] = random.integers(5, 40, length), 1
    return TokenBatch(ids, mask)


def test_short_sequences_are_those_of_the_whole_graph(graphs):
    from qdrant_embed.runtimes.openvino.requests import MixedRequests, Requests, best_hint

    mixed, coarse, whole = (
        MixedRequests(*graphs),
        Requests.load(graphs[0], best_hint()),
        Requests.load(graphs[1], best_hint()),
    )
    together = batch(12, 3, 9, 8)
    found = mixed.infer(together)
    np.testing.assert_allclose(found[[1, 3]], whole.infer(together)[[1, 3]], atol=1e-5)
    np.testing.assert_allclose(found[[0, 2]], coarse.infer(together)[[0, 2]], atol=1e-5)
    assert np.abs(found[[0, 2]] - whole.infer(together)[[0, 2]]).max() > 1e-4, "the graphs do not differ"
    np.testing.assert_allclose(mixed.infer(batch(12, 11)), coarse.infer(batch(12, 11)), atol=1e-6)
    np.testing.assert_allclose(mixed.infer(batch(2, 8)), whole.infer(batch(2, 8)), atol=1e-6)


def scoring(ops):
    """Return a graph that holds a number for every pair of tokens, as attention does."""
    import openvino

    ids, mask = (ops.parameter([-1, -1], np.int64, name) for name in ("ids", "mask"))
    row = ops.convert(ops.multiply(ids, mask), np.float32)
    across, down = (ops.unsqueeze(row, ops.constant(np.array([axis]))) for axis in (1, 2))
    pairs = ops.tanh(ops.matmul(down, across, transpose_a=False, transpose_b=False))
    states = ops.matmul(pairs, down, transpose_a=False, transpose_b=False)
    return openvino.Model([ops.squeeze(states, ops.constant(np.array([2])))], [ids, mask], "scoring")


def anonymous_megabytes():
    status = Path("/proc/self/status")
    if not status.exists():
        pytest.skip("the system does not say how much memory a process has")
    line = next(line for line in status.read_text().splitlines() if line.startswith("RssAnon"))
    return int(line.split()[1]) / 1024


@pytest.mark.parametrize("runtime", ["openvino", "onnx"])
def test_buffers_of_a_long_text_are_given_back(tmp_path, monkeypatch, runtime):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")  # two requests that work at once, whatever the tests were started with
    import openvino

    model = scoring(openvino.opset13)
    if runtime == "openvino":
        from qdrant_embed.runtimes.openvino.requests import Requests, compiled

        run = Requests(compiled(model, "f32")).infer
    else:
        run = onnx_scoring(tmp_path)
    long, short = batch(6000), batch(12, 9)
    expected, before = run(short), anonymous_megabytes()
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(run, [long, long, long]))
    assert anonymous_megabytes() - before < 60, "scores of 6000 tokens take 137 MB"
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(run(short), expected)


def onnx_scoring(folder):
    pytest.importorskip("onnxruntime")
    onnx = pytest.importorskip("onnx")
    from qdrant_embed.runtimes.onnx import CONVERTER

    graph = onnx.parser.parse_model(
        """<ir_version: 8, opset_import: ["": 17]>
        scoring (int64[n, t] input_ids, int64[n, t] attention_mask) => (float[n, t] vectors)
        <int64[1] one = {1}, int64[1] two = {2}> {
            product = Mul(input_ids, attention_mask)
            row = Cast<to = 1>(product)
            across = Unsqueeze(row, one)
            down = Unsqueeze(row, two)
            scores = MatMul(down, across)
            pairs = Tanh(scores)
            states = MatMul(pairs, down)
            vectors = Squeeze(states, two)
        }"""
    )
    onnx.save(graph, folder / "model.onnx")
    return CONVERTER.start(folder)


FIRST_INFERENCE = """
import sys, time
import numpy.lib

compare = numpy.lib.NumpyVersion.__init__

def slowly(self, version):
    time.sleep(0.3)  # another thread gets the interpreter's lock, as it may at any moment
    compare(self, version)

numpy.lib.NumpyVersion.__init__ = slowly

from qdrant_embed.runtimes.batching import BatchLimits, run_in_batches
from qdrant_embed.runtimes import TokenBatch
from qdrant_embed.runtimes.openvino.requests import Requests

requests = Requests.load(sys.argv[1], "f32")

def run(sequences):
    ids = numpy.array(sequences, numpy.int64)
    return requests.infer(TokenBatch(ids, numpy.ones_like(ids)))

print(len(run_in_batches(run, [[number] * 8 for number in range(64)], BatchLimits(4, 64))))
"""


def test_workers_do_not_wait_for_each_other_for_ever_at_their_first_inference(tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "4")  # whatever the tests were started with: one request waits for no other
    if cores() < 2:
        pytest.skip("on one core there is one request")
    import openvino
    from openvino import opset13 as ops

    from qdrant_embed.runtimes.openvino.requests import save_compiled

    ids, mask = (ops.parameter([-1, -1], np.int64, name) for name in ("ids", "mask"))
    seen = ops.convert(ops.multiply(ids, mask), np.float32)
    model = openvino.Model([seen], [ids, mask], "echo")
    save_compiled(model, "f32", tmp_path / "echo.blob")
    done = subprocess.run(
        [sys.executable, "-c", FIRST_INFERENCE, str(tmp_path / "echo.blob")],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout == "64\n", done.stderr
