import json
import re
import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from qdrant_embed.embedding import load_embedder
from qdrant_embed.errors import ModelError
from qdrant_embed.models.resolve import resolve
from qdrant_embed.runtimes.batching import BatchLimits
from qdrant_embed.runtimes.torch import load as modules
from qdrant_embed.runtimes.torch import runtime as torch_runtime
from tests.support.tiny_models import save_tiny_model

BOTH = ("torch:float32", "torch:bf16")


@pytest.fixture
def folder(save_model, tmp_path):
    """Return a copy of a model that a test may spoil."""
    return shutil.copytree(save_model(), tmp_path / "copy")


def test_weights_of_sixteen_bits_are_run_in_float32(folder):
    import torch
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    # Rounded first, so that both files hold the same numbers.
    rounded = {name: value.to(torch.bfloat16) for name, value in weights.items()}
    config = json.loads((folder / "config.json").read_text())
    found = []
    for dtype in ("float32", "bfloat16"):
        save_file(
            {name: value.to(getattr(torch, dtype)) for name, value in rounded.items()}, folder / "model.safetensors"
        )
        (folder / "config.json").write_text(json.dumps({**config, "dtype": dtype}))
        found.append(load_embedder(folder).embed_documents(["w1 w2 w3", "w4"]))
    np.testing.assert_allclose(*found, atol=1e-6)


def test_a_model_of_short_texts_is_loaded_without_a_word(tmp_path, said_by_libraries):
    folder = save_tiny_model(tmp_path / "model", "bert", max_tokens=24)
    load_embedder(folder, runtime="torch").embed_documents(["w1 w2"])
    assert said_by_libraries == []


@pytest.mark.parametrize(
    ("kind", "window"),
    [("qwen3", "pcw"), ("modernbert", "ntk:2048"), ("llama", "dynamic:2048"), ("bert", "pi:2048"), ("gemma2", "pcw")],
)
def test_positions_are_computed_in_float32_beside_weights_of_sixteen_bits(tmp_path, kind, window):
    """Rounded to eight bits, frequencies would be wrong by more than a radian some hundred tokens on."""
    import torch

    embedder = load_embedder(save_tiny_model(tmp_path, kind), runtime="torch:bf16", window=window)
    model = embedder._runtime._model
    assert {weight.dtype for weight in model.parameters()} == {torch.bfloat16}
    positions = [buffer for name, buffer in model.named_buffers() if not name.endswith("embed_scale")]
    assert {one.dtype for one in positions if one.is_floating_point()} <= {torch.float32}


def test_a_token_thousands_of_places_on_is_rotated_as_in_float32(tmp_path):
    import torch

    folder, place = save_tiny_model(tmp_path, "llama"), torch.tensor([[3000, 30_000]])
    models = [load_embedder(folder, runtime=name)._runtime._model[0].model for name in BOTH]
    wanted, found = ([part.float() for part in model.rotary_emb(torch.ones(1), place)] for model in models)
    for one, other in zip(wanted, found, strict=True):
        torch.testing.assert_close(other, one, atol=2e-3, rtol=0)


@pytest.mark.parametrize("window", ["ntk:4096", "pi:4096"])
def test_long_texts_keep_the_promise_of_sixteen_bits(tmp_path, window):
    folder = save_tiny_model(tmp_path, "llama", initializer_range=0.1)
    text = " ".join(f"The gates of harbour {number} open at six." for number in range(300))
    vectors = [load_embedder(folder, runtime=name, window=window).embed_documents([text]) for name in BOTH]
    assert (vectors[0] * vectors[1]).sum() >= 0.9995


@pytest.mark.parametrize(
    ("runtime", "message"),
    [
        ("torch", "as float32; its files hold 0.0 GiB of weights (CUDA out of memory. Tried 2 GiB). Give the "
         "runtime torch:bf16, which takes half of what float32 does, or a smaller model; or type export "),
        ("torch:bf16", "as bfloat16; its files hold 0.0 GiB of weights (CUDA out of memory. Tried 2 GiB). Give a "
         "smaller model; or"),
    ],
)  # fmt: skip
def test_a_model_that_memory_does_not_suffice_for_is_not_said_to_need_code(folder, monkeypatch, runtime, message):
    def fail(*_):
        raise RuntimeError("CUDA out of memory. Tried 2 GiB.\nmore")

    monkeypatch.setattr("sentence_transformers.SentenceTransformer.to", fail)
    with pytest.raises(ModelError, match=re.escape(f"memory does not suffice to load the model in {folder} {message}")):
        load_embedder(folder, runtime=runtime).embed_documents(["w1"])


def test_several_gpus_get_copies_of_what_was_read_into_memory(folder, monkeypatch):
    import torch

    read, load = [], modules._load_modules
    monkeypatch.setattr(modules, "_load_modules", lambda *args, **kwargs: read.append(kwargs) or load(*args, **kwargs))
    models = modules.load_copies(resolve(folder), ["meta", "cpu", "cpu"], dtype="bfloat16")
    assert read == [{"dtype": "bfloat16", "device": "cpu"}], "read once, and on no GPU"
    assert [model.device.type for model in models] == ["meta", "cpu", "cpu"]
    assert {weight.dtype for model in models for weight in model.parameters()} == {torch.bfloat16}
    places = [next(model.parameters()).data_ptr() for model in models[1:]]
    assert places[0] != places[1]


def test_several_gpus_work_at_once_and_each_on_as_large_a_batch_as_one_alone(folder, monkeypatch):
    wanted = load_embedder(folder, runtime="torch").embed_documents(["w1 w2 w3", "w4", "w5 w6"])
    monkeypatch.setattr(torch_runtime, "_gpus", lambda: ["cpu", "cpu"])
    embedder = load_embedder(folder, runtime="torch:float32")
    np.testing.assert_allclose(embedder.embed_documents(["w1 w2 w3", "w4", "w5 w6"]), wanted, atol=1e-6)
    assert embedder._running.batch_limits == BatchLimits(2, BatchLimits().tokens)


def test_a_gpu_gets_larger_batches(folder, monkeypatch):
    model = modules.load_model(resolve(folder))
    kinds = torch_runtime.TorchSentenceRuntime, torch_runtime.TorchTokenRuntime
    assert {kind(model).batch_limits for kind in kinds} == {BatchLimits()}
    monkeypatch.setattr(type(model), "device", SimpleNamespace(type="cuda"))
    sentence, token = (kind(model).batch_limits for kind in kinds)
    assert sentence == BatchLimits(tokens=torch_runtime.GPU_TOKENS)
    assert token == BatchLimits(), "the states of all tokens leave the GPU"


def test_a_tokenizer_file_that_does_not_match_the_folder_is_found_out(folder):
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    config = json.loads((folder / "tokenizer_config.json").read_text())
    tokenizer["post_processor"] = None
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    # This class puts [CLS] and [SEP] around every text, whatever the file says.
    (folder / "tokenizer_config.json").write_text(json.dumps({**config, "tokenizer_class": "BertTokenizer"}))
    with pytest.raises(ModelError, match=r"gives other tokens .*Save it anew: AutoTokenizer"):
        load_embedder(folder).embed_documents(["w1"])


def test_broken_weights_are_named(folder):
    (folder / "model.safetensors").write_bytes(b"not weights at all")
    with pytest.raises(ModelError, match=rf"{folder}/model\.safetensors is no safetensors file.*Download it again"):
        load_embedder(folder).embed_documents(["w1"])


def test_a_model_whose_code_is_unknown_is_refused(folder):
    config = json.loads((folder / "config.json").read_text())
    theirs = {"model_type": "made_up", "auto_map": {"AutoConfig": "theirs.Config", "AutoModel": "theirs.Model"}}
    (folder / "config.json").write_text(json.dumps({**config, **theirs}))
    (folder / "theirs.py").write_text("raise SystemExit('code of the model was run')")
    with pytest.raises(ModelError, match=r"brings code of its own \(theirs\.Model\), which is not run"):
        load_embedder(folder).embed_documents(["w1"])


def test_a_pool_of_models_that_pool_inside_gives_token_states_too(folder, monkeypatch):
    from qdrant_embed.models.resolve import resolve
    from qdrant_embed.runtimes.choice import RuntimeChoice
    from qdrant_embed.runtimes.torch.load import load_model
    from qdrant_embed.runtimes.torch.runtime import TorchPool, TorchPooledRuntime

    text = " ".join(f"w{number % 60}" for number in range(400))
    spans = [(match.start(), match.end()) for match in re.finditer(r"(w\d+ ){8}", text)]
    alone = load_embedder(folder, window="late")
    models = [TorchPooledRuntime(load_model(resolve(folder)), "last", "mean") for _ in range(2)]
    pool = TorchPool(models)
    choice = RuntimeChoice.parse("torch")
    monkeypatch.setattr("qdrant_embed.runtimes.session.start", lambda resolved, asked: (choice, pool))
    pooled = load_embedder(folder, window="late")
    assert pool.batch_limits.workers == pool.tokenwise().batch_limits.workers == 2
    np.testing.assert_allclose(
        pooled.encode_late(text, spans).vectors, alone.encode_late(text, spans).vectors, atol=1e-5
    )
    np.testing.assert_allclose(pooled.embed_queries(["w1 w2"]), alone.embed_queries(["w1 w2"]), atol=1e-5)


@pytest.mark.model
def test_the_default_model_keeps_its_promises():
    from qdrant_embed.testing.conformance.embedders import check_embedder

    check_embedder(load_embedder("minilm"))
