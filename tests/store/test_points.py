import uuid

import pytest

from qdrant_embed.store.points import DocumentKey, chunk_id, chunk_of, document_id, payload, text_hash
from qdrant_embed.types import Chunk, Document

CHUNK = Chunk(text="Turn the key.", start=10, end=23, index=1, headings=("Keys",), context="Keys", page=2)
KEY = DocumentKey.of(Document(text="…", source="a.md", metadata={"author": "Ann"}, size=3), "docs")


def test_ids_are_the_same_on_every_machine():
    assert document_id("docs", "a.md") == "4b8ce698-66f3-511f-bad6-a2ebaf399bd5"
    assert uuid.UUID(document_id("docs", "a.md")).version == 5


@pytest.mark.parametrize("other", [("docs", "b.md"), ("other", "a.md"), ("docs\x1fa", ".md")])
def test_documents_of_other_roots_and_sources_have_other_ids(other):
    assert document_id(*other) != document_id("docs", "a.md")


def test_each_part_of_a_chunk_id_counts():
    base = chunk_id(KEY.id, CHUNK, text_hash("t"), "f")
    moved = Chunk(text=CHUNK.text, start=11, end=24, index=1)
    others = {
        chunk_id("x", CHUNK, text_hash("t"), "f"),
        chunk_id(KEY.id, moved, text_hash("t"), "f"),
        chunk_id(KEY.id, CHUNK, text_hash("u"), "f"),
        chunk_id(KEY.id, CHUNK, text_hash("t"), "g"),
    }
    assert len(others | {base}) == 5


def test_a_chunk_comes_back_from_its_payload():
    assert chunk_of(payload(KEY, CHUNK, text_hash(CHUNK.embed_text))) == CHUNK


def test_the_text_stands_at_the_top_and_metadata_apart():
    fields = payload(KEY, CHUNK, "h")
    assert fields["text"] == "Turn the key."
    assert fields["metadata"] == {"author": "Ann"}
    assert "modified" not in fields
