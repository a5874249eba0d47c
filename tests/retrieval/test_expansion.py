"""Passages joined with the chunks around them: characters keep their places, and what meets becomes one."""

from itertools import pairwise

import pytest

from qdrant_embed import Collection, Document, Recipe
from qdrant_embed.errors import ConfigurationError

SECTIONS = {"Gates": 5, "Cranes": 7, "Tides": 4}
QUESTION = "what is said of cranes in line 3?"


def text_of(number):
    parts = [f"# Handbook {number}"]
    for heading, lines in SECTIONS.items():
        body = (f"Line {line} of the {heading.lower()} of quay {number} is read aloud." for line in range(lines))
        parts.append(f"## {heading}\n\n" + "\n\n\n".join(body))
    return "\n\n".join(parts)


@pytest.fixture(scope="module", params=["folder", "memory"])
def docs(request, tmp_path_factory):
    at = ":memory:" if request.param == "memory" else tmp_path_factory.mktemp("expansion") / "data"
    with Collection.open("books", at=at, recipe=Recipe(model="hashing", chunk_tokens=24)) as made:
        made.ingest([Document(text=text_of(n), source=f"{n}.md", media_type="text/markdown") for n in range(4)])
        made.ingest([Document(text="\n\n".join(f"Plain line {n} of cranes." * 3 for n in range(9)), source="plain")])
        yield made


def flat(text):
    return "".join("\n" if letter.isspace() else letter for letter in text)


def whole(docs, source):
    return text_of(source.removesuffix(".md")) if source != "plain" else docs.chunks("plain")


@pytest.mark.parametrize("expand", [1, 2, 100, "section"])
def test_characters_keep_their_places(docs, expand):
    plain = {hit.id: hit for hit in docs.search(QUESTION, 6, filter={"source": "*.md"})}
    for hit in docs.search(QUESTION, 6, filter={"source": "*.md"}, expand=expand):
        text = whole(docs, hit.source)
        assert flat(text[hit.start : hit.end]) == flat(hit.text)
        own = plain[hit.id]
        assert hit.start <= own.start < own.end <= hit.end
        assert (hit.score, hit.chunk_index) == (own.score, own.chunk_index)


def test_so_many_chunks_are_joined_on_each_side(docs):
    (hit,) = docs.search(QUESTION, 1, expand=1)
    around = docs.neighbors(docs.get(hit.id), 1, 1)
    assert (hit.start, hit.end) == (around[0].start, around[-1].end)
    assert all(chunk.text in hit.text for chunk in around)


def test_a_section_is_what_stands_under_the_same_headings(docs):
    (hit,) = docs.search(QUESTION, 1, filter={"source": "2.md"}, expand="section")
    own = [chunk for chunk in docs.chunks("2.md") if chunk.headings == hit.headings]
    assert len(own) > 1
    assert (hit.start, hit.end) == (own[0].start, own[-1].end)


def test_without_headings_and_pages_a_passage_stays(docs):
    plain = docs.search("plain line 4", 2, filter={"source": "plain"})
    assert docs.search("plain line 4", 2, filter={"source": "plain"}, expand="section") == plain


def test_passages_that_meet_are_one_with_the_better_score(docs):
    apart = docs.search(QUESTION, 20, filter={"source": "1.md"})
    (joined,) = docs.search(QUESTION, 20, filter={"source": "1.md"}, expand=100)
    assert len(apart) > 3
    assert (joined.id, joined.score) == (apart[0].id, apart[0].score)
    chunks = docs.chunks("1.md")
    assert (joined.start, joined.end) == (chunks[0].start, chunks[-1].end)


def test_two_passages_far_apart_stay_two_until_a_third_joins_them(docs):
    chunks = docs.chunks("0.md")
    found = docs.search(QUESTION, len(chunks), filter={"source": "0.md"}, expand=1)
    edges = sorted((hit.start, hit.end) for hit in found)
    assert all(end <= start for (_, end), (start, _) in pairwise(edges))
    assert [hit.score for hit in found] == sorted((hit.score for hit in found), reverse=True)


def test_the_chunks_around_all_hits_are_one_request(docs, monkeypatch):
    engine, asked = docs.engine, []
    scroll = engine.scroll
    monkeypatch.setattr(engine, "scroll", lambda *given, **named: asked.append(1) or scroll(*given, **named))
    hits = docs.search([QUESTION, "which gates are read aloud?"], 5, expand=1, mode="bm25")
    assert len(asked) == 1
    asked.clear()
    assert docs.neighborhoods(hits[0]) == [docs.neighbors(hit) for hit in hits[0]]
    assert len(asked) == 1 + len(hits[0])
    assert docs.neighborhoods([]) == []


@pytest.mark.parametrize("given", [-1, 0.5, True, "chapter", None])
def test_what_says_nothing_is_refused(docs, given):
    with pytest.raises(ConfigurationError, match="whole number of chunks to join on each side"):
        docs.search(QUESTION, expand=given)
