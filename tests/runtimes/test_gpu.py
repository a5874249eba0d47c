"""The torch runtime on a real GPU. Tests run on the processor unless CUDA_VISIBLE_DEVICES names a GPU."""

from functools import partial

import numpy as np
import pytest

from qdrant_embed.embedding import load_embedder
from qdrant_embed.runtimes import out_of_memory
from qdrant_embed.runtimes.torch import runtime as torch_runtime
from qdrant_embed.runtimes.torch.load import load_model
from qdrant_embed.testing.conformance.embedders import check_embedder
from tests.support.late_import import Late
from tests.support.tiny_models import save_tiny_model

torch = Late("torch")


@pytest.fixture(scope="module", autouse=True)
def gpu():
    if not torch.cuda.is_available():
        pytest.skip("no GPU is visible")


KINDS = ("bert", "mpnet", "xlm-roberta", "modernbert", "nomic_bert", "llama", "qwen3", "gemma3_text")
TEXTS = [f"The gates of harbour {number} open at six. " * (1 + number) for number in range(12)]
COSINE = {"torch:float32": 0.99999, "torch:bf16": 0.999}


@pytest.fixture(scope="module", params=KINDS)
def folder(request, tmp_path_factory):
    return save_tiny_model(tmp_path_factory.mktemp("model"), request.param, initializer_range=0.1)


@pytest.fixture
def on_processor(monkeypatch):
    """Return a function that loads an embedder in float32, without a GPU."""

    def load(folder, **settings):
        with monkeypatch.context() as patched:
            patched.setattr(torch_runtime, "_gpus", list)
            patched.setattr(torch_runtime, "load_model", partial(load_model, device="cpu"))
            embedder = load_embedder(folder, runtime="torch:float32", **settings)
            embedder.embed_documents(["once"])
            return embedder

    return load


def worst_cosine(one, other):
    return float((np.asarray(one) * np.asarray(other)).sum(axis=1).min())


@pytest.mark.parametrize("runtime", COSINE)
def test_vectors_equal_those_of_the_processor(folder, on_processor, runtime):
    wanted = on_processor(folder).embed_documents(TEXTS)
    embedder = load_embedder(folder, runtime=runtime)
    assert worst_cosine(embedder.embed_documents(TEXTS), wanted) >= COSINE[runtime]
    assert embedder._runtime._model.device.type == "cuda"


def test_promises_of_every_embedder_are_kept(folder):
    check_embedder(load_embedder(folder, runtime="torch:bf16"))


def test_sixteen_bits_are_what_a_gpu_runs_unless_told_otherwise(folder):
    weights = {
        name: {weight.dtype for weight in _loaded(folder, name)._runtime._model.parameters()}
        for name in ("torch", "torch:float32")
    }
    assert weights == {"torch": {torch.bfloat16}, "torch:float32": {torch.float32}}


def test_late_chunks_equal_those_of_the_processor(folder, on_processor):
    text = TEXTS[-1]
    spans = [(start, start + 42) for start in range(0, len(text) - 42, 43)]
    wanted = on_processor(folder, window="late").encode_late(text, spans).vectors
    found = load_embedder(folder, window="late", runtime="torch:float32").encode_late(text, spans).vectors
    assert worst_cosine(found, wanted) >= COSINE["torch:float32"]


@pytest.mark.parametrize(
    ("kind", "window"),
    [("bert", "gp:512"), ("bert", "pi:512"), ("llama", "ntk:512"), ("llama", "selfextend:512"),
     ("llama", "yarn:512"), ("nomic_bert", "selfextend:512")],
)  # fmt: skip
def test_stretched_models_give_the_vectors_of_the_processor(tmp_path, on_processor, kind, window):
    folder = save_tiny_model(tmp_path, kind, max_tokens=64, initializer_range=0.1)
    texts = [" ".join(TEXTS[:size]) for size in (1, 4, 8)]
    settings = {"window": f"{window}+truncate"}
    wanted = on_processor(folder, **settings).embed_documents(texts)
    found = load_embedder(folder, runtime="torch:float32", **settings).embed_documents(texts)
    assert worst_cosine(found, wanted) >= COSINE["torch:float32"]


def test_32_768_tokens_fit_selfextend(tmp_path):
    """Whole, the scores of four heads would be 16 GiB, and attention makes several copies of them."""
    folder = save_tiny_model(tmp_path, "llama", max_tokens=2048, initializer_range=0.1)
    embedder = load_embedder(folder, window="selfextend:32768+truncate", runtime="torch:float32")
    embedder.embed_documents(["once"])
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    vectors = embedder.embed_documents(["The gates of the harbour open at six. " * 5000])
    assert np.isfinite(vectors).all()
    assert torch.cuda.max_memory_allocated() - before < 4 * 2**30


def test_too_little_memory_halves_batches(tmp_path, monkeypatch):
    folder = save_tiny_model(tmp_path, "bert", max_tokens=2048, initializer_range=0.1)
    texts = [f"Harbour {number}. " + "The gates open at six. " * 300 for number in range(64)]
    embedder = _loaded(folder, "torch:float32")
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    wanted = embedder.embed_documents(texts)
    needed = torch.cuda.max_memory_allocated() - before
    known, refused = out_of_memory.is_out_of_memory, []
    monkeypatch.setattr(out_of_memory, "is_out_of_memory", lambda error: refused.append(error) or known(error))
    torch.cuda.empty_cache()
    total = torch.cuda.get_device_properties(0).total_memory
    try:
        torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_reserved() + needed / 2) / total)
        found = embedder.embed_documents(texts)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert refused
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def _loaded(folder, runtime):
    embedder = load_embedder(folder, runtime=runtime)
    embedder.embed_documents(["once"])
    return embedder
