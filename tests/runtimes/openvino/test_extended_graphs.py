"""Stretched models in converted form: one graph for texts of every length, equal to torch."""

import gc
import weakref

import numpy as np
import pytest

from qdrant_embed.embedding import load_embedder
from qdrant_embed.models.files.word_vectors import CACHE_VARIABLE
from qdrant_embed.pooling.token_pooling import POOLINGS
from qdrant_embed.runtimes.conversion import convert
from qdrant_embed.runtimes.openvino import runtime as openvino
from qdrant_embed.runtimes.openvino import traced
from qdrant_embed.tokenization.batch import TokenBatch
from tests.support.tiny_models import save_tiny_model

TRAINED, TARGET = 32, 128
LENGTHS = (3, 2 * TRAINED, TARGET, TRAINED)
KIND = "phi3"
"""An architecture that is traced; those that are built of their files are compared with torch in `families/`."""


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory):
    made = {}

    def make(kind):
        if kind not in made:
            made[kind] = save_tiny_model(tmp_path_factory.mktemp(kind), kind, max_tokens=TRAINED)
        return made[kind]

    return make


def batch(pad_id):
    """Return texts of all lengths, padded to the longest."""
    ids = np.random.default_rng(1).integers(5, 60, (len(LENGTHS), max(LENGTHS)))
    mask = (np.arange(max(LENGTHS)) < np.array(LENGTHS)[:, None]).astype(np.int64)
    return TokenBatch(np.where(mask == 1, ids, pad_id), mask)


def vectors(embedder, texts):
    runtime = embedder._runtime
    if hasattr(runtime, "sentence"):
        return runtime.sentence(texts)
    return POOLINGS["mean"](runtime.token_states(texts), texts.mask)


def test_texts_of_every_length_are_read_as_by_torch(folder_of):
    pytest.importorskip("openvino")
    folder, window = folder_of(KIND), f"ntk:{TARGET}"
    found, wanted = (load_embedder(folder, runtime=name, window=window) for name in ("openvino:float32", "torch"))
    texts = batch(found._reader.sequencer.pad_id)
    given = vectors(found, texts)
    assert found.runtime == "openvino:float32"
    np.testing.assert_allclose(given, vectors(wanted, texts), atol=2e-4)
    short = TokenBatch(texts.ids[::3, :TRAINED], texts.mask[::3, :TRAINED])
    plain = vectors(load_embedder(folder, runtime="torch"), short)
    np.testing.assert_allclose(given[::3], plain, atol=2e-4, err_msg="texts that fit are read as without the extension")


def test_embedders_that_read_alike_share_one_graph_and_two_strategies_have_two(folder_of, monkeypatch, tmp_path):
    pytest.importorskip("openvino")
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    monkeypatch.setattr(convert, "gc", gc)  # whose searches make no exception of these embedders
    load, text = openvino.Requests.load, ["The gates of the harbour open at six."]
    for number, window in enumerate(("pcw", "gp:96"), 1):
        opened = []
        monkeypatch.setattr(openvino.Requests, "load", lambda *a, opened=opened: opened.append(a) or load(*a))
        first = load_embedder(folder_of("bert"), runtime="openvino:float32", window=window)
        expected, loads = first.embed_documents(text), len(opened)
        second = load_embedder(folder_of("bert"), runtime="openvino:float32", window=window)
        np.testing.assert_array_equal(second.embed_documents(text), expected)
        assert len(opened) == loads > 0
        del first, second
        gc.collect()
        load_embedder(folder_of("bert"), runtime="openvino:float32", window=window).embed_documents(text)
        assert len(opened) == loads + 1, "what nobody uses any more has been let go"
        assert sum(place.is_dir() for place in (tmp_path / "converted").iterdir()) == number


def test_torch_weights_are_let_go_once_a_model_is_converted(folder_of, monkeypatch, tmp_path):
    pytest.importorskip("openvino")
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    weights, build = [], traced.build_graph

    def seen(*args, **kwargs):
        graph = build(*args, **kwargs)
        weights.extend(weakref.ref(parameter) for parameter in graph.module.parameters())
        return graph

    def put(*folders):
        place(*folders)
        left.append(sum(weight() is not None for weight in weights))

    left, place = [], convert._put
    monkeypatch.setattr(traced, "build_graph", seen)
    monkeypatch.setattr(convert, "_put", put)
    load_embedder(folder_of(KIND), runtime="openvino:float32").embed_documents(["The gates open."])
    assert weights
    assert left == [0], "the compiled graph is loaded beside them"
