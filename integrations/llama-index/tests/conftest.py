"""A harbour's handbook: pages with known sentences, and collections over them."""

import os
from zlib import crc32

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("QDRANT_EMBED_RUNTIME", "torch")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

PAGES = {
    "index.md": "# Harbour handbook\n\nThis handbook tells how the harbour works.\n\n"
    "## Opening hours\n\nThe gates open at six in the morning and close at ten at night.\n",
    "guide/keys.md": "# Keys\n\nKeys are kept in the steel cabinet of the watch house.\n\n"
    "## Rotation\n\nMaster keys are rotated every ninety days by the harbour master.\n\n"
    "## Loss\n\nA lost key is reported to the night watch within one hour.\n\n"
    "## Copies\n\nNobody may copy a key, and no locksmith in town will.\n",
    "guide/cranes.md": "# Cranes\n\nCrane four lifts at most twelve tons.\n\n"
    "## Maintenance\n\nThe cables are inspected every Tuesday before the first shift.\n",
    "notes/fish.txt": "Herring is landed at pier two.\r\n\r\nCod is landed at pier seven, and weighed there.\r\n\r\n"
    "Eels are sold by the basket at the northern steps.\r\n",
}


@pytest.fixture
def pages(tmp_path):
    """Write the pages and return their folder."""
    folder = tmp_path / "harbour"
    for name, text in PAGES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    return folder


@pytest.fixture
def make_collection(tmp_path):
    """Return a function that opens (and at the end closes) empty collections, in a folder unless told otherwise."""
    from qdrant_embed import Collection, Recipe

    opened = []

    def make(*, at=None, **recipe):
        settings = {"model": "hashing", "chunk_tokens": 24, **recipe}
        opened.append(Collection.open("harbour", at=at or tmp_path / "qdrant_data", recipe=Recipe(**settings)))
        return opened[-1]

    yield make
    for collection in opened:
        collection.close()


@pytest.fixture
def harbour(request, make_collection, pages):
    """Return the pages ingested, in the embedded engine or a `QdrantClient`'s memory, drawn from the test's name."""
    collection = make_collection(at=":memory:" if crc32(request.node.name.encode()) % 2 else None)
    collection.ingest(pages)
    return collection
