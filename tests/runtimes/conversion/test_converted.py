"""Every converted runtime, on tiny models of every pooling and on MiniLM."""

import csv
import json
import os
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from qdrant_embed.embedding import load_embedder
from qdrant_embed.errors import ConfigurationError, ModelError
from qdrant_embed.models.files.word_vectors import CACHE_VARIABLE
from qdrant_embed.models.resolve import resolve
from qdrant_embed.runtimes import onnx
from qdrant_embed.runtimes.batching import BatchLimits
from qdrant_embed.runtimes.conversion import convert
from qdrant_embed.runtimes.conversion.convert import FidelityWarning
from qdrant_embed.runtimes.conversion.converted_runtime import ConvertedRuntime
from qdrant_embed.runtimes.conversion.fidelity import Fidelity
from qdrant_embed.runtimes.openvino import runtime as openvino
from qdrant_embed.runtimes.torch.graph import Graph
from qdrant_embed.testing.conformance.embedders import TEXTS, check_embedder
from qdrant_embed.tokenization.batch import TokenBatch
from tests.support.tiny_models import save_tiny_model

pytest.importorskip("openvino")
DATA = Path(os.environ.get("QDRANT_EMBED_DATA", Path(__file__).parents[4] / "shared" / "data"))
INT8 = "openvino:int8"


def available(runtime):
    if runtime.endswith(":bf16") and openvino.best_precision() != "bf16":
        pytest.skip("the processor has no bf16")
    if runtime == INT8 and not openvino.multiplies_int8():
        pytest.skip("the processor has no instructions for products in int8")
    for package in ("onnxscript", "onnxruntime") if runtime == "onnx" else ("openvino",):
        pytest.importorskip(package)
    return runtime


@pytest.fixture(scope="session")
def model_of(save_model):
    """Return a function that saves a model of given settings once, so that each runtime converts it once."""
    folders = {}

    def of(**settings):
        key = tuple(sorted(settings.items()))
        if key not in folders:
            folders[key] = save_model(**settings)
        return folders[key]

    return of


def cosines(one, other):
    return np.einsum("nd,nd->n", one, other)


# Each export to ONNX takes several seconds whatever the model, so one model has all that could go wrong: a chain of
# modules behind the pooling, padding that sees no token, angles that depend on the length of a text.
CHAINED = (
    "qwen3", "lasttoken", {"padding_side": "left", "dense": [16], "max_tokens": 32, "num_hidden_layers": 1}, "ntk:128",
)  # fmt: skip
TRACED = ("phi3", "lasttoken", {"padding_side": "left", "max_tokens": 32, "num_hidden_layers": 1}, "pi:128")
"""Of an architecture that is not built of its files; tokens of its padding see none at all."""


@pytest.mark.parametrize(
    ("runtime", "architecture", "pooling", "settings", "window"),
    [
        ("openvino:float32", "bert", "mean", {}, "pcw"),
        ("openvino:float32", *TRACED),
        ("openvino:float32", *CHAINED),
        ("onnx", *CHAINED),
    ],
    ids=str,
)
def test_conformance_also_where_padding_may_see_no_token(tmp_path, runtime, architecture, pooling, settings, window):
    folder = save_tiny_model(tmp_path / "model", architecture, pooling=pooling, **settings)
    embedder = load_embedder(folder, runtime=available(runtime), window=window)
    assert embedder.runtime == runtime, "torch runs it"
    check_embedder(embedder)
    texts = [*TEXTS, *("w1 w2 keys " * times for times in (6, 13, 25))]
    wanted = load_embedder(folder, runtime="torch", window=window).embed_documents(texts)
    np.testing.assert_allclose(embedder.embed_documents(texts), wanted, atol=1e-4)


def test_conformance_of_bf16_in_torch(model_of):
    check_embedder(load_embedder(model_of(), runtime="torch:bf16"))


@pytest.mark.usefixtures("int8_anywhere")
def test_conformance_of_int8(model_of):
    embedder = load_embedder(model_of(pooling="cls"), runtime=INT8)
    assert embedder.runtime == INT8, "another one runs it"
    check_embedder(embedder)


@pytest.mark.parametrize("pooling", ["mean", "cls", "max", "lasttoken", "weightedmean", "mean_sqrt_len_tokens"])
@pytest.mark.parametrize("side", ["right", "left"])
def test_every_pooling_inside_the_graph_equals_numpy(pooling, side):
    torch = pytest.importorskip("torch")
    from qdrant_embed.pooling.token_pooling import POOLINGS
    from qdrant_embed.pooling.torch_pooling import POOLS

    states = np.random.default_rng(3).normal(size=(3, 7, 5)).astype(np.float32)
    mask = np.array([[1] * 7, [1] * 4 + [0] * 3, [1] + [0] * 6])
    mask = mask if side == "right" else mask[:, ::-1].copy()
    found = POOLS[pooling](torch.from_numpy(states), torch.from_numpy(mask)).numpy()
    np.testing.assert_allclose(found, POOLINGS[pooling](states, mask), atol=1e-6)


TOKENS = TokenBatch(np.array([[2, 9, 11, 3], [2, 9, 3, 0]]), np.array([[1, 1, 1, 1], [1, 1, 1, 0]]))


def test_token_states_are_to_be_had_from_a_model_that_pools_inside(tmp_path):
    folder = save_tiny_model(tmp_path / "model", "bert", pooling="mean", num_hidden_layers=1)
    wanted = load_embedder(folder, runtime="torch")._runtime
    found = load_embedder(folder, runtime="openvino:float32")._runtime.tokenwise()
    seen = TOKENS.mask == 1
    np.testing.assert_allclose(found.token_states(TOKENS)[seen], wanted.token_states(TOKENS)[seen], atol=1e-4)


def test_token_states_are_to_be_had_from_onnx_too(model_of, monkeypatch, tmp_path):
    """With a table of vectors in the place of the model, which is exported in a moment."""
    available("onnx")
    import torch

    class Table(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.rows = torch.nn.Embedding(100, 8)

        def forward(self, input_ids, attention_mask):
            return self.rows(input_ids) * attention_mask[:, :, None]

    table = Table().eval()
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    monkeypatch.setattr(onnx, "build_graph", lambda *_, pooled, **__: Graph(table, pooled=pooled))
    unpooled = partial(convert.converted, resolve(str(model_of())), onnx.CONVERTER, pooled=False)
    found = ConvertedRuntime(None, unpooled, BatchLimits(), "").tokenwise()
    with torch.no_grad():
        wanted = table(torch.from_numpy(TOKENS.ids), torch.from_numpy(TOKENS.mask)).numpy()
    np.testing.assert_allclose(found.token_states(TOKENS), wanted, atol=1e-6)


def test_a_second_start_converts_nothing(model_of, monkeypatch):
    folder = model_of()
    first = load_embedder(folder, runtime="openvino:float32").embed_documents(["w1 w2"])
    monkeypatch.setattr(openvino, "_convert", lambda *_, **__: pytest.fail("converted again"))
    np.testing.assert_array_equal(load_embedder(folder, runtime="openvino:float32").embed_documents(["w1 w2"]), first)


def test_the_note_of_a_conversion_says_how_near_it_is(model_of, monkeypatch, tmp_path):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    load_embedder(model_of(pooling="max"), runtime="openvino:float32").embed_documents(["w1"])
    assert not list((tmp_path / "converted").glob("making-*")), "something half made was left"
    (note,) = [json.loads(path.read_text()) for path in (tmp_path / "converted").glob("*/fidelity.json")]
    assert note["pooled"]
    assert note["worst"] > 0.9999


@pytest.mark.model
def test_real_weights_in_onnx_give_the_same_vectors_and_lie_beside_the_graph(
    shallow_minilm, conversions, said_by_libraries
):
    """A file of ONNX ends at two gibibytes."""
    found = load_embedder(shallow_minilm, runtime=available("onnx")).embed_documents(TEXTS)
    assert said_by_libraries == []
    wanted = load_embedder(shallow_minilm, runtime="torch").embed_documents(TEXTS)
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    notes = [json.loads(path.read_text()) for path in conversions.glob("converted/*/fidelity.json")]
    files = [note["files"].keys() for note in notes if any("onnx" in name for name in note["files"])]
    assert files
    assert all(names == {"model.onnx", "model.onnx.data"} for names in files)


def test_vectors_too_far_from_torch_fall_back_to_it_with_one_warning(model_of, monkeypatch, tmp_path):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    monkeypatch.setattr(convert, "compare", lambda *_: Fidelity(worst=0.93, mean=0.99))
    folder = model_of()
    embedder = load_embedder(folder, runtime="openvino:float32")
    with pytest.warns(
        FidelityWarning, match=r"cosine of 0\.9300 .* 0\.9999 is the minimum\. Torch runs it instead"
    ) as said:
        found = embedder.embed_documents(["w1 w2"])
        embedder.embed_documents(["w3"])
    assert len(said) == 1
    assert embedder.runtime == "torch"
    np.testing.assert_allclose(found, load_embedder(folder, runtime="torch").embed_documents(["w1 w2"]), atol=1e-6)


def test_what_cannot_be_converted_falls_back_only_if_nobody_asked_for_it(model_of, monkeypatch, tmp_path):
    def fail(*_, **__):
        raise RuntimeError("no such operation\nmore")

    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    monkeypatch.setattr(openvino, "_convert", fail)
    folder = model_of()
    with pytest.raises(ModelError, match=r"could not be converted for openvino:float32: no such operation\. Give"):
        load_embedder(folder, runtime="openvino:float32").embed_documents(["w1"])
    monkeypatch.delenv("QDRANT_EMBED_RUNTIME")
    monkeypatch.setattr("qdrant_embed.runtimes.choice._has_gpu", lambda: False)
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    with pytest.warns(FidelityWarning, match="no such operation"):
        assert load_embedder(folder).embed_documents(["w1"]).shape == (1, 32)


def test_a_model_that_leaves_its_prompt_out_is_left_to_torch(save_model):
    folder = save_model(include_prompt=False, prompts={"query": "query : ", "document": "passage : "})
    with pytest.raises(ModelError, match="pools by where its prompt ends, which only torch can"):
        load_embedder(folder, runtime="openvino:float32").embed_documents(["w1"])


# MiniLM


@pytest.mark.model
@pytest.mark.parametrize("runtime", ["openvino:bf16", INT8, "torch:bf16"])
def test_real_weights_keep_the_promises_in_every_precision(shallow_minilm, runtime):
    check_embedder(load_embedder(shallow_minilm, runtime=available(runtime)))


@pytest.fixture(scope="module")
def of_minilm_by_torch():
    return load_embedder("minilm", runtime="torch").embed_documents(TEXTS)


@pytest.mark.model
@pytest.mark.parametrize(
    ("runtime", "promise"),
    [
        ("openvino:float32", 0.99999),
        ("openvino:bf16", 0.9995),
        (INT8, 0.995),
        ("torch:bf16", 0.9995),
    ],
)
def test_no_text_is_further_from_float32_than_promised(of_minilm_by_torch, runtime, promise):
    found = load_embedder("minilm", runtime=available(runtime)).embed_documents(TEXTS)
    assert cosines(of_minilm_by_torch, found).min() >= promise


@pytest.mark.model
def test_stsb_is_as_well_ranked_as_by_the_reference():
    # Every other runtime has nearly the same vectors, as the tests above say.
    stats = pytest.importorskip("scipy.stats")
    path = DATA / "stsb" / "test.csv"
    if not path.exists():
        pytest.skip("the data set is not here")
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.reader(stream))
    rows = rows[::9]  # of all of them it is 0.8203
    one, other, score = [row[0] for row in rows], [row[1] for row in rows], [float(row[2]) for row in rows]
    embedder = load_embedder("minilm", runtime="openvino:float32")
    similarities = cosines(embedder.embed_documents(one), embedder.embed_documents(other))
    assert stats.spearmanr(similarities, score).statistic == pytest.approx(0.8144, abs=5e-4)


def test_int8_without_instructions_for_it_is_refused(model_of, monkeypatch):
    monkeypatch.setattr(openvino, "multiplies_int8", lambda: False)
    with pytest.raises(ConfigurationError, match=r"no instructions for products in int8 \(VNNI\).*runtime openvino"):
        load_embedder(model_of(), runtime="openvino:int8").embed_documents(["w1"])
