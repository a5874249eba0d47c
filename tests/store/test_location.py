"""Locations: what is opened for what is typed, and that no secret slips through."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from qdrant_client import AsyncQdrantClient, QdrantClient, models

from qdrant_embed.errors import ConfigurationError, StoreError
from qdrant_embed.store.edge import EdgeEngine
from qdrant_embed.store.location import open_engine

VECTORS = {"v": models.VectorParams(size=1, distance=models.Distance.DOT)}


def test_a_folder_is_made(tmp_path):
    engine = open_engine(tmp_path / "a" / "b")
    assert isinstance(engine, EdgeEngine)
    assert (tmp_path / "a" / "b").is_dir()
    engine.close()


def test_home_is_expanded(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    open_engine("~/here").close()
    assert (tmp_path / "here").is_dir()


def test_each_memory_is_its_own():
    first, second = open_engine(":memory:"), open_engine(":memory:")
    first.create_collection("c", VECTORS)
    assert not second.collection_exists("c")
    first.finish_bulk_load("c")
    first.close()
    with pytest.raises(StoreError, match="has been closed"):
        first.collection_exists("c")
    second.close()


def test_the_users_client_stays_theirs():
    client = QdrantClient(":memory:")
    engine = open_engine(client)
    engine.create_collection("c", VECTORS)
    engine.close()
    engine.close()
    assert client.collection_exists("c")
    client.close()


@pytest.mark.parametrize(
    ("at", "message"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("localhost:6333", "did you mean 'http://localhost:6333'"),
        ("qdrant.example.com:6333/x", "did you mean 'http://qdrant"),
        ("qdrant://here", "cannot open a 'qdrant' location"),
        ("s3://bucket/key", "cannot open a 's3' location"),
        ("http://", "not a URL of a server"),
        ("http://host:port", "not a URL of a server"),
        (42, "cannot open a int as a location"),
        (None, "cannot open a NoneType as a location"),
    ],
)
def test_what_makes_no_sense_is_refused(at, message):
    with pytest.raises(ConfigurationError, match=message):
        open_engine(at)


def test_an_async_client_is_refused():
    with pytest.raises(ConfigurationError, match="give a QdrantClient"):
        open_engine(AsyncQdrantClient(":memory:"))


@pytest.mark.parametrize(
    "url",
    [
        "https://user:s3cret@host.example:6333",
        "https://s3cret@host.example",
        "https://host.example?api_key=s3cret",
        "https://host.example/#s3cret",
    ],
)
def test_a_url_with_a_secret_is_refused_without_repeating_it(url):
    with pytest.raises(ConfigurationError, match="QDRANT_API_KEY") as caught:
        open_engine(url)
    assert "s3cret" not in str(caught.value)
    assert "host.example" in str(caught.value)


def test_nothing_heavy_is_imported_until_a_location_is_opened():
    code = "import sys, qdrant_embed.store.location; print([m for m in ('qdrant_client', 'qdrant_edge', 'grpc') if m in sys.modules])"  # noqa: E501
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": root},
    )
    assert done.stdout.strip() == "[]"
