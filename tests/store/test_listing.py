"""What a location holds."""

import pytest

from qdrant_embed import Collection, Document, Recipe
from qdrant_embed.errors import StoreError


@pytest.mark.folder
def test_collections_are_listed_by_name(make_collection, tmp_path):
    for name in ("notes", "harbour"):
        make_collection(name).ingest([Document(text="One.", source="a")])
    listed = Collection.list(at=tmp_path / "qdrant_data")
    assert [(found.name, found.chunks, found.model, found.problem) for found in listed] == [
        ("harbour", 1, "hashing", ""),
        ("notes", 1, "hashing", ""),
    ]
    assert listed[0].as_dict()["recipe"]["language"] == "english"
    assert str(listed).splitlines()[1].split() == ["harbour", "1", "hashing"]
    assert listed._repr_html_().count("<tr>") == 3


@pytest.mark.folder
def test_a_collection_that_cannot_be_counted_is_listed_with_the_reason(make_collection, tmp_path, monkeypatch):
    make_collection("harbour")

    def refuse(engine, name):
        raise StoreError("no count")

    monkeypatch.setattr("qdrant_embed.store.listing.foreign_points", refuse)
    (found,) = Collection.list(at=tmp_path / "qdrant_data")
    assert (found.chunks, found.recipe, found.problem) == (None, None, "no count")


def test_what_something_else_made_is_listed_too():
    from qdrant_client import QdrantClient, models

    client = QdrantClient(":memory:")
    client.create_collection("foreign & co", models.VectorParams(size=2, distance=models.Distance.COSINE))
    Collection.open("ours", at=client, recipe=Recipe(model="hashing"))
    listed = Collection.list(at=client)
    assert [(found.name, found.model) for found in listed] == [("foreign & co", None), ("ours", "hashing")]
    assert "not made by qdrant-embed" in str(listed)
    assert "foreign & co" not in listed._repr_html_()


def test_what_something_else_made_without_vectors_is_listed_and_left_alone():
    from qdrant_client import QdrantClient, models

    client = QdrantClient(":memory:")
    for name, vectors in (("bare", None), ("empty", {})):
        client.create_collection(name, vectors)
        client.upsert(name, [models.PointStruct(id=number, vector={}, payload={}) for number in range(3)])
    listed = Collection.list(at=client)
    assert [(found.name, found.chunks, found.recipe, found.problem) for found in listed] == [
        ("bare", 3, None, ""),
        ("empty", 3, None, ""),
    ]
    for recipe in (None, Recipe(model="hashing")):
        with pytest.raises(StoreError, match="'bare' holds no qdrant_embed metadata: something else made it"):
            Collection.open("bare", at=client, recipe=recipe)
    assert Collection.drop("bare", at=client)
    assert [found.name for found in Collection.list(at=client)] == ["empty"]


def test_nothing_is_said_to_be_there():
    assert Collection.list(at=":memory:") == []
    assert "no collections" in Collection.list(at=":memory:")._repr_html_()
