"""How a file would be cut, without embedding it."""

from pathlib import Path

import pytest

from qdrant_embed import Document, collection
from qdrant_embed.errors import ConfigurationError, ReadError


def test_the_chunks_of_a_file_with_their_tokens(cli, pages):
    answer = cli("preview", pages / "guide/cranes.md", "--model", "hashing", "--chunk-tokens", "24", "--json").json
    text = (pages / "guide/cranes.md").read_text()
    assert len(answer["chunks"]) > 1
    for chunk in answer["chunks"]:
        assert text[chunk["start"] : chunk["end"]] == chunk["text"]
        assert 0 < chunk["tokens"] <= 24
    assert not Path("qdrant_data").exists()


def test_it_cuts_as_an_ingest_does(cli, ingested, pages):
    chunks = cli("preview", pages / "guide/keys.md", "--json").json["chunks"]
    stored = cli("search", "keys", "-k", "50", "--filter", "source=guide/keys.md", "--json").json["hits"]
    assert sorted(chunk["start"] for chunk in chunks) == sorted(hit["start"] for hit in stored)


def test_the_table_says_what_the_model_reads(cli, pages):
    answer = cli("preview", pages / "guide/keys.md", "--model", "hashing")
    assert "keys.md: 1 chunk" in answer.out
    assert max(map(len, answer.out.splitlines())) <= 80


def test_what_is_no_file(cli, tmp_path):
    assert cli("preview", "nope.md", "--model", "hashing").code == 1
    assert "is a folder" in cli("preview", tmp_path, "--model", "hashing").err


def test_a_text_or_a_document_in_python(make_collection, pages):
    docs = make_collection(chunk_tokens=24)
    text = "\n\n".join(f"Paragraph {number} of the long tale goes on and on and on." for number in range(9))
    for found in (docs.preview(text), docs.preview(Document(text=text, source="tale"))):
        assert "".join("".join(chunk.text for chunk in found).split()) == "".join(text.split())
        assert f"{len(found)} chunks" in str(found)
        assert found._repr_html_().count("<tr>") == len(found) + 1
    assert len(docs.preview(pages / "guide/keys.md")) == len(docs.preview(str(pages / "guide/keys.md"))) > 0
    assert docs.count() == 0
    with pytest.raises(ConfigurationError):
        docs.preview("nope.md")


def test_a_file_that_is_not_read(make_collection, tmp_path):
    (tmp_path / "bad.pdf").write_bytes(b"no PDF at all")
    with pytest.raises(ReadError):
        make_collection().preview(tmp_path / "bad.pdf")


@pytest.mark.parametrize(
    "words", [("preview", "page.md"), ("ingest", "page.md", "--dry-run")], ids=["preview", "dry run"]
)
def test_a_collection_is_opened_once(cli, tmp_path, monkeypatch, words):
    (tmp_path / "page.md").write_text("Crane four lifts twelve tons.")
    assert cli("ingest", "page.md", "--model", "hashing").code == 0
    opened, original = [], collection.open_handle
    monkeypatch.setattr(collection, "open_handle", lambda *given: opened.append(given) or original(*given))
    assert cli(*words).code == 0
    assert len(opened) == 1


def test_a_preview_by_flags_makes_no_collection(cli, tmp_path, monkeypatch):
    (tmp_path / "page.md").write_text("Crane four lifts twelve tons.")
    monkeypatch.setattr(collection, "open_handle", lambda *_: pytest.fail("a collection was made"))
    assert cli("preview", "page.md", "--model", "hashing").code == 0
