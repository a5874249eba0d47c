"""The last stage: batches into the collection, in the order that makes a crash harmless."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from qdrant_client import models

from qdrant_embed.ingest.chunk_stage import DocumentEnd, fail_chunk
from qdrant_embed.ingest.context import IngestContext, matching
from qdrant_embed.ingest.embed_retry import in_halves
from qdrant_embed.ingest.embed_stage import EmbeddedChunk, WriteBatch
from qdrant_embed.ingest.monitoring.report import Tally
from qdrant_embed.native import make_lock
from qdrant_embed.store.copies.aliases import resolve_alias
from qdrant_embed.store.copies.revision import bump_revision
from qdrant_embed.store.points import CHUNK_COUNT, WINDOWS, payload
from qdrant_embed.types import BM25, TERMS

if TYPE_CHECKING:
    import threading

    from qdrant_embed.store.engine import PointId


class Writer:
    """Writes batches: first the chunks, then the removal of stale points, last the heads that mark completeness."""

    def __init__(self, target: IngestContext, tally: Tally) -> None:
        self._target = target
        self._tally = tally
        self._incomplete: set[str] = set()

    def write(self, batch: WriteBatch) -> None:
        """Store a batch; returns when the engine has acknowledged every point of it.

        :raises StoreError: Meanwhile the collection is being copied, or a copy has taken its name.
        """
        self._target.write_guard.require()
        with self._tally.busy("write"), _one_at_a_time(self._target):
            heads = {end.head.id: end for end in batch.ends if end.head is not None}
            self._upsert([chunk for chunk in batch.chunks if chunk.task.id not in heads], {})
            self._incomplete |= batch.incomplete
            self._close(batch)
            self._upsert([chunk for chunk in batch.chunks if chunk.task.id in heads], heads)
            bump_revision(self._target.engine, self._target.name, self._target.codec.compression)

    def _upsert(self, chunks: Sequence[EmbeddedChunk], heads: dict[str, DocumentEnd]) -> None:
        # An unchanged head is written again, by its payload alone: the mark of completeness may have been missing.
        for chunk in chunks:
            if chunk.vectors is None and chunk.task.id in heads:
                self._mark_complete(heads[chunk.task.id])
        changed = [chunk for chunk in chunks if chunk.vectors is not None]
        if changed:
            in_halves(changed, lambda part: self._upsert_points(part, heads), self._give_up)

    def _upsert_points(self, chunks: Sequence[EmbeddedChunk], heads: dict[str, DocumentEnd]) -> None:
        points = [self._point(chunk, heads.get(chunk.task.id)) for chunk in chunks]
        self._target.engine.upsert(self._target.name, points=points, wait=True)

    def _point(self, chunk: EmbeddedChunk, end: DocumentEnd | None) -> models.PointStruct:
        task, made = chunk.task, chunk.vectors
        fields = payload(task.document, task.chunk, task.text_hash)
        if end is not None and task.document.id not in self._incomplete:
            fields[CHUNK_COUNT] = len(end.ids)
        if made is not None and made.windows:
            fields[WINDOWS] = list(made.windows)
        dense = {} if made is None else self._target.codec.named(made.vector)
        words: dict[str, Any] = {}
        if self._target.bm25_vectors:
            indices, values = self._target.bm25.encode_document(task.chunk.embed_text)
            words[BM25] = models.SparseVector.model_construct(indices=indices, values=values)
        else:
            fields[TERMS] = " ".join(self._target.bm25.document_terms(task.chunk.embed_text))
        # The values were made by us in the right types; validating every float again would cost more than the upsert.
        return models.PointStruct.model_construct(
            id=task.id,
            vector={**dense, **words, **chunk.auxiliary},
            payload=fields,
        )

    def _mark_complete(self, end: DocumentEnd) -> None:
        if end.head is not None and end.document.id not in self._incomplete:
            marks = {CHUNK_COUNT: len(end.ids)}
            self._target.engine.set_payload(self._target.name, payload=marks, points=[end.head.id])

    def _give_up(self, chunk: EmbeddedChunk, error: Exception) -> None:
        self._incomplete.add(chunk.task.document.id)
        fail_chunk(self._tally, chunk.task, "stored", error)

    def _close(self, batch: WriteBatch) -> None:
        """Remove what is no part of the documents that are whole now: of an earlier state, or another ingest's.

        A document that another ingest has written in the meantime has lost chunks, and is left to be written again.
        """
        ends = {end.document.id: end for end in batch.ends}
        fresh = {chunk.task.id for chunk in batch.chunks if chunk.vectors is not None}
        lacking = {document: len(end.ids) - len(end.ids & fresh) for document, end in ends.items()}
        stale: list[PointId] = []
        for record in self._target.scroll(matching(document_id=ends), ["document_id"]) if ends else ():
            document, name = str((record.payload or {})["document_id"]), str(record.id)
            if name not in ends[document].ids:
                stale += [record.id] * (document not in self._incomplete)  # else what was there is better than gaps
            elif name not in fresh:
                lacking[document] -= 1
        for document, end in ends.items():
            if lacking[document] and document not in self._incomplete:
                self._incomplete.add(document)
                reason = "another ingest wrote this document at the same time; ingest it again"
                self._tally.fail(end.document.source, reason)
        self._tally.add(deleted=self._target.delete_ids(stale))


_locks: dict[object, threading.Lock] = {}
"""By collection: held while a batch is written, so that two ingests of one process never mix within a document."""


def _one_at_a_time(target: IngestContext) -> threading.Lock:
    engine = target.engine
    return _locks.setdefault((engine.identity, resolve_alias(engine, target.name)), make_lock())
