"""API models are loaded like all others: presets, prompts, windows, dimensions, pickles, ingest."""

import logging
import pickle
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec

import numpy as np
import pytest

from qdrant_embed import Collection, Recipe, load_embedder
from qdrant_embed.errors import ApiError, ConfigurationError, TextTooLongError, UnknownNameError
from qdrant_embed.testing.conformance.embedders import check_embedder
from tests.support.api_server import ApiServer, vector_of

DIM = 16
VARIABLE = "HARBOUR_API_KEY"


@pytest.fixture
def server():
    with ApiServer(dim=DIM, kinds=True) as running:
        yield running


@pytest.fixture
def write_preset(tmp_path):
    """Return a function that writes a preset and returns its file."""

    def write(endpoint, api="openai", **values):
        usual = {"runtime": "api", "api": api, "api_model": "harbour-1", "endpoint": endpoint, "dim": DIM}
        lines = {**usual, "max_tokens": 64, **values}.items()
        text = "".join(
            f"{key} = {str(value).lower() if isinstance(value, bool) else repr(value)}\n" for key, value in lines
        )
        path = tmp_path / "harbour.toml"
        path.write_text(f"[models.harbour]\n{text}")
        return path

    return write


@pytest.mark.parametrize("api", ["openai", "cohere", "voyage", "jina"])
def test_the_conformance_suite(server, write_preset, api):
    check_embedder(load_embedder("harbour", presets=write_preset(server.endpoint, api)))


@pytest.mark.parametrize("fault", ["429", "500", "cut", "few", "reordered"])
def test_the_conformance_suite_with_transient_errors(write_preset, fault, monkeypatch):
    monkeypatch.setattr("qdrant_embed.runtimes.api.settings.FIRST_WAIT", 0.002)
    tries = Counter()

    def every_third(number, texts):
        tries[texts[0]] += 1
        return fault if tries[texts[0]] % 3 == 1 else ""

    with ApiServer(dim=DIM, fault=every_third, most_texts=7) as server:
        # One request at a time, so that equal batches do not share out the good tries among themselves.
        check_embedder(load_embedder("harbour", presets=write_preset(server.endpoint, concurrency=1)))


def test_building_an_embedder_sends_nothing(write_preset, monkeypatch):
    monkeypatch.setattr("socket.socket.connect", lambda *arguments: pytest.fail("something was sent"))
    embedder = load_embedder("harbour", presets=write_preset("http://127.0.0.1:9/v1", key_variable="NOT_SET"))
    assert embedder.dim == DIM
    assert embedder.chunk_budget == 64
    assert embedder.fingerprint["model"] == "openai:harbour-1"
    assert embedder.token_counter.count("Master keys are rotated.") > 0


def test_documents_and_questions_are_told_apart(server, write_preset):
    embedder = load_embedder("harbour", presets=write_preset(server.endpoint, "cohere"))
    np.testing.assert_allclose(embedder.embed_documents(["w1"])[0], vector_of("w1", DIM, "document"), atol=1e-6)
    np.testing.assert_allclose(embedder.embed_queries(["w1"])[0], vector_of("w1", DIM, "query"), atol=1e-6)
    assert [seen.body["input_type"] for seen in server.seen] == ["search_document", "search_query"]


def test_prompts_of_open_models_are_sent(server, write_preset):
    presets = write_preset(server.endpoint, query_prompt="query: ", document_prompt="passage: ")
    embedder = load_embedder("harbour", presets=presets)
    embedder.embed_documents(["w1"])
    embedder.embed_queries(["w1"])
    assert [seen.texts for seen in server.seen] == [["passage: w1"], ["query: w1"]]
    assert embedder.chunk_budget < 64


@pytest.mark.parametrize("tokenizer", ["", "tiktoken:cl100k_base"])
def test_long_texts_are_read_in_windows_and_none_is_over_the_limit(server, write_preset, tokenizer):
    if tokenizer and find_spec("llama_index") is None:
        pytest.skip("llama-index-core, which brings a copy of the encoding, is not installed")
    long = "Master keys are rotated every ninety days by the harbour master, 統一 included. " * 20
    presets = write_preset(server.endpoint, tokenizer=tokenizer, special_tokens=2, document_prompt="passage: ")
    embedder = load_embedder("harbour", presets=presets)
    encoded = embedder.encode_documents(["w1", long, "w2"])
    assert (encoded.windowed, encoded.truncated) == (1, 0)
    sent = [text for seen in server.seen for text in seen.texts]
    assert max(embedder.token_counter.count_batch(sent)) + 2 <= 64
    pieces = [text.removeprefix("passage: ") for text in sent[1:-1]]
    assert len(pieces) > 5
    assert all(piece in long for piece in pieces)
    end = 0
    for piece in pieces[:-1]:
        start = long.index(piece, end)
        assert not long[end:start].strip(), "text between two windows is lost"
        end = start + len(piece)
    assert long.rstrip().endswith(pieces[-1].rstrip())
    assert long.rindex(pieces[-1]) <= end
    mean = np.mean([vector_of(f"passage: {piece}", DIM) for piece in pieces], axis=0)
    np.testing.assert_allclose(encoded.vectors[1], mean / np.linalg.norm(mean), atol=1e-5)
    np.testing.assert_allclose(encoded.vectors[2], vector_of("passage: w2", DIM), atol=1e-5)


def test_windows_of_a_long_text_have_a_vector_each_and_say_where_they_stand(server, write_preset):
    presets = write_preset(server.endpoint, document_prompt="passage: ")
    long = "Master keys are rotated every ninety days by the harbour master, 統一 included. " * 10
    found = load_embedder("harbour", presets=presets, window="windows:32").encode_windows(["w1", long])
    assert (found.windowed, len(found.vectors[0].vectors)) == (1, 1)
    pieces = [long[start:end] for start, end in found.vectors[1].spans]
    assert len(pieces) > 5 and pieces[0] == long[: len(pieces[0])] and long.rstrip().endswith(pieces[-1].rstrip())
    sent = [text for seen in server.seen for text in seen.texts]
    assert sent == ["passage: w1", *(f"passage: {piece}" for piece in pieces)]
    expected = [vector_of(text, DIM) for text in sent[1:]]
    np.testing.assert_allclose(found.vectors[1].vectors, expected, atol=1e-5)


def test_other_ways_with_long_texts(server, write_preset):
    presets, long = write_preset(server.endpoint), "harbour master " * 200
    cut = load_embedder("harbour", presets=presets, window="truncate").encode_documents([long, "w1"])
    assert (cut.truncated, cut.windowed) == (1, 0)
    assert long.startswith(server.seen[0].texts[0])
    with pytest.raises(TextTooLongError, match="the model takes 64"):
        load_embedder("harbour", presets=presets, window="error").embed_documents([long])


def test_fewer_dimensions_are_asked_of_the_server_where_it_can(server, write_preset):
    for server_dims in (True, False):
        presets = write_preset(server.endpoint, server_dims=server_dims, dims=[8])
        vectors = load_embedder("harbour", presets=presets, compression="8d").embed_documents(["w1", "w2"])
        whole = np.stack([vector_of("w1", DIM), vector_of("w2", DIM)])[:, :8]
        np.testing.assert_allclose(vectors, whole / np.linalg.norm(whole, axis=1, keepdims=True), atol=1e-6)
        assert server.seen[-1].body.get("dimensions") == (8 if server_dims else None)


def test_a_pickle_holds_no_key_and_asks_again_elsewhere(server, write_preset, monkeypatch):
    monkeypatch.setenv(VARIABLE, "sk-1f3a9c77b2e84d")
    embedder = load_embedder("harbour", presets=write_preset(server.endpoint, key_variable=VARIABLE))
    expected = embedder.embed_documents(["w1"])
    dumped = pickle.dumps(embedder) + pickle.dumps(embedder._runtime)
    assert b"1f3a9c77b2e84d" not in dumped
    assert "1f3a9c77b2e84d" not in repr(embedder) + repr(embedder.fingerprint) + repr(vars(embedder._runtime))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(embedder)).embed_documents(["w1"]), expected)


def test_questions_need_not_wait_for_each_other(write_preset):
    with ApiServer(fault=lambda number, texts: "slow") as server:
        embedder = load_embedder("harbour", presets=write_preset(server.endpoint))
        embedder.embed_queries(["w0"])
        begun = time.monotonic()
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda number: embedder.embed_queries([f"w{number}"]), range(12)))
    assert time.monotonic() - begun < 12 * 0.05


def test_a_preset_must_name_a_protocol(server, write_preset):
    with pytest.raises(UnknownNameError, match=r"unknown api 'opnai'. Did you mean 'openai'"):
        load_embedder("harbour", presets=write_preset(server.endpoint, "opnai")).embed_documents(["w1"])


def test_a_key_for_an_open_address_is_refused_before_anything_is_sent(write_preset):
    embedder = load_embedder("harbour", presets=write_preset("http://api.example/v1", key_variable=VARIABLE))
    with pytest.raises(ConfigurationError, match="https"):
        embedder.embed_documents(["w1"])


def test_a_folder_is_ingested_and_searched_through_an_api(pages, tmp_path, write_preset, monkeypatch):
    secret = "sk-1f3a9c77b2e84d"
    monkeypatch.setenv(VARIABLE, secret)
    with ApiServer(dim=DIM, fault=lambda number, texts: "429" if number == 0 else "", kinds=True) as server:
        presets = write_preset(server.endpoint, key_variable=VARIABLE)
        monkeypatch.setenv("QDRANT_EMBED_PRESETS", str(presets))
        at = tmp_path / "data"
        collection = Collection.open("harbour", at=at, recipe=Recipe(model="harbour", chunk_tokens=48))
        report = collection.ingest(pages)
        assert report.failed == ()
        assert collection.search("When do the gates open?", k=2)
        collection.close()
    stored = b"".join(path.read_bytes() for path in at.rglob("*") if path.is_file())
    assert secret.encode() not in stored
    assert b"Herring" in stored


def test_one_text_that_the_server_cannot_take_fails_alone(pages, tmp_path, write_preset, monkeypatch, caplog):
    caplog.set_level(logging.ERROR)
    with ApiServer(dim=DIM, fault=lambda number, texts: "400" if "Herring" in " ".join(texts) else "") as server:
        monkeypatch.setenv("QDRANT_EMBED_PRESETS", str(write_preset(server.endpoint)))
        collection = Collection.open("harbour", at=tmp_path / "data", recipe=Recipe(model="harbour", chunk_tokens=48))
        report = collection.ingest(pages)
        collection.close()
        answered = [text for seen in server.seen if "Herring" not in str(seen.body) for text in seen.texts]
    assert [failure.source for failure in report.failed] == ["notes/fish.txt"]
    assert "not to my taste" in report.failed[0].reason
    assert len(answered) == len(set(answered)), "texts were paid for twice"


def test_no_package_for_http_is_loaded_before_the_first_text(write_preset):
    presets = write_preset("http://127.0.0.1:9/v1")
    code = (
        "import sys; from qdrant_embed.embedding import load_embedder; "
        f"load_embedder('harbour', presets={str(presets)!r}); "
        "sys.exit(bool({'httpx', 'torch', 'tenacity', 'tiktoken'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_errors_of_the_server_are_one_kind(write_preset):
    with ApiServer(fault=lambda number, texts: "404") as server:
        embedder = load_embedder("harbour", presets=write_preset(server.endpoint))
        with pytest.raises(ApiError, match="no such model"):
            embedder.embed_queries(["w1"])
