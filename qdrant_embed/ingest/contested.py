"""A document that another program wrote or removed at the same time, or whose file changed meanwhile."""

from __future__ import annotations

from dataclasses import dataclass

from qdrant_embed.reading.files import SourceFile, as_it_is
from qdrant_embed.store.points import DocumentKey
from qdrant_embed.types import Document


@dataclass(frozen=True, slots=True)
class Contested:
    """A document to be done again.

    :param origin: What it can be had from.
    :param stored: Whether the collection held something of it before.
    :param texts: 1 if it was counted as having a text, 0 otherwise.
    :param chunks: Chunks that were counted.
    :param mixed: Whether the collection holds something else than was written; otherwise its file has changed.
    """

    key: DocumentKey
    origin: SourceFile | Document
    stored: bool
    texts: int
    chunks: int
    mixed: bool


def has_changed(origin: SourceFile | Document) -> bool:
    """Tell whether a file is another one now, or gone."""
    return isinstance(origin, SourceFile) and as_it_is(origin) != origin
