import sqlite3

import numpy as np
import pytest

from qdrant_embed.embedding import cache, load_embedder
from qdrant_embed.embedding.cache import EMBEDDINGS_VARIABLE
from qdrant_embed.errors import ConfigurationError
from qdrant_embed.runtimes.session import RuntimeSession

TEXTS = ["w1 w2", "w3", " ".join(f"w{number}" for number in range(50)), "w3"]


def test_a_text_that_was_embedded_costs_no_model_time_again(save_model, tmp_path, monkeypatch):
    monkeypatch.setenv(EMBEDDINGS_VARIABLE, str(tmp_path / "deep" / "vectors.sqlite"))
    folder = save_model()
    first = load_embedder(folder).encode_documents(TEXTS)
    monkeypatch.setattr(RuntimeSession, "run", lambda *_: pytest.fail("the model was run"))
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


@pytest.fixture
def filled(save_model, tmp_path, monkeypatch):
    """Return an embedder, its vectors without a file, and the file that holds those of the first text."""
    path = tmp_path / "vectors.sqlite"
    embedder = load_embedder(save_model())
    wanted = embedder.embed_documents(TEXTS)
    monkeypatch.setenv(EMBEDDINGS_VARIABLE, str(path))
    embedder.embed_documents(TEXTS[:1])
    return embedder, wanted, path


def check(embedder, wanted, caplog):
    for _ in range(2):
        np.testing.assert_allclose(embedder.embed_documents(TEXTS), wanted, atol=1e-6)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "no vector is lost" in caplog.text


def test_a_full_disk_costs_no_vector(filled, monkeypatch, caplog):
    embedder, wanted, _ = filled
    connect = sqlite3.connect

    def connect_to_a_full_disk(*args, **settings):
        connection = connect(*args, **settings)
        connection.execute("PRAGMA max_page_count = 1")
        return connection

    monkeypatch.setattr(sqlite3, "connect", connect_to_a_full_disk)
    big = [" ".join(f"w{(number * step) % 60}" for number in range(20)) for step in range(1, 58)]
    embedder.embed_documents(big)
    assert "database or disk is full" in caplog.text
    check(embedder, wanted, caplog)


def test_a_file_that_another_process_holds_costs_no_vector(filled, monkeypatch, caplog):
    embedder, wanted, path = filled
    monkeypatch.setattr(cache, "WAIT", 0.01)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    check(embedder, wanted, caplog)
    assert "locked" in caplog.text
    other.execute("ROLLBACK")
    other.close()
    embedder.embed_documents(TEXTS)
    monkeypatch.setattr(RuntimeSession, "run", lambda *_: pytest.fail("the model was run"))
    np.testing.assert_allclose(embedder.embed_documents(TEXTS), wanted, atol=1e-6)


def test_a_file_that_breaks_costs_no_vector(filled, caplog):
    embedder, wanted, path = filled
    for journal in path.parent.glob("vectors.sqlite-*"):
        journal.unlink()
    path.write_bytes(b"no database any more" * 1000)
    check(embedder, wanted, caplog)


def test_a_file_that_was_removed_is_made_again(filled, monkeypatch, caplog):
    embedder, wanted, path = filled
    for file in path.parent.glob("vectors.sqlite*"):
        file.unlink()
    embedder.embed_documents(TEXTS)
    monkeypatch.setattr(RuntimeSession, "run", lambda *_: pytest.fail("the model was run"))
    np.testing.assert_allclose(embedder.embed_documents(TEXTS), wanted, atol=1e-6)
    assert not caplog.records
