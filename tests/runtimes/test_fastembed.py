"""Models that fastembed runs, from a local folder, without a network."""

import shutil
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from qdrant_embed import load_embedder
from qdrant_embed.errors import MissingExtraError, ModelError, UnknownNameError
from qdrant_embed.models import fastembed_catalog
from qdrant_embed.models.fastembed_catalog import FastembedModels
from qdrant_embed.models.resolve import resolve
from qdrant_embed.runtimes import fastembed
from qdrant_embed.runtimes.batching import TOKENS_PER_BATCH
from qdrant_embed.testing.conformance.embedders import check_embedder
from qdrant_embed.tokenization.batch import TextBatch
from qdrant_embed.tokens import WordTokens

MAX_TOKENS, WIDTH = 24, 32


@pytest.fixture
def needs_fastembed():
    pytest.importorskip("fastembed")


@pytest.fixture
def write_preset(tmp_path):
    def write(folder, **values):
        usual = {"runtime": "fastembed", "source": str(folder), "dim": WIDTH, "max_tokens": MAX_TOKENS}
        lines = {**usual, "pooling": "mean", **values}.items()
        path = tmp_path / "tiny.toml"
        path.write_text("[models.tiny]\n" + "".join(f"{key} = {value!r}\n" for key, value in lines))
        return path

    return write


@pytest.mark.usefixtures("needs_fastembed")
@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_the_same_vectors_as_sentence_transformers(onnx_folder, write_preset, save_model, reference, pooling):
    presets = write_preset(onnx_folder, pooling=pooling, query_prompt="query : ", document_prompt="passage : ")
    embedder = load_embedder("tiny", presets=presets)
    check_embedder(embedder)
    expected = reference(save_model(pooling, prompts={"query": "query : ", "document": "passage : "}))
    texts = ["w1 w2 w3", "w4", "", "w5 w6 w7 w8 w9"]
    np.testing.assert_allclose(embedder.embed_documents(texts), expected.encode_document(texts), atol=1e-5)
    np.testing.assert_allclose(embedder.embed_queries(texts), expected.encode_query(texts), atol=1e-5)


@pytest.mark.usefixtures("needs_fastembed")
def test_long_texts_are_read_in_windows(onnx_folder, write_preset):
    embedder = load_embedder("tiny", presets=write_preset(onnx_folder))
    assert embedder.chunk_budget == MAX_TOKENS - 2
    words = [f"w{number % 60}" for number in range(50)]
    encoded = embedder.encode_documents([" ".join(words)])
    assert (encoded.windowed, encoded.truncated) == (1, 0)
    parts = embedder.embed_documents([" ".join(words[:22]), " ".join(words[22:44]), " ".join(words[28:])])
    assert encoded.vectors[0] @ parts.mean(axis=0) / np.linalg.norm(parts.mean(axis=0)) > 0.99


@pytest.mark.usefixtures("needs_fastembed")
def test_a_limit_beyond_fastembeds_own_is_refused(onnx_folder, write_preset):
    with pytest.raises(ModelError, match=r"cuts texts after 24 tokens.*max_tokens = 24"):
        load_embedder("tiny", presets=write_preset(onnx_folder, max_tokens=64)).embed_documents(["w1"])


@pytest.mark.usefixtures("needs_fastembed")
def test_other_weights_have_another_fingerprint(onnx_folder, write_preset, tmp_path):
    first = load_embedder("tiny", presets=write_preset(onnx_folder)).fingerprint["model"]
    copy = tmp_path / "copy"
    shutil.copytree(onnx_folder, copy)
    assert load_embedder("tiny", presets=write_preset(copy)).fingerprint["model"] == first
    with (copy / "model.onnx").open("ab") as stream:
        stream.write(b"\0")
    assert load_embedder("tiny", presets=write_preset(copy)).fingerprint["model"] != first


@pytest.mark.usefixtures("needs_fastembed")
def test_what_fastembed_says_of_a_model_is_used(caplog):
    values = FastembedModels().describe("small", {"api_model": "baai/bge-small-en-v1.5"})
    assert (values["dim"], values["max_tokens"], values["license"]) == (384, 512, "mit")
    assert not caplog.records
    FastembedModels().describe("e5", {"api_model": "intfloat/multilingual-e5-large"})
    assert "trained with prompts" in caplog.text


@pytest.mark.usefixtures("needs_fastembed")
def test_every_model_of_fastembed_has_its_dimensions_and_all_but_one_its_length():
    from fastembed import TextEmbedding

    lacking = [
        model["model"]
        for model in TextEmbedding.list_supported_models()
        if not model["model"].startswith("local/")
        and not FastembedModels().describe("any", {"api_model": model["model"]}).get("max_tokens")
    ]
    assert len(lacking) <= 1


@pytest.mark.usefixtures("needs_fastembed")
def test_prompts_come_from_the_preset_of_the_same_weights(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text(
        '[models.own]\nsource = "intfloat/multilingual-e5-large"\nquery_prompt = "query: "\ndistance = "dot"\n'
    )
    resolved = resolve("fastembed:intfloat/multilingual-e5-large", path)
    preset = resolved.preset
    assert (preset.query_prompt, preset.distance, preset.runtime) == ("query: ", "dot", "fastembed")
    assert (preset.dim, preset.max_tokens) == (1024, 512)
    assert resolved.origins["query_prompt"] in (str(path), "preset e5.toml")
    assert resolved.origins["dim"] == "fastembed"


@pytest.mark.usefixtures("needs_fastembed")
def test_a_wrong_name_is_answered_with_near_ones():
    with pytest.raises(UnknownNameError, match="bge-small-en"):
        load_embedder("fastembed:BAAI/bge-smal-en-v1.5")


@pytest.mark.usefixtures("needs_fastembed")
def test_a_model_that_is_not_here_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("FASTEMBED_CACHE_PATH", str(tmp_path))
    with pytest.raises(ModelError, match="FASTEMBED_CACHE_PATH"):
        load_embedder("fastembed:BAAI/bge-small-en-v1.5").embed_documents(["w1"])


@pytest.mark.usefixtures("needs_fastembed")
def test_a_folder_without_a_model(write_preset, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    for folder, message in ((empty, "holds no ONNX file"), (tmp_path / "nowhere", "is no folder")):
        with pytest.raises(ModelError, match=message):
            load_embedder("tiny", presets=write_preset(folder)).embed_documents(["w1"])


def test_without_fastembed_the_line_to_type_is_given(monkeypatch):
    monkeypatch.setitem(sys.modules, "fastembed", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'qdrant-embed\[fastembed\]'"):
        load_embedder("fastembed:BAAI/bge-small-en-v1.5")


class OfWords:
    """A model as fastembed has them, which counts letters and remembers its batches."""

    def __init__(self, most=10**9):
        self.most, self.batches = most, []

    def passage_embed(self, texts, batch_size):
        assert batch_size == len(texts)
        self.batches.append([len(text.split()) for text in texts])
        if max(self.batches[-1]) * len(texts) > self.most:
            raise Exception("Failed to allocate memory for requested buffer of size 17179869184")
        return (np.array([len(text), text.count("a")], np.float32) for text in texts)


@pytest.fixture
def run_by(monkeypatch):
    """Return what embeds texts by a model that stands for one of fastembed's."""

    def run(model, texts):
        preset = SimpleNamespace(runtime="fastembed", name="words", special_tokens=0)
        monkeypatch.setattr(fastembed_catalog, "load", lambda preset: model)
        monkeypatch.setattr(fastembed, "counter_of", lambda preset: WordTokens())
        runtime = fastembed.FastembedRuntime(SimpleNamespace(preset=preset))
        return runtime.sentence(TextBatch(tuple(texts)))

    return run


@pytest.mark.parametrize("most", [10**9, 700])
def test_batches_keep_to_a_number_of_tokens_and_are_halved_where_memory_is_short(run_by, most):
    texts = ["a" * (1 + number % 7) + " b" * (number * 37 % 500) for number in range(120)]
    model = OfWords(most)
    vectors = run_by(model, texts)
    assert vectors.dtype == np.float32
    assert vectors.tolist() == [[len(text), text.count("a")] for text in texts]
    assert max(max(batch) * len(batch) for batch in model.batches) <= TOKENS_PER_BATCH
    assert len(model.batches) < len(texts)
