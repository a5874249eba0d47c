"""Short sequences beside an int8 graph, which are not run by it."""

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
