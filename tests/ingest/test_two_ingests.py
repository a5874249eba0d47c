"""Two ingests of the same sources at once, and what one that was cut off by another leaves to the next."""

import threading

import pytest
from qdrant_client import models

from qdrant_embed import Collection, Document, Recipe
from qdrant_embed.store.points import CHUNK_COUNT

SOURCES = 12
PARAGRAPHS = 40


def documents(version):
    text = "\n\n".join(f"Paragraph {n} of version {version}: the gate opens at nine." for n in range(PARAGRAPHS))
    return [Document(text=text, source=f"note-{number}") for number in range(SOURCES)]


@pytest.fixture(params=["folder", "memory"])
def docs(request, tmp_path):
    at = tmp_path / "q" if request.param == "folder" else ":memory:"
    with Collection.open("c", at=at, recipe=Recipe(model="hashing", chunk_tokens=32)) as docs:
        yield docs


def versions(docs, number):
    return {"A" if "version A" in hit.text else "B" for hit in docs.chunks(f"note-{number}")}


def test_each_document_has_the_chunks_of_one_version(docs):
    start = threading.Barrier(2)

    def ingest(version):
        start.wait()
        docs.ingest(documents(version))

    threads = [threading.Thread(target=ingest, args=(version,)) for version in "AB"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert all(len(versions(docs, number)) == 1 for number in range(SOURCES))
    docs.ingest(documents("B"))
    assert all(versions(docs, number) == {"B"} for number in range(SOURCES))
    whole = docs.count()
    again = docs.ingest(documents("B"))
    assert (again.embedded, again.deleted, docs.count()) == (0, 0, whole)


def test_chunks_that_another_program_left_behind_are_removed_by_the_next_ingest(docs):
    docs.ingest(documents("B"))
    whole = docs.count()
    engine, name = docs.engine, docs.name
    records, _ = engine.scroll(name, limit=3, with_vectors=True)
    strangers = [
        models.PointStruct(id=number, vector=record.vector, payload={**record.payload, CHUNK_COUNT: 0})
        for number, record in enumerate(records)
    ]
    engine.upsert(name, strangers)
    assert docs.count() == whole + len(strangers)
    report = docs.ingest(documents("B"))
    assert (report.embedded, report.deleted, docs.count()) == (0, len(strangers), whole)
