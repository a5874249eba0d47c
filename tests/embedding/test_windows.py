"""One vector per window: sequences, texts for servers, and models without a limit."""

import numpy as np
import pytest

from qdrant_embed import load_embedder
from qdrant_embed.errors import ConfigurationError

TEXT = " ".join(f"w{number % 60}" for number in range(100))


@pytest.fixture(scope="module")
def folder(save_model):
    return save_model()


def test_every_window_has_the_vector_of_its_text(folder):
    windows, plain = load_embedder(folder, window="windows"), load_embedder(folder)
    found = windows.encode_windows([TEXT, "w1 w2", ""])
    long, short, empty = found.vectors
    assert long.vectors.shape == (5, windows.dim), "100 tokens in windows of 22 beside [CLS] and [SEP]"
    assert found.windowed == 1
    pieces = [TEXT[start:end] for start, end in long.spans]
    assert [len(piece.split()) for piece in pieces] == [22] * 5
    assert pieces[0] == TEXT[: len(pieces[0])] and TEXT.endswith(pieces[-1])
    np.testing.assert_allclose(long.vectors, plain.embed_documents(pieces), atol=1e-5)
    np.testing.assert_allclose(short.vectors, plain.embed_documents(["w1 w2"]), atol=1e-6)
    assert (short.spans, empty.spans) == ([(0, 5)], [(0, 0)])


def test_the_size_of_windows_counts_what_stands_around_the_text(folder):
    (found,) = load_embedder(folder, window="windows:12").encode_windows([TEXT]).vectors
    assert len(found.vectors) == 10
    assert all(len(TEXT[start:end].split()) == 10 for start, end in found.spans)


def test_the_prompt_stands_in_every_window(prompted_folder):
    windows, plain = (load_embedder(prompted_folder, window=window) for window in ("windows", "error"))
    (found,) = windows.encode_windows([TEXT]).vectors
    pieces = [TEXT[start:end] for start, end in found.spans]
    np.testing.assert_allclose(found.vectors, plain.embed_documents(pieces), atol=1e-5)


def test_models_without_a_limit_have_windows_all_the_same():
    windows, plain = load_embedder("hashing", window="windows:32"), load_embedder("hashing")
    (found,) = windows.encode_windows([TEXT]).vectors
    pieces = [TEXT[start:end] for start, end in found.spans]
    assert [len(piece.split()) for piece in pieces] == [32] * 4
    np.testing.assert_array_equal(found.vectors, plain.embed_documents(pieces))
    np.testing.assert_array_equal(windows.embed_queries([TEXT]), plain.embed_queries([TEXT]))


def test_a_query_has_one_vector(folder):
    windows, plain = load_embedder(folder, window="windows:12"), load_embedder(folder)
    np.testing.assert_array_equal(windows.embed_queries([TEXT, "w1"]), plain.embed_queries([TEXT, "w1"]))


def test_one_vector_for_a_document_is_refused_with_what_to_call(folder):
    with pytest.raises(ConfigurationError, match=r"call encode_windows\(texts\)"):
        load_embedder(folder, window="windows").embed_documents(["w1"])


def test_windows_larger_than_the_model_are_refused(folder):
    with pytest.raises(ConfigurationError, match="at most windows:24"):
        load_embedder(folder, window="windows:512")


def test_no_texts_have_no_windows(folder):
    assert load_embedder(folder, window="windows").encode_windows([]).vectors == []
