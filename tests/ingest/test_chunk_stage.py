"""The chunk stage: a document that cannot be chunked costs itself only; a very long text arrives piece by piece."""

import pytest

from qdrant_embed import Collection, Document, Recipe
from qdrant_embed.chunking import segments
from qdrant_embed.ingest import chunk_stage
from qdrant_embed.types import Span

LINE = "The gates of the harbour open at six in the morning and close at ten.\n"


class Fragile:
    """A chunker that fails over some texts, as one of a plug-in may."""

    def spans(self, text):
        yield Span(0, 5)
        if "odd" in text:
            raise IndexError("index 8 is out of bounds")
        if len(text) > 5:
            yield Span(5, len(text.rstrip()))


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_document_that_cannot_be_chunked_is_listed_and_the_others_are_stored(place, monkeypatch):
    texts = ["first text", "second text", "third text"]
    texts[place] = "an odd text"
    documents = [Document(text=text, source=f"{number}.txt") for number, text in enumerate(texts)]
    with Collection.open("c", at=":memory:", recipe=Recipe(model="hashing")) as collection:
        with monkeypatch.context() as patch:
            patch.setattr(type(collection.parts.target.chunker), "for_media_type", lambda *_: Fragile())
            report = collection.ingest(documents)
        (failure,) = report.failed
        assert failure.source == f"{place}.txt"
        assert failure.reason == "could not be chunked: IndexError: index 8 is out of bounds"
        assert {hit.source for hit in collection.search("text", k=9)} >= {d.source for d in documents} - {
            failure.source
        }
        again = collection.ingest(documents)
        assert (again.failed, again.documents) == ((), 3)
        assert collection.chunks(f"{place}.txt")[0].text == "an odd text"


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(segments, "LONGEST", 12_000)
    monkeypatch.setattr(segments, "VIEW", 14_000)


def test_a_long_file_and_a_long_document_become_the_same_chunks(small, tmp_path):
    text = "# Harbour\n\n" + "".join(f"## Part {n}\n\n{LINE * 40}\n" for n in range(100))
    (tmp_path / "long.md").write_text(text)
    with Collection.open("c", at=":memory:", recipe=Recipe(model="hashing", chunk_tokens=256)) as collection:
        report = collection.ingest(tmp_path)
        assert not report.failed
        found = collection.chunks("long.md")
        assert len(found) == report.chunks > 100
        assert all(text[hit.start : hit.end] == hit.text for hit in found)
        assert "".join("".join(hit.text.split()) for hit in found) == "".join(text.split())
        assert found[-1].headings[0] == "Harbour"
        again = collection.ingest(tmp_path)
        assert (again.embedded, again.deleted, again.reused) == (0, 0, report.chunks)
        (tmp_path / "long.md").write_text(text + "\nOne more line.\n")
        changed = collection.ingest(tmp_path)
        assert 0 < changed.embedded < 60
        document = Document(text=text, source="long.md", media_type="text/markdown")
    with Collection.open("d", at=":memory:", recipe=Recipe(model="hashing", chunk_tokens=256)) as collection:
        collection.ingest([document])
        assert [(hit.start, hit.end, hit.headings) for hit in collection.chunks("long.md")] == [
            (hit.start, hit.end, hit.headings) for hit in found
        ]


def test_what_is_read_as_one_has_a_limit(monkeypatch):
    monkeypatch.setattr(chunk_stage, "WHOLE_CHARACTERS", 100)
    documents = [Document(text=LINE, source="short"), Document(text=LINE * 2, source="long")]
    recipe = Recipe(model="hashing", chunker="document", window="windows")
    with Collection.open("c", at=":memory:", recipe=recipe) as collection:
        report = collection.ingest(documents)
        (failure,) = report.failed
        assert failure.source == "long"
        assert "more than 100 characters" in failure.reason
        assert [document.source for document in collection.documents()] == ["short"]
