"""Engines of every kind that runs here."""

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
def server_engine(server_url):
    """Return the engine of a server: a real one where the environment names it, else a stand-in."""
    engine = open_engine(server_url)
    yield engine
    engine.close()


@pytest.fixture(params=["folder", "memory", "server"])
def engine(request):
    """Return one engine after the other."""
    return request.getfixturevalue(f"{request.param}_engine")
