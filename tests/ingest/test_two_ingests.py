"""Two ingests of the same sources at once, and what one that was cut off by another leaves to the next."""

import os
import threading

import pytest
from qdrant_client import models

from qdrant_embed import Collection, Document, Recipe
from qdrant_embed.errors import ConfigurationError
from qdrant_embed.store.client.clients import in_memory
from qdrant_embed.store.engine_wrappers import LentEngine
from qdrant_embed.store.points import CHUNK_COUNT, VERSION

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


class Meanwhile(LentEngine):
    """An engine at which something happens before a request, once."""

    def __init__(self, engine, method, happens):
        super().__init__(engine)
        self.method, self.happens = method, happens

    def forward(self, method, *arguments, **named):
        if method.__name__ == self.method and self.happens is not None:
            happens, self.happens = self.happens, None
            happens()
        return super().forward(method, *arguments, **named)


@pytest.fixture
def shared():
    engine = in_memory()
    yield engine
    engine.close()


@pytest.fixture
def notes(tmp_path):
    folder = tmp_path / "notes"
    folder.mkdir()
    write(folder / "gate.txt", "alpha", 1)
    return folder


def opened(engine, method="", happens=None):
    at = Meanwhile(engine, method, happens)
    return Collection.open("c", at=at, recipe=Recipe(model="hashing", chunker="recursive", chunk_tokens=16))


def write(path, word, moment, paragraphs=4):
    lines = (f"Paragraph {number} says that the gate opens at nine: {word}." for number in range(paragraphs))
    path.write_text("\n\n".join(lines))
    os.utime(path, (moment, moment))


def passages(docs):
    return sorted((hit.source, hit.text[-6:-1]) for source in docs.documents() for hit in docs.chunks(source.source))


def test_a_file_that_changes_while_it_is_written_is_read_again(shared, notes):
    docs = opened(shared, "upsert", lambda: write(notes / "gate.txt", "bravo", 2))
    report = docs.ingest(notes)
    assert passages(docs) == [("gate.txt", "bravo")] * 4
    assert (report.documents, report.stored, report.chunks, report.failed) == (1, 1, 4, ())


def test_what_another_one_wrote_of_a_newer_state_is_not_overwritten_for_good(shared, notes):
    def later():
        write(notes / "gate.txt", "bravo", 2, paragraphs=3)
        opened(shared).ingest(notes)

    docs = opened(shared, "upsert", later)
    docs.ingest(notes)
    assert passages(docs) == [("gate.txt", "bravo")] * 3
    again = docs.ingest(notes)
    assert (again.embedded, again.deleted) == (0, 0)


def test_chunks_of_two_versions_are_seen_though_their_number_is_right(shared, notes):
    docs = opened(shared)
    docs.ingest(notes)
    kept = shared.scroll("c", models.Filter(must=[_is("chunk_index", 3)]), limit=1, with_vectors=True)[0]
    write(notes / "gate.txt", "bravo", 2)
    docs.ingest(notes)
    last = shared.scroll("c", models.Filter(must=[_is("chunk_index", 3)]), limit=1)[0]
    shared.delete("c", [last[0].id])
    shared.upsert("c", [models.PointStruct(id=kept[0].id, vector=kept[0].vector, payload=kept[0].payload)])
    assert passages(docs) == [("gate.txt", "alpha"), *[("gate.txt", "bravo")] * 3]
    assert docs.ingest(notes).deleted == 1
    assert passages(docs) == [("gate.txt", "bravo")] * 4


def _is(field, value):
    return models.FieldCondition(key=field, match=models.MatchValue(value=value))


def test_a_file_that_came_meanwhile_and_was_ingested_by_another_one_stays(shared, notes):
    def another():
        write(notes / "a-new.txt", "bravo", 2)  # before all others: the walk has passed it
        opened(shared).ingest(notes)

    docs = opened(shared, "upsert", another)
    assert docs.ingest(notes).deleted == 0
    assert passages(docs) == [("a-new.txt", "bravo")] * 4 + [("gate.txt", "alpha")] * 4


def test_what_is_removed_while_it_is_written_is_there_afterwards(shared, notes):
    docs = opened(shared, "scroll", lambda: None)
    docs.ingest(notes)
    write(notes / "gate.txt", "bravo", 2)
    others = opened(shared)
    changing = opened(shared, "upsert", lambda: others.delete("gate.txt"))
    changing.ingest(notes)
    assert passages(docs) == [("gate.txt", "bravo")] * 4


def test_two_programs_make_a_collection_at_the_same_moment(shared, notes):
    docs = opened(shared, "create_collection", lambda: opened(shared).ingest(notes))
    assert docs.ingest(notes).embedded == 0
    assert passages(docs) == [("gate.txt", "alpha")] * 4


def test_two_roots_are_noted_at_the_same_moment(shared, notes, tmp_path):
    other = tmp_path / "others"
    other.mkdir()
    write(other / "pier.txt", "bravo", 1)
    docs = opened(shared, "update_collection", lambda: opened(shared).ingest(other))
    docs.ingest(notes)
    assert docs.info()["roots"] == ["notes", "others"]


def test_two_folders_of_one_name_at_the_same_moment_are_refused_before_anything_goes(shared, notes, tmp_path):
    other = tmp_path / "b" / "notes"
    other.mkdir(parents=True)
    write(other / "pier.txt", "bravo", 1)
    first = opened(shared, "upsert", lambda: opened(shared).ingest(other, root="notes"))
    with pytest.raises(ConfigurationError, match="another program has ingested another folder as 'notes'"):
        first.ingest(notes)
    assert ("pier.txt", "bravo") in passages(first)


def test_a_collection_that_knows_no_versions_is_written_once_more_without_a_model(shared, notes):
    docs = opened(shared)
    docs.ingest(notes)
    records, _ = shared.scroll("c", limit=100, with_vectors=True)
    for record in records:
        older = {field: value for field, value in record.payload.items() if field != VERSION}
        shared.upsert("c", [models.PointStruct(id=record.id, vector=record.vector, payload=older)])
    again = docs.ingest(notes)
    assert (again.embedded, again.reused, again.deleted, docs.count()) == (0, 4, 0, 4)
    assert all(VERSION in record.payload for record in shared.scroll("c", limit=100)[0])


def test_a_file_that_changes_all_the_time_is_read_a_few_times(shared, notes, monkeypatch):
    moments = iter(range(2, 1000))
    upsert = type(shared).upsert

    def growing(self, *given, **named):
        write(notes / "gate.txt", "bravo", next(moments), paragraphs=4)
        return upsert(self, *given, **named)

    monkeypatch.setattr(type(shared), "upsert", growing)
    report = opened(shared).ingest(notes)
    assert next(moments) <= 8
    assert (report.documents, report.chunks, report.failed) == (1, 4, ())
