"""Late chunking against a slow reading of the same states, and what it refuses."""

from itertools import pairwise

import numpy as np
import pytest

from qdrant_embed import load_embedder
from qdrant_embed.errors import ConfigurationError

WORDS = [f"w{number % 60}" for number in range(3, 200)]


def text_of(count, start=0):
    return " ".join(WORDS[start : start + count])


def words_as_chunks(text, size):
    """Return spans of `size` words each; every word is one token of the tiny tokenizer."""
    words, ends = text.split(" "), [0]
    for first in range(0, len(words), size):
        ends.append(ends[-1] + len(" ".join(words[first : first + size])) + 1)
    return [(start, end - 1) for start, end in pairwise(ends)]


@pytest.fixture(scope="module")
def folder(save_model):
    return save_model()


@pytest.fixture
def late(folder):
    return load_embedder(folder, window="late")


@pytest.fixture
def plain(folder):
    return load_embedder(folder, window="error")


def states_of(reference, folder, text):
    """Return the token states that sentence-transformers gives, special tokens included."""
    return reference(folder).encode([text], output_value="token_embeddings", convert_to_numpy=False)[0].numpy()


def unit(vector):
    return vector / np.linalg.norm(vector)


def test_a_document_of_one_chunk_has_its_plain_vector(late, plain):
    for text in (text_of(20), "w7", "  w7 . w9\r\n", ""):
        found = late.encode_late(text, [(0, len(text))]).vectors
        np.testing.assert_allclose(found, plain.embed_documents([text]), atol=1e-5)


def test_the_prompt_of_a_document_of_one_chunk_counts_as_it_always_does(prompted_folder):
    late, plain = (load_embedder(prompted_folder, window=window) for window in ("late", "error"))
    text = text_of(15)
    np.testing.assert_allclose(
        late.encode_late(text, [(0, len(text))]).vectors, plain.embed_documents([text]), atol=1e-5
    )


@pytest.mark.parametrize(
    "values",
    [
        {"pooled": "text"},
        {"pooled": "text", "document_prompt": "passage : "},
        {"document_template": "query : {text} . passage"},
        {"pooled": "text", "document_template": "query : {text} . passage"},
    ],
)
def test_one_chunk_has_its_plain_vector_whatever_stands_around_it(plain_folder, tmp_path, values):
    lines = [f"{key} = {value!r}" for key, value in {"pooling": "mean", "max_tokens": 24, **values}.items()]
    presets = tmp_path / "mine.toml"
    presets.write_text("\n".join(["[models.mine]", f"source = {str(plain_folder)!r}", *lines]))
    late, plain = (load_embedder("mine", presets=presets, window=window) for window in ("late", "error"))
    for text in (text_of(16), "w7", " w7 w9 ", ""):
        np.testing.assert_allclose(
            late.encode_late(text, [(0, len(text))]).vectors, plain.embed_documents([text]), atol=1e-5
        )


def test_a_stretched_model_reads_more_in_one_macro_window(folder):
    late, plain = (load_embedder(folder, window=window, runtime="torch") for window in ("pi:128+late", "pi:128"))
    for count in (15, 40, 100):
        text = text_of(count)
        found = late.encode_late(text, [(0, len(text))])
        np.testing.assert_allclose(found.vectors, plain.embed_documents([text]), atol=1e-5)
        assert (found.tokens, found.windowed, found.extended) == (count + 2, 0, int(count + 2 > 64))
        assert len(late.encode_late(text, words_as_chunks(text, 5)).vectors) == count // 5


@pytest.mark.parametrize("count", [20, 21, 22, 23])
def test_a_document_is_read_whole_up_to_the_length_of_the_model(late, plain, count):
    text = text_of(count)
    assert late.max_tokens == 24, "of which two are special tokens"
    passages = late.late_passages(text, words_as_chunks(text, 4))
    windows = {window.key for passage in passages for window, _ in passage.parts}
    assert (len(windows) == 1) == (count <= 22)
    if count <= 22:
        found = late.encode_late(text, [(0, len(text))]).vectors
        np.testing.assert_allclose(found, plain.embed_documents([text]), atol=1e-5)


def test_a_small_macro_window_is_filled_beside_prompt_and_special_tokens(save_model):
    text = text_of(6)
    small = load_embedder(save_model(prompts={"document": "passage : w9 w9 "}), window="late:8")
    (passage,) = small.late_passages(text, [(0, len(text))])
    assert [len(window.ids) for window, _ in passage.parts] == [8] * 3, "[CLS] passage : w9 w9 … [SEP], and two of 6"
    none = load_embedder(save_model(prompts={"document": "passage : w9 w9 w9 w9 "}), window="late:8")
    with pytest.raises(ConfigurationError, match="leaves no room for text in the 8 tokens"):
        none.late_passages(text, [(0, len(text))])


def test_chunks_are_the_means_of_their_tokens_states(late, folder, reference):
    text = text_of(18)
    states = states_of(reference, folder, text)
    found = late.encode_late(text, words_as_chunks(text, 6)).vectors
    expected = [states[:7], states[7:13], states[13:]]  # [CLS] with the first, [SEP] with the last
    np.testing.assert_allclose(found, [unit(rows.mean(axis=0)) for rows in expected], atol=1e-5)


def test_chunks_that_leave_parts_of_the_text_out_are_the_means_of_their_own_tokens(late, folder, reference):
    text = text_of(18)
    states = states_of(reference, folder, text)
    _, inner, _ = words_as_chunks(text, 6)
    np.testing.assert_allclose(late.encode_late(text, [inner]).vectors, [unit(states[7:13].mean(axis=0))], atol=1e-5)
    two = [(inner[0], inner[1] - 4), (inner[0] + 4, inner[1])]
    assert np.abs(np.subtract(*late.encode_late(text, two).vectors)).max() > 1e-3


def test_white_space_around_a_text_belongs_to_its_first_and_last_chunk(late):
    text = text_of(18)
    spans = words_as_chunks(text, 6)
    spaced = [(start + 3, end + 3) for start, end in spans]
    np.testing.assert_array_equal(
        late.encode_late(f" \n\t{text}\r\n ", spaced).vectors, late.encode_late(text, spans).vectors
    )


@pytest.mark.parametrize(
    ("spans", "message"),
    [
        ([(6, 9), (0, 5)], r"spans\[1\] starts at 0, before spans\[0\], which starts at 6; give sorted"),
        ([(0, 5), (6, 99)], r"spans\[1\] is \(6, 99\), which is no part of a text of 11 characters"),
        ([(-3, 5)], r"\(-3, 5\), which is no part"),
        ([(5, 3)], r"\(5, 3\), which is no part"),
    ],
)
def test_spans_that_are_none_of_the_text_are_refused(late, spans, message):
    with pytest.raises(ConfigurationError, match=message):
        late.late_passages("w3 w4 w5 w6", spans)


def test_a_chunk_knows_the_document_around_it(late):
    text = text_of(18)
    alone = late.encode_late(text[: len(text_of(9))], [(0, len(text_of(9)))]).vectors[0]
    within = late.encode_late(text, words_as_chunks(text, 9)).vectors[0]
    assert np.abs(alone - within).max() > 1e-3


def test_documents_of_one_batch_are_not_mixed(late):
    texts = [text_of(18, start) for start in range(0, 60, 3)]
    passages = [passage for text in texts for passage in late.late_passages(text, words_as_chunks(text, 6))]
    together = late.encode_late_passages(passages).vectors
    alone = np.concatenate([late.encode_late(text, words_as_chunks(text, 6)).vectors for text in texts])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_a_long_document_is_read_in_macro_windows_each_chunk_in_the_middle_of_one(late, folder, reference):
    text = text_of(100)
    spans = words_as_chunks(text, 5)
    passages = late.late_passages(text, spans)
    found = late.encode_late_passages(passages)
    assert found.tokens < 2 * 100 + 22 * 8
    for passage, vector in zip(passages, found.vectors, strict=True):
        ((window, (start, end)),) = passage.parts
        assert len(window.ids) <= late.max_tokens
        words = " ".join(f"w{token - 8}" for token in window.ids[1:-1])
        states = states_of(reference, folder, words)
        np.testing.assert_allclose(vector, unit(states[start:end].mean(axis=0)), atol=1e-5)
    inner = [passage.parts[0][1] for passage in passages[1:-1]]
    assert all(start > 0 for start, _ in inner), "special tokens between the windows are not pooled"


def test_a_chunk_longer_than_the_model_is_the_mean_over_its_windows(late):
    text = text_of(60)
    passage, rest = late.late_passages(text, [(0, len(text_of(50))), (len(text_of(50)) + 1, len(text))])
    assert len(passage.parts) > 1
    assert sum(end - start for _, (start, end) in passage.parts) == 1 + 50, "each token once, and [CLS]"
    found = late.encode_late_passages([passage, rest])
    assert found.windowed == 1
    assert found.vectors.shape == (2, late.dim)


def test_smaller_macro_windows_can_be_asked_for(folder):
    small = load_embedder(folder, window="late:16")
    text = text_of(40)
    assert {len(w.ids) <= 16 for p in small.late_passages(text, words_as_chunks(text, 4)) for w, _ in p.parts} == {True}


def test_an_edit_changes_only_passages_whose_window_holds_it(late):
    words = WORDS[:150]
    text = " ".join(words)
    changed = " ".join([*words[:10], "w59", *words[11:]])
    before = {passage.key for passage in late.late_passages(text, words_as_chunks(text, 5))}
    after = [passage.key for passage in late.late_passages(changed, words_as_chunks(changed, 5))]
    fresh = [place for place, key in enumerate(after) if key not in before]
    assert 2 in fresh, "the chunk that was edited"
    assert max(fresh) < 10, "and its neighbors, no others"


def test_vectors_kept_on_disk_are_those_of_the_context(late, tmp_path, monkeypatch):
    text = text_of(18)
    first = late.encode_late(text, words_as_chunks(text, 6)).vectors
    monkeypatch.setenv("QDRANT_EMBED_EMBEDDINGS", str(tmp_path / "vectors.sqlite"))
    for _ in range(2):
        np.testing.assert_array_equal(late.encode_late(text, words_as_chunks(text, 6)).vectors, first)
    other = "w50 " + text
    spans = [(start + 4, end + 4) for start, end in words_as_chunks(text, 6)]
    assert np.abs(late.encode_late(other, spans).vectors[1] - first[1]).max() > 1e-4


def test_queries_have_one_vector_like_any_other(late, plain):
    np.testing.assert_allclose(late.embed_queries(["w1 w2"]), plain.embed_queries(["w1 w2"]), atol=1e-6)
    assert late.embed_queries([text_of(100)]).shape == (1, late.dim)


def test_documents_as_they_are_given_are_chunks_of_one(late, plain):
    texts = [text_of(10), text_of(12, 5)]
    np.testing.assert_allclose(late.embed_documents(texts), plain.embed_documents(texts), atol=1e-5)


def test_methods_of_one_strategy_are_refused_under_another(plain):
    with pytest.raises(ConfigurationError, match="encode_windows is for the window strategy 'windows'"):
        plain.encode_windows(["w1"])
    with pytest.raises(ConfigurationError, match="passages is for the window strategy 'late'"):
        plain.encode_late("w1", [(0, 2)])


def save_with_layers(folder, transformer, *layers):
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

    modules = [Transformer(str(transformer)), Pooling(32, "mean"), *layers, Normalize()]
    SentenceTransformer(modules=modules, device="cpu").save_pretrained(str(folder), create_model_card=False)
    return folder


def linear(inside, outside, **settings):
    import torch
    from sentence_transformers.base.modules.dense import Dense

    torch.manual_seed(inside + outside)
    return Dense(inside, outside, activation_function=torch.nn.Identity(), **settings)


@pytest.mark.parametrize(
    ("shape", "runtime"),
    [
        ("one", "torch"),
        ("no bias", "torch"),
        ("two", "torch"),
        ("residual", "torch"),
        ("residual and no bias", "openvino:float32"),  # every shape in one conversion
    ],
)
def test_linear_layers_behind_the_pooling_are_applied_to_means(plain_folder, tmp_path, monkeypatch, shape, runtime):
    if runtime.startswith("openvino"):
        pytest.importorskip("openvino")
        monkeypatch.setenv("QDRANT_EMBED_CACHE", str(tmp_path / "cache"))
    layers = {
        "one": [linear(32, 12)],
        "no bias": [linear(32, 12, bias=False)],
        "two": [linear(32, 20), linear(20, 12)],
        "residual": [linear(32, 12, use_residual=True)],
        "residual and no bias": [linear(32, 20, use_residual=True), linear(20, 12, bias=False)],
    }[shape]
    folder = save_with_layers(tmp_path / "model", plain_folder, *layers)
    late, plain = load_embedder(folder, window="late", runtime=runtime), load_embedder(folder, runtime=runtime)
    assert late.dim == 12
    texts = ["w1 w2 w3", "w4"]
    np.testing.assert_allclose(late.embed_documents(texts), plain.embed_documents(texts), atol=1e-5)
    np.testing.assert_allclose(late.embed_queries(texts), plain.embed_queries(texts), atol=1e-6)
    text = "w1 w2 w3 w4"
    halves = late.encode_late(text, [(0, 5), (6, 11)]).vectors
    assert halves.shape == (2, 12)
    assert not np.allclose(halves, plain.embed_documents(["w1 w2", "w3 w4"]), atol=1e-3)


def test_layers_with_an_activation_stay_refused(plain_folder, tmp_path):
    from sentence_transformers.base.modules.dense import Dense

    folder = save_with_layers(tmp_path / "model", plain_folder, linear(32, 16), Dense(16, 8))
    with pytest.raises(ConfigurationError, match="with layers of its own behind it that are not linear"):
        load_embedder(folder, window="late")
