"""Stores that are empty and collections that are filled, of small models."""

import os

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("QDRANT_EMBED_RUNTIME", "torch")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("LANGSMITH_TRACING", "false")

PAGES = {
    "keys.md": "# Keys\n\n## Rotation\n\nMaster keys are rotated every ninety days.\n\n## Loss\n\nReport a lost key.\n",
    "cranes.md": "# Cranes\n\nCrane four lifts at most twelve tons.\n\n## Cables\n\nInspected every Tuesday.\n",
    "fish.txt": "Herring is landed at pier two.\n\nCod is landed at pier seven.\n",
}


@pytest.fixture(params=["memory", "folder"])
def place(request, tmp_path):
    """Return a location with nothing in it."""
    return ":memory:" if request.param == "memory" else str(tmp_path / "data")


@pytest.fixture
def open_store(place):
    """Return a function that opens stores, which are closed at the end."""
    from langchain_qdrant_embed import QdrantEmbedVectorStore

    opened = []

    def run(name="notes", **given):
        given = {"at": place, **given}
        opened.append(
            QdrantEmbedVectorStore.open(name, **(given if "embedding" in given else {"model": "hashing"} | given))
        )
        return opened[-1]

    yield run
    for store in opened:
        store.collection.close()


@pytest.fixture
def harbour(tmp_path):
    """Return a folder of pages."""
    folder = tmp_path / "harbour"
    folder.mkdir()
    for name, text in PAGES.items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def docs(harbour):
    """Return a collection of the pages."""
    from qdrant_embed import Collection, Recipe

    with Collection.open("harbour", at=":memory:", recipe=Recipe(model="hashing", chunk_tokens=24)) as docs:
        docs.ingest(harbour)
        yield docs
