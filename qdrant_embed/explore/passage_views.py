"""Passages as a page is given them: texts with the places of what is marked, never markup."""

from __future__ import annotations

from collections.abc import Sequence

from qdrant_embed.retrieval.hits import Hit, Hits
from qdrant_embed.retrieval.render import marked_spans, shown
from qdrant_embed.types import CharSpan, Json


def _fields(hit: Hit, *names: str) -> dict[str, Json]:
    return {name: getattr(hit, name) for name in names}


def hit_view(hit: Hit, hits: Hits) -> dict[str, Json]:
    """Return a hit with the spans, in UTF-16 units as browsers count, of the question's words in its text."""
    text = shown(hit.passage)
    return {
        **_fields(hit, "id", "score", "place", "source", "root", "chunk_index"),
        "columns": shown(hit.column_names),
        "text": text,
        "marks": in_utf16(text, marked_spans(text, hits.query, hits.language)),
        "why": None if hit.explanation is None else hit.explain().as_dict(),
    }


def chunk_view(hit: Hit, query: str, language: str) -> dict[str, Json]:
    """Return a chunk of a document, with what of its text is marked."""
    text = shown(hit.text)
    return {
        **_fields(hit, "id", "chunk_index", "start", "end", "page"),
        "headings": list(hit.headings),
        "text": text,
        "marks": in_utf16(text, marked_spans(text, query, language) if query else ()),
    }


def row_view(hit: Hit, at: int, most: int = 240) -> dict[str, Json]:
    """Return a chunk as a row of a table.

    :param at: Its number among the points of the map.
    """
    text = " ".join(shown(hit.text).split())
    return {
        "at": at,
        **_fields(hit, "id", "place", "source", "root", "chunk_index"),
        "text": text if len(text) <= most else f"{text[:most].rstrip()} …",
    }


def in_utf16(text: str, spans: Sequence[CharSpan]) -> list[list[int]]:
    """Return spans of characters as spans of UTF-16 units: a browser counts characters beyond U+FFFF as two."""
    if text.isascii():
        return [list(span) for span in spans]
    found, done, shift = [], 0, 0
    for span in spans:
        places = []
        for place in span:
            shift += sum(ord(letter) > 0xFFFF for letter in text[done:place])
            done = place
            places.append(place + shift)
        found.append(places)
    return found
