"""Texts that are chunked in segments: here a segment is small, so that the texts may be."""

from itertools import pairwise

import pytest

from qdrant_embed.chunking import CHUNKERS, ChunkLimit, chunk_document, make_chunker, segments
from qdrant_embed.testing.conformance.chunkers import TEXTS
from qdrant_embed.tokens import WordTokens
from qdrant_embed.types import Document

WORDS = "the gates of the harbour open at six in the morning and close at ten at night when the tide turns. "
LIMIT = ChunkLimit(tokens=40, overlap=8)
SEGMENTED = [name for name in CHUNKERS if name != "document"]


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(segments, "LONGEST", 600)
    monkeypatch.setattr(segments, "VIEW", 700)


def chunks(text, name, parts=None, media_type="text/markdown"):
    chunker = make_chunker(name, WordTokens(), LIMIT)
    return list(chunk_document(Document(text=text, source="a", media_type=media_type), chunker, parts))


@pytest.mark.parametrize("name", SEGMENTED)
@pytest.mark.parametrize("title", [title for title, text in TEXTS.items() if len(text) > 700])
def test_segments_cover_the_text_in_order_within_the_limit(small, name, title):
    text = TEXTS[title]
    found = chunks(text, name)
    place = 0
    for chunk in found:
        assert text[chunk.start : chunk.end] == chunk.text
        assert WordTokens().count(chunk.embed_text) <= LIMIT.tokens
        assert not text[place : chunk.start].strip()
        place = max(place, chunk.end)
    assert not text[place:].strip()
    assert [chunk.index for chunk in found] == list(range(len(found)))
    assert all(one.start < two.start for one, two in pairwise(found))


@pytest.mark.parametrize("name", SEGMENTED)
@pytest.mark.parametrize("size", [1, 97, 5000])
def test_how_the_text_arrives_changes_nothing(small, name, size):
    text = TEXTS["markdown"] * 4 + TEXTS["table"]
    parts = [text[start : start + size] for start in range(0, len(text), size)]
    assert chunks(text[:size], name, parts) == chunks(text, name)


@pytest.mark.parametrize("name", list(CHUNKERS))
def test_a_text_that_fits_one_segment_is_cut_as_ever(small, name):
    text, chunker = TEXTS["prose"][:700], make_chunker(name, WordTokens(), ChunkLimit(tokens=40))
    document = Document(text=text, source="a")
    assert [(chunk.start, chunk.end) for chunk in chunk_document(document, chunker)] == [
        (span.start, span.end) for span in chunker.spans(text)
    ]


def test_sections_tables_and_fences_go_on_in_the_next_segment(small):
    rows = "".join(f"| row {n} | some words |\n" for n in range(60))
    code = "".join(f"# line {n}\n\n" for n in range(120))
    table = f"| model | size |\n|---|---|\n{rows}"
    text = f"# Top\n\n## Inner\n\n{WORDS * 12}\n\n{table}\n\n```sh\n{code}```\n\n# End\n\n{WORDS}\n"
    found = chunks(text, "markdown")
    assert all(chunk.headings == ("Top", "Inner") for chunk in found[:-1]), "comments in code are no headings"
    assert found[-1].headings == ("End",)
    for chunk in found:
        if "| row" in chunk.text:
            assert "| model | size |" in chunk.embed_text
        if chunk.index:
            assert chunk.context.startswith("Top › Inner") or chunk is found[-1]


def test_only_the_first_segment_begins_with_front_matter(small):
    front = "---\ntitle: Harbor\n# comment: none\n---\n"
    text = f"{front}{WORDS * 5}\n\n---\nAn aside: {WORDS * 2}\n\n# Gates\n\n{WORDS * 2}\n\n---\n\n{WORDS}"
    headings = {chunk.headings for chunk in chunks(text, "markdown") if chunk.start < text.index("# Gates")}
    assert headings == {()}
    assert chunks(text, "markdown")[-1].headings == ("Gates",)


def test_a_chunker_that_knows_no_segments_is_given_the_whole_text(small):
    text = TEXTS["prose"]
    parts = [text[start : start + 100] for start in range(0, len(text), 100)]
    (chunk,) = chunk_document(
        Document(text="", source="a"), make_chunker("document", WordTokens(), ChunkLimit(tokens=9)), parts
    )
    assert chunk.text == text
