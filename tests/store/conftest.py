"""Engines of every kind that runs here."""

import os

import pytest

from qdrant_embed.store.location import open_engine


@pytest.fixture
def folder_engine(tmp_path):
    """Return the embedded engine on an empty folder."""
    engine = open_engine(tmp_path / "qdrant_data")
    yield engine
    engine.close()


@pytest.fixture
def memory_engine():
    """Return qdrant_client's engine in memory."""
    engine = open_engine(":memory:")
    yield engine
    engine.close()


@pytest.fixture
def server_engine():
    """Return the engine of a running server."""
    url = os.environ.get("QDRANT_URL")
    if not url:
        pytest.skip("set QDRANT_URL to the URL of a Qdrant server")
    engine = open_engine(url)
    yield engine
    for name in ("conformance", "conformance-2"):
        engine.delete_collection(name)
    engine.close()


@pytest.fixture(
    params=["folder", "memory", pytest.param("server", marks=pytest.mark.server)],
)
def engine(request):
    """Return one engine after the other."""
    return request.getfixturevalue(f"{request.param}_engine")
