import pytest
from qdrant_client import models

from qdrant_embed import Document
from qdrant_embed.errors import ConfigurationError, UnknownNameError
from qdrant_embed.retrieval import DocumentsWanted
from qdrant_embed.store.points import CHUNK_COUNT

pytestmark = pytest.mark.anywhere

LONG = "\n\n".join(f"Rope {number} lies at pier {number % 9}." for number in range(1500))


@pytest.fixture
def docs(collection):
    """Return a collection of three small documents in two roots, and a long one."""
    collection.ingest([Document(text="Cod.", source=name, title=name.upper()) for name in ("b.md", "a/c.md")], root="x")
    collection.ingest([Document(text="Cod.", source="b.md"), Document(text=LONG, source="long.txt")], root="y")
    return collection


def listed(docs, **wanted):
    page = docs.parts.browser.document_page(DocumentsWanted(**wanted))
    return [(one.root, one.source) for one in page.documents], page.total, page.after


def test_pages_follow_each_other_whatever_comes_and_goes(docs):
    every = [(one.root, one.source) for one in docs.documents()]
    assert listed(docs) == (every, 4, None)
    shown, total, after = listed(docs, limit=2)
    assert (shown, total, after) == (every[:2], 4, ("x", "b.md"))
    docs.delete("b.md", root="x")
    docs.ingest([Document(text="Tides.", source="0.md")], root="x")
    assert listed(docs, limit=2, after=after) == (every[2:], 4, None)


def test_a_page_is_of_a_pattern_or_of_parts_of_names(docs):
    assert listed(docs, pattern="a/*")[0] == [("x", "a/c.md")]
    assert listed(docs, pattern="*.md", limit=1)[1:] == (3, ("x", "a/c.md"))
    assert listed(docs, words=("X", "C.MD"))[0] == [("x", "a/c.md")]
    assert listed(docs, words=("nothing",)) == ([], 0, None)


def spied(docs, monkeypatch):
    """Return how many points were read with their texts since."""
    read, scroll = [], docs.engine.scroll

    def watched(*given, with_payload=True, **named):
        found = scroll(*given, with_payload=with_payload, **named)
        if with_payload is True:
            read.extend(found[0])
        return found

    monkeypatch.setattr(docs.engine, "scroll", watched)
    return read


@pytest.mark.parametrize("start", [0, 9_000, len(LONG) - 40, len(LONG) + 5])
def test_of_a_long_document_the_chunks_around_are_read(docs, monkeypatch, start):
    chunks = docs.chunks("long.txt")
    assert len(chunks) > 500
    read = spied(docs, monkeypatch)
    span = docs.parts.browser.span("long.txt", None, start, start + 100)
    assert [hit.id for hit in span.chunks] == [hit.id for hit in chunks if hit.end > start and hit.start < start + 100]
    assert (span.length, span.root, span.source) == (chunks[-1].end, "y", "long.txt")
    assert len(read) <= 256


def test_a_document_whose_ingest_was_cut_off_is_read_as_far_as_it_is_there(docs):
    first = docs.chunks("long.txt")[0]
    docs.engine.set_payload(docs.name, payload={CHUNK_COUNT: 0}, points=[first.id])
    last = docs.chunks("long.txt")[-1]
    docs.engine.delete(docs.name, models.PointIdsList(points=[last.id]))
    span = docs.parts.browser.span("long.txt", None, last.start - 30, last.end)
    assert span.chunks
    assert span.length == span.chunks[-1].end < last.end


def test_of_what_is_not_there_the_nearest_names_are_told(docs):
    with pytest.raises(UnknownNameError, match=r"Did you mean 'long\.txt'"):
        docs.parts.browser.span("lonk.txt", None, 0, 10)
    with pytest.raises(ConfigurationError, match=r"several folders hold 'b\.md'; give root= with one of: 'x', 'y'"):
        docs.parts.browser.span("b.md", None, 0, 10)
    assert docs.parts.browser.span("b.md", "y", 0, 10).root == "y"
    with pytest.raises(UnknownNameError, match=r"root of 'b\.md'.*x, y"):
        docs.parts.browser.span("b.md", "z", 0, 10)
