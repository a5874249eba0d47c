"""The ingest as users meet it: again, after an edit, after a deletion, after a failure."""

import os

import pytest

from qdrant_embed import Document, IngestOptions, ReadOptions
from qdrant_embed.errors import ConfigurationError, ModelError

pytestmark = pytest.mark.anywhere


def texts(collection):
    return {(hit.source, hit.text) for document in collection.documents() for hit in collection.chunks(document.source)}


def spy(collection, monkeypatch):
    """Record every text that goes through the model."""
    seen = []
    embedder = collection.parts.target.embedder
    original = embedder.encode_documents
    monkeypatch.setattr(embedder, "encode_documents", lambda given: (seen.extend(given), original(given))[1])
    return seen


def test_everything_arrives_with_its_place(collection, pages):
    report = collection.ingest(pages)
    assert report.documents == 4
    assert report.chunks == report.embedded == collection.count() > 4
    assert report.failed == ()
    assert {document.source for document in collection.documents()} == {
        "index.md", "guide/keys.md", "guide/cranes.md", "notes/fish.txt",
    }  # fmt: skip
    for document in collection.documents():
        text = (pages / document.source).read_text()
        chunks = collection.chunks(document.source)
        assert len(chunks) == document.chunks
        assert all(text[hit.start : hit.end] == hit.text for hit in chunks)
        assert "".join("".join(hit.text.split()) for hit in chunks) == "".join(text.split())
    rotation = collection.search("rotated", k=1)[0]
    assert rotation.headings == ("Keys", "Rotation")


def test_a_second_run_embeds_writes_and_opens_nothing(collection, pages, monkeypatch):
    first = collection.ingest(pages)
    seen = spy(collection, monkeypatch)
    engine = collection.engine
    for name in ("upsert", "delete", "set_payload"):
        monkeypatch.setattr(engine, name, lambda *args, **kwargs: pytest.fail("something was written"))
    for path in pages.rglob("*.*"):
        path.chmod(0)
    second = collection.ingest(pages)
    assert (second.embedded, second.deleted, second.failed) == (0, 0, ())
    assert second.reused == second.chunks == first.chunks
    assert seen == []


def test_an_edit_embeds_only_what_changed(collection, pages, monkeypatch):
    collection.ingest(pages)
    page = pages / "guide/keys.md"
    page.write_text(page.read_text().replace("ninety days", "thirty days, and after each incident,"))
    seen = spy(collection, monkeypatch)
    report = collection.ingest(pages)
    assert report.embedded == len(seen) == 1
    assert "thirty days" in seen[0]
    assert report.deleted >= 1
    assert not any("ninety" in text for _, text in texts(collection))
    assert collection.count() == report.chunks


def test_a_touched_file_is_noted_and_not_embedded(collection, pages, monkeypatch):
    collection.ingest(pages)
    seen = spy(collection, monkeypatch)
    os.utime(pages / "index.md", (1_700_000_000, 1_700_000_000))
    report = collection.ingest(pages)
    assert (report.embedded, report.deleted) == (0, 0)
    assert seen == []
    (index,) = (document for document in collection.documents() if document.source == "index.md")
    assert index.modified.startswith("2023-11-14T22:13:20")


def test_a_deleted_file_takes_its_points_along_and_no_others(collection, pages):
    collection.ingest([Document(text="A note from elsewhere.", source="guide/keys.md")])
    collection.ingest(pages)
    (pages / "guide/keys.md").unlink()
    report = collection.ingest(pages)
    assert report.deleted > 0
    kept = [(document.root, document.source) for document in collection.documents()]
    assert ("", "guide/keys.md") in kept
    assert ("harbour", "guide/keys.md") not in kept
    assert len(kept) == 4


def test_a_folder_inside_the_root_prunes_only_itself(collection, pages):
    collection.ingest(pages)
    (pages / "guide/keys.md").unlink()
    (pages / "index.md").unlink()
    collection.ingest(pages / "guide")
    assert {document.source for document in collection.documents()} == {"index.md", "guide/cranes.md", "notes/fish.txt"}


def test_a_glob_deletes_only_what_is_really_gone(collection, pages):
    collection.ingest(pages)
    collection.ingest(f"{pages}/**/*.txt")
    assert len(collection.documents()) == 4
    (pages / "guide/keys.md").unlink()
    collection.ingest(f"{pages}/**/*.md")
    assert len(collection.documents()) == 3


def test_a_single_file_is_the_same_document_as_within_its_folder(collection, pages):
    collection.ingest(pages)
    before = collection.count()
    report = collection.ingest(pages / "guide" / "keys.md")
    assert (report.documents, report.embedded, collection.count()) == (1, 0, before)


def test_equal_texts_are_embedded_once(collection, monkeypatch):
    seen = spy(collection, monkeypatch)
    report = collection.ingest(Document(text="The same words.", source=f"{n}.txt") for n in range(600))
    assert (report.chunks, report.embedded, report.reused) == (600, 1, 599)
    assert seen == ["The same words."]
    collection.ingest([Document(text="The same words.", source="later.txt")])
    assert len(seen) == 1


def test_documents_are_read_as_they_are_needed(make_collection):
    collection = make_collection()
    asked = 0

    def documents():
        nonlocal asked
        for number in range(1200):
            asked += 1
            yield Document(text=f"Text number {number}.", source=f"{number}.txt")

    most_ahead = 0

    def progress(report):
        nonlocal most_ahead
        most_ahead = max(most_ahead, asked - collection.count())

    collection.ingest(documents(), options=IngestOptions(progress=progress))
    assert collection.count() == 1200
    assert most_ahead < 800


def test_changed_metadata_is_stored_without_embedding(collection):
    collection.ingest([Document(text="Text.", source="a", metadata={"team": "red"})])
    report = collection.ingest([Document(text="Text.", source="a", metadata={"team": "blue"})])
    assert report.embedded == 0
    assert collection.search("text", filter={"team": "blue"})[0].metadata == {"team": "blue"}
    assert collection.count() == 1


def test_a_document_without_text_leaves_nothing_behind(collection):
    collection.ingest([Document(text="Text.", source="a")])
    report = collection.ingest([Document(text="  \n ", source="a")])
    assert (report.chunks, report.deleted, collection.count()) == (0, 1, 0)


def test_a_text_that_cannot_be_embedded_is_listed_and_tried_again(collection, monkeypatch):
    embedder = collection.parts.target.embedder
    original = embedder.encode_documents

    def fails_on_poison(given):
        if any("poison" in text for text in given):
            raise ModelError("the model choked")
        return original(given)

    documents = [Document(text=f"Fine text {n}.", source=f"{n}.txt") for n in range(20)]
    documents.append(Document(text="This is poison.", source="bad.txt"))
    monkeypatch.setattr(embedder, "encode_documents", fails_on_poison)
    report = collection.ingest(documents)
    assert [(failure.source, "choked" in failure.reason) for failure in report.failed] == [("bad.txt", True)]
    assert report.chunks == report.embedded == collection.count() == 20
    monkeypatch.setattr(embedder, "encode_documents", original)
    again = collection.ingest(documents)
    assert (again.embedded, again.failed, collection.count()) == (1, (), 21)


def test_a_model_that_never_works_stops_the_run_and_loses_nothing(collection, pages, monkeypatch):
    collection.ingest(pages)
    before = texts(collection)

    def broken(given):
        raise ModelError("no weights")

    monkeypatch.setattr(collection.parts.target.embedder, "encode_documents", broken)
    new = [Document(text=f"New {n}", source=str(n)) for n in range(9)]
    with pytest.raises(ModelError, match="no weights"):
        collection.ingest(new)
    assert texts(collection) == before


def test_points_that_cannot_be_stored_are_listed(collection, monkeypatch):
    engine = collection.engine
    original = engine.upsert

    def refuses_thirteen(name, points, **rest):
        if any("13" in point.payload["text"] for point in points):
            raise ConnectionError("too large")
        return original(name, points=points, **rest)

    monkeypatch.setattr("tenacity.nap.time.sleep", lambda seconds: None)
    monkeypatch.setattr(engine, "upsert", refuses_thirteen)
    report = collection.ingest(Document(text=f"Text {n}.", source=f"{n}.txt") for n in range(20))
    assert [failure.source for failure in report.failed] == ["13.txt"]
    assert report.chunks == collection.count() == 19


def test_files_that_cannot_be_read_are_named_and_keep_their_points(collection, pages):
    collection.ingest(pages)
    (pages / "index.md").write_bytes(b"x" * 5000)
    options = IngestOptions(reading=ReadOptions(max_file_bytes=4000))
    report = collection.ingest(pages, options=options)
    assert [failure.source for failure in report.failed] == ["index.md"]
    assert any(document.source == "index.md" for document in collection.documents())


@pytest.mark.parametrize("wrong", [["just a text"], None, 7, b"text", ["index.md", Document(text="a", source="x")]])
def test_what_cannot_be_ingested_is_refused_with_what_to_type(collection, wrong):
    with pytest.raises(ConfigurationError, match="Wrap texts"):
        collection.ingest(wrong)


def test_the_same_folder_name_from_another_place_is_refused(collection, pages, tmp_path):
    collection.ingest(pages)
    other = tmp_path / "elsewhere" / "harbour"
    other.mkdir(parents=True)
    (other / "index.md").write_text("# Another harbour")
    with pytest.raises(ConfigurationError, match="harbour-2"):
        collection.ingest(other)
    collection.ingest(other, options=IngestOptions(root="harbour-2"))
    assert len(collection.documents()) == 5
    assert collection.delete(root="harbour-2") == 1
    assert len(collection.documents()) == 4


def test_an_interrupted_change_that_is_taken_back_leaves_nothing_behind(collection, pages, monkeypatch):
    collection.ingest(pages)
    before = texts(collection)
    page = pages / "guide/keys.md"
    old, stat = page.read_text(), page.stat()
    page.write_text(old.replace("ninety", "thirty") + "\n\n## Extra\n\nA paragraph that will be taken back.\n" * 3)
    engine = collection.engine
    original = engine.delete
    monkeypatch.setattr(engine, "delete", lambda *args, **kwargs: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        collection.ingest(pages)
    monkeypatch.setattr(engine, "delete", original)
    page.write_text(old)
    os.utime(page, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    collection.ingest(pages)
    assert texts(collection) == before
