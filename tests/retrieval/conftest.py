"""The harbour's pages ingested, and a collection of dated notes with metadata of their own."""

import pytest

from qdrant_embed import Collection, Document, Recipe
from tests.conftest import PAGES


@pytest.fixture(scope="module")
def made_once(tmp_path_factory):
    """Return a function: kind of engine, name, function that fills → a collection that a file only reads."""
    made = {}

    def make(kind, name, fill):
        if (kind, name) not in made:
            at = ":memory:" if kind == "memory" else tmp_path_factory.mktemp(name) / "qdrant_data"
            made[kind, name] = Collection.open("harbour", at=at, recipe=Recipe(model="hashing", chunk_tokens=24))
            fill(made[kind, name])
        return made[kind, name]

    yield make
    for collection in made.values():
        collection.close()


@pytest.fixture(params=["folder", "memory"])
def harbour(request, made_once, tmp_path_factory):
    """Return the harbour's pages as a collection to read, on each local engine."""

    def fill(collection):
        folder = tmp_path_factory.mktemp("pages") / "harbour"
        for name, text in PAGES.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        collection.ingest(folder)

    return made_once(request.param, "pages", fill)


NOTES = [
    Document(
        text="Crane four lifts twelve tons.", source="lifts/four", title="Crane four", size=100,
        modified="2026-01-10T08:00:00.000000+00:00",
        metadata={"team": "cranes", "year": 2025, "load": 12.5, "open": True},
    ),
    Document(
        text="Crane five lifts thirty tons.", source="lifts/five", title="Crane five", size=2000,
        modified="2026-03-10T08:00:00.000000+00:00",
        metadata={"team": "cranes", "year": 2026, "load": 30.0, "open": False},
    ),
    Document(
        text="Crane drivers eat at noon.\n\fCrane drivers rest at three.", source="canteen", media_type="text/html",
        metadata={"team": "kitchen", "year": 2026, "tags": ["food", "hours"]}, page_starts=(0, 28),
    ),
    Document(text="Crane songs are sung at night.", source="songs"),
]  # fmt: skip


@pytest.fixture(params=["folder", "memory"])
def notes(request, made_once):
    """Return four notes about cranes to read, each of one chunk."""
    return made_once(request.param, "notes", lambda collection: collection.ingest(NOTES))
