"""The last stage: blocks into the collection, in the order that makes a crash harmless."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from qdrant_embed.ingest.chunk_stage import DocumentEnd
from qdrant_embed.ingest.context import IngestContext, match_any
from qdrant_embed.ingest.embed_retry import in_halves
from qdrant_embed.ingest.embed_stage import EmbeddedChunk, WriteBatch
from qdrant_embed.ingest.monitoring.report import Tally
from qdrant_embed.native import make_lock
from qdrant_embed.store.copies.aliases import resolve_alias
from qdrant_embed.store.copies.revision import bump_revision
from qdrant_embed.store.points import CHUNK_COUNT, WINDOWS, payload
from qdrant_embed.types import BM25

if TYPE_CHECKING:
    import threading

    from qdrant_client import models

    from qdrant_embed.store.engine import PointId


class Writer:
    """Writes blocks: first the pieces, then the removal of stale points, last the heads that mark completeness."""

    def __init__(self, target: IngestContext, tally: Tally) -> None:
        self._target = target
        self._tally = tally
        self._incomplete: set[str] = set()

    def write(self, block: WriteBatch) -> None:
        """Store a block; returns when the engine has acknowledged every point of it.

        :raises StoreError: Meanwhile the collection is being copied, or a copy has taken its name.
        """
        self._target.write_guard.require()
        with self._tally.busy("write"), _one_at_a_time(self._target):
            heads = {closing.head.id: closing for closing in block.closings if closing.head is not None}
            self._upsert([ready for ready in block.pieces if ready.piece.id not in heads], {})
            self._incomplete |= block.incomplete
            self._close(block)
            self._upsert([ready for ready in block.pieces if ready.piece.id in heads], heads)
            bump_revision(self._target.engine, self._target.name, self._target.codec.compression)

    def _upsert(self, pieces: Sequence[EmbeddedChunk], heads: dict[str, DocumentEnd]) -> None:
        # An unchanged head is written again, by its payload alone: the mark of completeness may have been missing.
        for ready in pieces:
            if ready.unchanged and ready.piece.id in heads:
                self._mark_complete(heads[ready.piece.id])
        changed = [ready for ready in pieces if not ready.unchanged]
        if changed:
            in_halves(changed, lambda part: self._upsert_points(part, heads), self._give_up)

    def _upsert_points(self, pieces: Sequence[EmbeddedChunk], heads: dict[str, DocumentEnd]) -> None:
        points = [self._point(ready, heads.get(ready.piece.id)) for ready in pieces]
        self._target.engine.upsert(self._target.name, points=points, wait=True)

    def _point(self, ready: EmbeddedChunk, closing: DocumentEnd | None) -> models.PointStruct:
        from qdrant_client import models

        piece = ready.piece
        fields = payload(piece.document, piece.chunk, piece.text_hash)
        if closing is not None and piece.document.id not in self._incomplete:
            fields[CHUNK_COUNT] = len(closing.ids)
        if ready.windows:
            fields[WINDOWS] = list(ready.windows)
        indices, values = self._target.bm25.encode_document(piece.chunk.embed_text)
        dense = {} if ready.vector is None else self._target.codec.named(ready.vector)
        # The values were made by us in the right types; validating every float again would cost more than the upsert.
        return models.PointStruct.model_construct(
            id=piece.id,
            vector={
                **dense,
                BM25: models.SparseVector.model_construct(indices=indices, values=values),
                **ready.auxiliary,
            },
            payload=fields,
        )

    def _mark_complete(self, closing: DocumentEnd) -> None:
        if closing.head is not None and closing.document.id not in self._incomplete:
            marks = {CHUNK_COUNT: len(closing.ids)}
            self._target.engine.set_payload(self._target.name, payload=marks, points=[closing.head.id])

    def _give_up(self, ready: EmbeddedChunk, error: Exception) -> None:
        piece = ready.piece
        self._incomplete.add(piece.document.id)
        where = f"characters {piece.chunk.start}-{piece.chunk.end}"
        self._tally.fail(piece.document.source, f"{where} could not be stored: {type(error).__name__}: {error}")
        self._tally.add(chunks=-1)

    def _close(self, block: WriteBatch) -> None:
        """Remove what is no part of the documents that are whole now: of an earlier state, or another ingest's.

        A document that another ingest has written in the meantime has lost chunks, and is left to be written again.
        """
        closings = {closing.document.id: closing for closing in block.closings}
        there: dict[str, dict[str, PointId]] = {document: {} for document in closings}
        for record in self._target.scroll(_points_of(closings), ["document_id"]) if closings else ():
            there[str((record.payload or {})["document_id"])][str(record.id)] = record.id
        heads = {ready.piece.id for ready in block.pieces if not ready.unchanged}
        stale: list[PointId] = []
        for document, closing in closings.items():
            if document in self._incomplete:
                continue  # what was there before is better than gaps
            if closing.ids - there[document].keys() - heads:
                self._incomplete.add(document)
                reason = "another ingest wrote this document at the same time; ingest it again"
                self._tally.fail(closing.document.source, reason)
            stale += [point for name, point in there[document].items() if name not in closing.ids]
        self._tally.add(deleted=self._target.delete_ids(stale))


def _points_of(document_ids: Iterable[str]) -> models.Filter:
    """Return the filter for the points of some documents."""
    from qdrant_client import models

    return models.Filter(must=[match_any("document_id", document_ids)])


_locks: dict[object, threading.Lock] = {}
"""By collection: held while a block is written, so that two ingests of one process never mix within a document."""


def _one_at_a_time(target: IngestContext) -> threading.Lock:
    engine = target.engine
    place = getattr(engine, "path", None) or id(getattr(engine, "client", engine))
    return _locks.setdefault((str(place), resolve_alias(engine, target.name)), make_lock())
