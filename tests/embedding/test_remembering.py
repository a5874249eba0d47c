import numpy as np
import pytest

from qdrant_embed.embedding import load_embedder
from qdrant_embed.embedding.remembering import EMBEDDINGS_VARIABLE
from qdrant_embed.embedding.running import Running
from qdrant_embed.errors import ConfigurationError

TEXTS = ["w1 w2", "w3", " ".join(f"w{number}" for number in range(50)), "w3"]


def test_a_text_that_was_embedded_costs_no_model_time_again(save_model, tmp_path, monkeypatch):
    monkeypatch.setenv(EMBEDDINGS_VARIABLE, str(tmp_path / "deep" / "vectors.sqlite"))
    folder = save_model()
    first = load_embedder(folder).encode_documents(TEXTS)
    monkeypatch.setattr(Running, "run", lambda *_: pytest.fail("the model was run"))
    again = load_embedder(folder, compression="16d!").encode_documents(TEXTS[::-1])
    cut = first.vectors[::-1, :16]
    np.testing.assert_allclose(again.vectors, cut / np.linalg.norm(cut, axis=1, keepdims=True), atol=1e-6)
    assert (again.windowed, again.truncated, again.tokens) == (first.windowed, first.truncated, first.tokens)


def test_another_model_has_vectors_of_its_own(save_model, tmp_path, monkeypatch):
    monkeypatch.setenv(EMBEDDINGS_VARIABLE, str(tmp_path / "vectors.sqlite"))
    mean, first = (load_embedder(save_model(pooling)).embed_documents(TEXTS) for pooling in ("mean", "cls"))
    assert not np.allclose(mean, first, atol=1e-3)


def test_a_file_that_is_something_else_is_named(save_model, tmp_path, monkeypatch):
    path = tmp_path / "notes.txt"
    path.write_text("no database at all, but long enough to be looked at" * 20)
    monkeypatch.setenv(EMBEDDINGS_VARIABLE, str(path))
    with pytest.raises(ConfigurationError, match=r"vectors cannot be kept in .*Name another file"):
        load_embedder(save_model()).embed_documents(["w1"])
