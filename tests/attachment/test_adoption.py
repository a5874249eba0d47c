"""A collection of this library's that lost its metadata is adopted; what another program made is not."""

import pytest
from qdrant_client import QdrantClient

from qdrant_embed import Collection, Document, Recipe
from qdrant_embed.store.location import open_engine
from tests.support.foreign_writers import TEXTS, plain

DOCUMENTS = [Document(text=text, source=f"{number}.md") for number, text in enumerate(TEXTS)]


@pytest.fixture
def without_metadata(tmp_path):
    """Return an engine with a collection `notes` of ours, copied by a program that leaves metadata behind."""
    engine = open_engine(tmp_path)
    with Collection.open("own", at=engine, recipe=Recipe(model="hashing")) as docs:
        docs.ingest(DOCUMENTS)
    params = engine.get_collection("own").config.params
    engine.create_collection("notes", params.vectors, sparse_vectors_config=params.sparse_vectors)
    records, _ = engine.scroll("own", limit=100, with_vectors=True)
    from qdrant_client import models

    engine.upsert("notes", [models.PointStruct(id=one.id, payload=one.payload, vector=one.vector) for one in records])
    yield engine
    engine.close()


def test_what_lost_its_metadata_is_adopted_and_compared(without_metadata):
    with Collection.attach("notes", at=without_metadata, model="hashing", writable=True) as docs:
        assert (docs.layout.vector, docs.layout.metadata, docs.layout.source) == ("dense", "", "source")
        adopted = docs.attachment.adopt()
        assert adopted.adopted and "Collection.open('notes'" in str(adopted)
    with Collection.open("notes", at=without_metadata) as docs:
        assert docs.recipe == Recipe(model="hashing")
        report = docs.ingest([*DOCUMENTS, Document(text="The tide turns at noon.", source="5.md")])
        assert (report.documents, report.embedded) == (len(DOCUMENTS) + 1, 1)
        assert docs.search("cables", k=1, mode="bm25")[0].text == TEXTS[2]


def test_another_recipe_is_not_written_over_it(without_metadata):
    recipe = Recipe(model="hashing", chunk_tokens=24)
    with Collection.attach("notes", at=without_metadata, recipe=recipe, writable=True) as docs:
        found = docs.attachment.adopt()
        assert not found.adopted and found.reasons == (
            "4 points that another recipe made: give the recipe that it was made by",
        )
        assert not without_metadata.stored_metadata("notes")


def test_what_a_migration_would_do_is_said():
    client = QdrantClient(":memory:")
    plain(client, "notes")
    with Collection.attach("notes", at=client, model="hashing", writable=True) as docs:
        found = str(docs.attachment.adopt())
    assert "the dense vector is called '', an ingest writes 'dense'" in found
    assert "4 points without what an ingest compares" in found
    assert "A migration would copy 4 points with their vectors" in found and "nothing was written" in found
