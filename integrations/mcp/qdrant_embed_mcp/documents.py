"""Parts of stored documents, by characters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from qdrant_embed import Collection, Hit
from qdrant_embed.display import one_line
from qdrant_embed.errors import ConfigurationError, UnknownNameError


def chunks_of(collection: Collection, source: str, root: str | None) -> Sequence[Hit]:
    """Return the chunks of one document, in reading order.

    :param source: As stored, or as it is shown where it holds characters that are not shown.
    :raises UnknownNameError: There is no such document.
    :raises ConfigurationError: Several folders have one of this name.
    """
    try:
        found = collection.chunks(source, root=root)
    except UnknownNameError:
        stored = {document.source for document in collection.documents()}
        meant = [other for other in stored if other != source and one_line(other) == source]
        if len(meant) != 1:
            raise
        found = collection.chunks(meant[0], root=root)
    roots = sorted({hit.root for hit in found})
    if len(roots) > 1:
        raise ConfigurationError(
            f"several folders hold {source!r}; give root= with one of: {', '.join(map(repr, roots))}."
        )
    return found


def with_places(collection: Collection, hits: Sequence[Hit]) -> list[Hit]:
    """Return hits with their characters in documents whose chunks do not say them: as `chunks_of` counts them."""
    placed: dict[str, Hit] = {}
    for source, root in dict.fromkeys((hit.source, hit.root) for hit in hits):
        placed |= {chunk.id: chunk for chunk in chunks_of(collection, source, root or None)}
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
