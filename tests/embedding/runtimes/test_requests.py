"""Short sequences beside an int8 graph, which are not run by it; the first inference of a process."""

import subprocess
import sys

import numpy as np
import pytest

from qdrant_embed.embedding.graphs import build_graph, quiet
from qdrant_embed.embedding.resolving import resolve
from qdrant_embed.embedding.runtimes import Batch

pytest.importorskip("openvino")


@pytest.fixture(scope="module", params=[True, False], ids=["pooled", "states"])
def files(save_model, tmp_path_factory, request):
    from qdrant_embed.embedding.runtimes import openvino

    folder = tmp_path_factory.mktemp("int8")
    resolved = resolve(save_model("mean"))
    with quiet():
        openvino._convert_to_int8(resolved, build_graph(resolved, pooled=request.param), folder)
    return folder / "model.xml", folder / "whole.xml"


def batch(*lengths):
    random = np.random.default_rng(1)
    ids, mask = np.zeros((len(lengths), max(lengths)), np.int64), np.zeros((len(lengths), max(lengths)), np.int64)
    for row, length in enumerate(lengths):
        ids[row, :length], mask[row, :length] = random.integers(5, 40, length), 1
    return Batch((), ids, mask)


def test_short_sequences_are_those_of_the_whole_graph(files):
    from qdrant_embed.embedding.runtimes.requests import MixedRequests, Requests, best_hint

    mixed, coarse, whole = (
        MixedRequests(*files, keep=False),
        Requests(files[0], best_hint(), keep=False),
        Requests(files[1], best_hint(), keep=False),
    )
    together = batch(12, 3, 9, 8)
    found = mixed.infer(together)
    np.testing.assert_allclose(found[[1, 3]], whole.infer(together)[[1, 3]], atol=1e-5)
    np.testing.assert_allclose(found[[0, 2]], coarse.infer(together)[[0, 2]], atol=1e-5)
    assert np.abs(found[[0, 2]] - whole.infer(together)[[0, 2]]).max() > 1e-4, "the graphs do not differ"
    np.testing.assert_allclose(mixed.infer(batch(12, 11)), coarse.infer(batch(12, 11)), atol=1e-6)
    np.testing.assert_allclose(mixed.infer(batch(2, 8)), whole.infer(batch(2, 8)), atol=1e-6)


FIRST_INFERENCE = """
import sys, time
import numpy.lib

compare = numpy.lib.NumpyVersion.__init__

def slowly(self, version):
    time.sleep(0.3)  # another thread gets the interpreter's lock, as it may at any moment
    compare(self, version)

numpy.lib.NumpyVersion.__init__ = slowly

from qdrant_embed.embedding.lanes import Lanes, run_sequences
from qdrant_embed.embedding.runtimes import Batch
from qdrant_embed.embedding.runtimes.requests import Requests

requests = Requests(sys.argv[1], "f32", keep=False)

def run(sequences):
    ids = numpy.array(sequences, numpy.int64)
    return requests.infer(Batch((), ids, numpy.ones_like(ids)))

print(len(run_sequences(run, [[number] * 8 for number in range(64)], Lanes(4, 64))))
"""


def test_lanes_do_not_wait_for_each_other_for_ever_at_their_first_inference(tmp_path):
    import openvino
    from openvino import opset13 as ops

    ids, mask = (ops.parameter([-1, -1], np.int64, name) for name in ("ids", "mask"))
    seen = ops.convert(ops.multiply(ids, mask), np.float32)
    model = openvino.Model([seen], [ids, mask], "echo")
    openvino.save_model(model, tmp_path / "echo.xml", compress_to_fp16=False)
    done = subprocess.run(
        [sys.executable, "-c", FIRST_INFERENCE, str(tmp_path / "echo.xml")],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout == "64\n", done.stderr
