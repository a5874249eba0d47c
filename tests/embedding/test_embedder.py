import json
import pickle
import shutil
import threading

import numpy as np
import pytest

from qdrant_embed.embedding import load_embedder
from qdrant_embed.errors import ConfigurationError, ModelError, TextTooLongError, UnknownNameError
from qdrant_embed.runtimes import TokenRuntime
from qdrant_embed.runtimes.batching import TOKENS_PER_BATCH
from qdrant_embed.runtimes.choice import RuntimeChoice
from qdrant_embed.testing.conformance.embedders import TEXTS, check_embedder

SHORT = ["w1 w2", "w3", "", "w4 w5 w6 . w7", "unknown words here"]
LONG = " ".join(f"w{number}" for number in range(50))  # the tiny models take 24 tokens, two of them special


def close(found, expected):
    np.testing.assert_allclose(found, expected, atol=1e-5)


class Recorder(TokenRuntime):
    """A runtime that keeps what it is handed and answers with one-hot token ids."""

    def __init__(self, width=32, fault=lambda batch: None):
        self.batches, self.width, self.fault = [], width, fault

    def token_states(self, batch):
        self.fault(batch)
        self.batches.append(batch)
        return np.eye(self.width, dtype=np.float32)[batch.ids % self.width]


@pytest.fixture
def with_runtime(prompted_folder, monkeypatch):
    """Return a function that builds an embedder over a given runtime object."""

    def build(runtime, folder=prompted_folder, **settings):
        monkeypatch.setattr("qdrant_embed.runtimes.session.start", lambda *_: (RuntimeChoice("torch"), runtime))
        return load_embedder(folder, **settings)

    return build


# Conformance


@pytest.mark.parametrize("pooling", ["mean", "cls", "max", "lasttoken", "weightedmean"])
def test_conformance_of_every_pooling(save_model, pooling):
    check_embedder(load_embedder(save_model(pooling)))


@pytest.mark.parametrize(
    "settings",
    [
        {"dense": 16},
        {"normalize": False},
        {"pooling": ("mean", "cls")},
        {"prompts": {"query": "query :", "document": "passage : "}},
    ],
    ids=str,
)
def test_conformance_of_other_models(save_model, settings):
    check_embedder(load_embedder(save_model(**settings)))


@pytest.mark.parametrize("settings", [{}, {"compression": "64d!"}, {"window": "truncate"}], ids=str)
def test_conformance_of_the_embedder_without_a_model(settings):
    check_embedder(load_embedder("hashing", **settings))


# Prompts, batches, windows


def test_each_call_has_its_own_prompt(with_runtime):
    runtime = Recorder()
    embedder = with_runtime(runtime)
    embedder.embed_documents(["w1"])
    embedder.embed_queries(["w1"])
    word = embedder.token_counter.tokenizer.id_to_token
    words = [[word(token) for token in batch.ids[0]] for batch in runtime.batches]
    assert words == [["[CLS]", "passage", ":", "w1", "[SEP]"], ["[CLS]", "query", ":", "w1", "[SEP]"]]


def test_batches_keep_to_their_budget_and_are_hardly_padded(with_runtime):
    runtime = Recorder()
    texts = [" ".join(["w1"] * (1 + number % 18)) for number in range(3000)]
    with_runtime(runtime).embed_documents(texts)
    assert len(runtime.batches) > 3
    assert all(batch.ids.size <= TOKENS_PER_BATCH for batch in runtime.batches)
    used = sum(batch.mask.sum() for batch in runtime.batches) / sum(batch.mask.size for batch in runtime.batches)
    assert used > 0.95, f"{1 - used:.0%} of the work was padding"


def test_a_batch_that_does_not_fit_is_halved_until_it_does(with_runtime):
    def memory_for_three(batch):
        if len(batch.ids) > 3:
            raise RuntimeError("CUDA out of memory. Tried to allocate 20 GiB")

    runtime = Recorder(fault=memory_for_three)
    texts = [f"w{number}" for number in range(20)]
    vectors = with_runtime(runtime).embed_documents(texts)
    assert {len(batch.ids) for batch in runtime.batches} <= {1, 2, 3}
    close(vectors, with_runtime(Recorder()).embed_documents(texts))


def test_too_little_memory_for_one_text_says_what_to_do(with_runtime):
    def no_memory(batch):
        raise MemoryError

    with pytest.raises(ModelError, match=r"memory does not suffice for 5 tokens at once; make chunks smaller"):
        with_runtime(Recorder(fault=no_memory)).embed_documents(["w1", "w2"])


def test_other_faults_are_not_taken_for_lack_of_memory(with_runtime):
    def broken(batch):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        with_runtime(Recorder(fault=broken)).embed_documents(["w1", "w2"])


def test_a_long_text_is_the_mean_of_its_windows(prompted_folder, reference):
    # 24 tokens: [CLS], the two of the prompt, 20 of the text, [SEP]; the third window is shifted left.
    windows = [LONG.split()[start : start + 20] for start in (0, 20, 30)]
    theirs = reference(prompted_folder)
    states = [theirs.encode(f"passage : {' '.join(window)}", output_value=None) for window in windows]
    means = np.stack([_mean(state) for state in states]).mean(axis=0)
    encoded = load_embedder(prompted_folder).encode_documents(["w1", LONG])
    close(encoded.vectors[1], means / np.linalg.norm(means))
    assert (encoded.truncated, encoded.windowed, encoded.tokens) == (0, 1, 5 + 3 * 24)


def _mean(state):
    return state["token_embeddings"][state["attention_mask"].bool()].mean(dim=0).numpy()


def test_short_texts_get_exactly_the_plain_vector(prompted_folder):
    plain = load_embedder(prompted_folder, window="truncate").embed_documents(SHORT)
    for window in ("pcw", "pcw:length-weighted", "error"):
        assert (load_embedder(prompted_folder, window=window).embed_documents(SHORT) == plain).all()


def test_truncation_is_counted(prompted_folder):
    encoded = load_embedder(prompted_folder, window="truncate").encode_documents(["w1", LONG, LONG])
    assert (encoded.truncated, encoded.windowed) == (2, 0)


def test_the_error_strategy_refuses_and_says_what_to_do(prompted_folder):
    with pytest.raises(TextTooLongError, match=r"a text has 50 tokens, the model takes 20 .*'pcw' or 'truncate'"):
        load_embedder(prompted_folder, window="error").embed_documents(["w1", LONG])


def test_the_chunk_budget_leaves_room_for_prompt_and_special_tokens(prompted_folder, save_model):
    assert load_embedder(prompted_folder).chunk_budget == 24 - 2 - 2
    assert load_embedder(save_model()).chunk_budget == 24 - 2


def test_a_prompt_that_leaves_no_room_is_refused(save_model):
    embedder = load_embedder(save_model(prompts={"document": "w1 " * 30}))
    for use in (lambda: embedder.chunk_budget, lambda: embedder.embed_documents(["w1"])):
        with pytest.raises(ConfigurationError, match=r"a prompt of 30 tokens leaves no room .* shorten the prompt"):
            use()


# What is refused


def test_a_single_string_is_refused():
    for call in (load_embedder("hashing").embed_documents, load_embedder("hashing").embed_queries):
        with pytest.raises(ConfigurationError, match="a list of texts"):
            call("one text")


def test_a_model_that_gives_no_numbers_is_found_out(with_runtime):
    runtime = Recorder()
    runtime.token_states = lambda batch: np.full((*batch.ids.shape, 32), np.nan, np.float32)
    with pytest.raises(ModelError, match="not finite"):
        with_runtime(runtime).embed_documents(["w1"])


def test_a_model_of_another_width_than_its_preset_says_is_found_out(with_runtime):
    with pytest.raises(ModelError, match=r"shape \(1, 9\) for 1 texts; its preset says dim = 32"):
        with_runtime(Recorder(width=9)).embed_documents(["w1"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"window": "pcv"}, "unknown window strategy 'pcv'. Did you mean 'pcw'"),
        ({"runtime": "torhc"}, "unknown runtime 'torhc'. Did you mean 'torch'"),
    ],
)
def test_unknown_settings_are_refused_before_anything_is_loaded(settings, message):
    with pytest.raises(UnknownNameError, match=message):
        load_embedder("hashing", **settings)


# Fingerprint, copies, threads


def test_the_fingerprint_is_of_what_decides_the_vectors(save_model, tmp_path):
    folder = save_model()
    fingerprint = load_embedder(folder).fingerprint
    json.dumps(dict(fingerprint))
    assert load_embedder(shutil.copytree(folder, tmp_path / "elsewhere")).fingerprint == fingerprint
    preset = tmp_path / "mine.toml"
    values = {
        "max_tokens": 20,
        "normalize": "false",
        "distance": "'dot'",
        "query_prompt": "'q'",
        "document_prompt": "'d'",
    }
    for name, value in {**values, "pooling": "'max'"}.items():
        preset.write_text(f"[models.mine]\nsource = {str(folder)!r}\n{name} = {value}\n")
        assert load_embedder("mine", presets=preset).fingerprint != fingerprint, name
    assert load_embedder(folder, compression="16d!").fingerprint != fingerprint


def test_a_pickled_embedder_is_small_and_finds_its_model_from_another_folder(save_model, tmp_path, monkeypatch):
    folder = save_model()
    monkeypatch.chdir(folder.parent)
    embedder = load_embedder(folder.name, window="truncate", compression="16d!")
    vectors = embedder.embed_documents(SHORT)
    pickled = pickle.dumps(embedder)
    assert len(pickled) < 1000
    monkeypatch.chdir(tmp_path)
    copy = pickle.loads(pickled)
    assert repr(copy) == repr(embedder)
    close(copy.embed_documents(SHORT), vectors)


def test_threads_share_one_embedder(prompted_folder):
    embedder = load_embedder(prompted_folder)
    found = {}

    def work(number):
        texts = [f"w{number} {text}" for text in TEXTS]
        found[number] = embedder.embed_queries(texts) if number % 2 else embedder.embed_documents(texts)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, vectors in found.items():
        texts = [f"w{number} {text}" for text in TEXTS]
        close(vectors, embedder.embed_queries(texts) if number % 2 else embedder.embed_documents(texts))
    assert len(found) == 6


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ([5], r"texts\[0\] is 5 of type int"),
        (["a", None], r"texts\[1\] is None of type NoneType"),
        (["a", "b", b"x"], r"texts\[2\] is b'x' of type bytes"),
        ([["a"]], r"texts\[0\] is \['a'\] of type list"),
        ("a", "not a single one"),
        (b"a", "not a single one"),
        (None, "give a list of texts, not None"),
        ({"a": 1}, "of type dict"),
        ((text for text in "ab"), "of type generator"),
    ],
)
def test_what_is_no_text_is_named_with_its_place(texts, message):
    hashing, late = load_embedder("hashing"), load_embedder("hashing", window="windows:32")
    for embed in (hashing.embed_documents, hashing.embed_queries, hashing.encode_documents, late.encode_windows):
        with pytest.raises(ConfigurationError, match=message):
            embed(texts)


def test_a_tuple_and_an_array_of_texts_are_lists():
    hashing = load_embedder("hashing")
    expected = hashing.embed_documents(["a", "b"])
    for texts in (("a", "b"), np.array(["a", "b"])):
        np.testing.assert_array_equal(hashing.embed_documents(texts), expected)


@pytest.mark.parametrize("size", [1e-30, 1e19, 1e25, 3e37])
def test_a_model_that_gives_very_large_or_small_numbers_gives_directions(size, monkeypatch):
    from qdrant_embed.runtimes.hashing import HashingRuntime

    expected, plain = load_embedder("hashing").embed_documents(["the gate"]), HashingRuntime.sentence
    monkeypatch.setattr(HashingRuntime, "sentence", lambda self, batch: plain(self, batch) * np.float32(size))
    np.testing.assert_allclose(load_embedder("hashing").embed_documents(["the gate"]), expected, atol=1e-6)
