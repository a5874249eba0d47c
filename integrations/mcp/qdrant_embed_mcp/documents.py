"""Parts of stored documents, by characters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from qdrant_embed import Collection, Hit
from qdrant_embed.display import one_line
from qdrant_embed.errors import UnknownNameError
from qdrant_embed.retrieval import DocumentSpan


def span_of(collection: Collection, source: str, root: str | None, start: int, end: int) -> DocumentSpan:
    """Return the chunks of one document that hold some of its characters, in reading order; no others are read.

    :param source: As stored, or as it is shown where it holds characters that are not shown.
    :raises UnknownNameError: There is no such document.
    :raises ConfigurationError: Several folders have one of this name.
    """
    browser = collection.parts.browser
    try:
        return browser.span(source, root, start, end)
    except UnknownNameError as error:
        meant = {other for other in error.known if other != source and one_line(other) == source}
        if len(meant) != 1:
            raise
        return browser.span(meant.pop(), root, start, end)


def with_places(collection: Collection, hits: Sequence[Hit]) -> list[Hit]:
    """Return hits with their characters in documents whose chunks do not say them: as `span_of` counts them."""
    placed: dict[str, Hit] = {}
    for source in dict.fromkeys(hit.source for hit in hits):
        placed |= {chunk.id: chunk for chunk in collection.chunks(source)}
    return [
        replace(hit, start=placed[hit.id].start, end=placed[hit.id].end) if hit.id in placed else hit for hit in hits
    ]


def text_between(chunks: Sequence[Hit], start: int, end: int) -> str:
    """Return characters `[start, end)` of a document, or those of them that there are.

    White space between chunks is not stored; it becomes as many line breaks, so that characters keep their places.
    """
    pieces, at = [], start
    for chunk in chunks:
        if chunk.end <= at or chunk.start >= end:
            continue
        pieces.append("\n" * (chunk.start - at))
        first = max(at, chunk.start)
        pieces.append(chunk.text[first - chunk.start : end - chunk.start])
        at = min(end, chunk.end)
    return "".join(pieces)
