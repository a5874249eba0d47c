"""The second stage: documents as chunks that know their point ids, each document closed when it is whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from qdrant_embed.chunking import chunk_document
from qdrant_embed.ingest.report import Tally
from qdrant_embed.ingest.sources import Work
from qdrant_embed.ingest.target import Target
from qdrant_embed.store.points import DocumentKey, chunk_id, text_hash
from qdrant_embed.types import Chunk


@dataclass(frozen=True, slots=True)
class Piece:
    """A chunk on its way into the collection.

    :param stored: Whether the collection may hold it already.
    """

    document: DocumentKey
    chunk: Chunk
    id: str
    text_hash: str
    stored: bool


@dataclass(frozen=True, slots=True)
class Closing:
    """Says that all pieces of a document but the first came before this.

    The first chunk comes last because its arrival marks the document complete: a process may die anywhere before it,
    and the next run sees a document that is not there yet.

    :param head: The first chunk; None for a document without text.
    :param ids: Ids of all the document's points; every other point of it is stale.
    """

    document: DocumentKey
    head: Piece | None
    ids: frozenset[str]
    stored: bool


def to_pieces(target: Target, works: Iterable[Work], tally: Tally) -> Iterator[Piece | Closing]:
    """Chunk each document and yield its pieces, the first one last, inside the document's closing."""
    for work in works:
        with tally.busy("chunk"):
            pieces = [_piece(target, work, chunk) for chunk in chunk_document(work.document, target.chunker)]
        tally.add(chunks=len(pieces))
        yield from pieces[1:]
        head = pieces[0] if pieces else None
        yield Closing(work.key, head, frozenset(piece.id for piece in pieces), work.stored)


def _piece(target: Target, work: Work, chunk: Chunk) -> Piece:
    embedded = text_hash(chunk.embed_text)
    return Piece(work.key, chunk, chunk_id(work.key.id, chunk, embedded, target.fingerprint), embedded, work.stored)
