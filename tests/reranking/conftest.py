"""A collection of dated notes, some of which say the same, to read only."""

from datetime import UTC, datetime, timedelta

import pytest

from qdrant_embed import Collection, Document, Recipe

NOW = datetime(2026, 6, 1, tzinfo=UTC)
SHIPS = ("Herring", "Cod", "Eel", "Coal", "Timber", "Salt", "Iron", "Wool")


def notes():
    """Yield thirty-two notes in eight groups whose texts are nearly alike; each is a day older than the one before."""
    for number in range(32):
        cargo, copy = SHIPS[number % 8], number // 8
        age = timedelta(days=number)
        yield Document(
            text=f"{cargo} is landed at the pier, {cargo} is weighed at the gate. Note {'again ' * copy}",
            source=f"{number:02}.md",
            modified=(NOW - age).isoformat(timespec="microseconds"),
            metadata={"written": (NOW - timedelta(days=31) + age).date().isoformat(), "log": {"day": "no date"}},
        )


@pytest.fixture(scope="session", params=["folder", "memory"])
def docs(request, tmp_path_factory):
    """Return the notes in each local engine."""
    at = ":memory:" if request.param == "memory" else tmp_path_factory.mktemp("notes") / "data"
    with Collection.open("notes", at=at, recipe=Recipe(model="hashing")) as made:
        made.ingest(notes())
        yield made
