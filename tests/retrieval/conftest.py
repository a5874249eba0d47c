"""The harbour's pages ingested, and a collection of dated notes with metadata of their own."""

import pytest

from qdrant_embed import Document


@pytest.fixture
def harbour(collection, pages):
    """Return the harbour's pages as a collection, on each local engine."""
    collection.ingest(pages)
    return collection


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


@pytest.fixture
def notes(collection):
    """Return four notes about cranes, each of one chunk."""
    collection.ingest(NOTES)
    return collection
