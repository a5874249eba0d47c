"""The last stage: batches into the collection, and a look whether they are there as they were written.

Other programs may write the same documents at the same time: a second ingest, a deletion, one that was killed and left
half of something. No lock keeps them apart, since none could be trusted (programs stop for minutes, or for good, and
clocks differ), and no engine has to offer more than reads and writes. Instead every program holds to one rule: **after
the last thing that it wrote of a document, it looks whether the document is whole**, that is: all points are of one
version (`store.points.VERSION`) and as many as there should be; and whether the file is still the one that was read.
Where that is not so, it does the document again (`contested`), from the file as it is then. So:

- Whichever program writes last finds the document whole afterwards, or goes on: when all have ended, each document has
  the chunks of one version.
- Which one is the file's affair: the later version is the one that the file has, without anybody's clock or counter. Of
  two texts that programs hand over for one source, the one that is completed last stays.
- Programs that have read the same file write the same points under the same ids, and remove the same others: they
  cannot disturb each other, and the going on ends.
- A program that was killed leaves a document that is not whole. The next run sees that by two requests for 64
  documents, since versions are counted by an index, and does the document again.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qdrant_client import models

from qdrant_embed.ingest.chunk_stage import DocumentEnd, fail_chunk
from qdrant_embed.ingest.contested import Contested, has_changed
from qdrant_embed.ingest.context import IngestContext, matching
from qdrant_embed.ingest.embed_retry import in_halves
from qdrant_embed.ingest.embed_stage import EmbeddedChunk, WriteBatch
from qdrant_embed.ingest.monitoring.report import Tally
from qdrant_embed.stock_client.payload_profiles import profile_fields
from qdrant_embed.store.copies.revision import bump_revision
from qdrant_embed.store.points import CHUNK_COUNT, VERSION, WINDOWS, payload
from qdrant_embed.types import BM25, TERMS

if TYPE_CHECKING:
    from qdrant_embed.store.methods.client_methods import PointId


class Writer:
    """Writes batches: first the chunks, a document's first one last, then what is stale goes.

    :ivar contested: Documents that are not as they were written, or whose file is another by now.
    :ivar wrote: Whether there was anything to write.
    """

    def __init__(self, target: IngestContext, tally: Tally) -> None:
        self._target = target
        self._tally = tally
        self._incomplete: set[str] = set()
        self.contested: list[Contested] = []
        self.wrote = False

    def write(self, batch: WriteBatch) -> None:
        """Store a batch; returns when the engine has acknowledged every point of it.

        :raises StoreError: Meanwhile the collection is being copied, or a copy has taken its name.
        """
        self._target.write_guard.require()
        self.wrote = True
        with self._tally.busy("write"):
            heads = {end.head.id: end for end in batch.ends if end.head is not None}
            self._incomplete |= batch.incomplete
            self._upsert(sorted(batch.chunks, key=lambda chunk: chunk.task.id in heads), heads)
            self._close(batch.ends)
            bump_revision(self._target.engine, self._target.name, self._target.codec.compression)

    def _upsert(self, chunks: Sequence[EmbeddedChunk], heads: dict[str, DocumentEnd]) -> None:
        # An unchanged head is written again, by its payload alone: the number of chunks may have been missing.
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
        fields |= profile_fields(self._target.payload_profile, task.id, fields)
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
            # By a filter: a point that another program removed is no error.
            head = models.Filter(must=[models.HasIdCondition(has_id=[end.head.id])])
            self._target.engine.set_payload(self._target.name, payload={CHUNK_COUNT: len(end.ids)}, points=head)

    def _give_up(self, chunk: EmbeddedChunk, error: Exception) -> None:
        self._incomplete.add(chunk.task.document.id)
        fail_chunk(self._tally, chunk.task, "stored", error)

    def _close(self, ends: Sequence[DocumentEnd]) -> None:
        """Remove what is no part of the documents that are whole now, and find those that others write, too."""
        # What was there is better than gaps where a chunk is lacking.
        closed = {end.document.id: end for end in ends if end.document.id not in self._incomplete}
        stale, lacking = self._look_at(closed)
        if stale:
            self._tally.add(deleted=self._target.delete_ids([point for points in stale.values() for point in points]))
            stale, lacking = self._look_at(closed)
        for document, end in closed.items():
            mixed = document in stale or document in lacking
            if mixed or has_changed(end.origin):
                chunks, texts = len(end.ids), int(end.head is not None)
                self.contested.append(
                    Contested(end.document, end.origin, stored=end.stored, texts=texts, chunks=chunks, mixed=mixed)
                )

    def _look_at(self, ends: Mapping[str, DocumentEnd]) -> tuple[dict[str, list[PointId]], set[str]]:
        """Return the points of documents that are none of theirs, and the documents that lack some."""
        stale: defaultdict[str, list[PointId]] = defaultdict(list)
        there: Counter[str] = Counter()
        for record in self._target.scroll(matching(document_id=ends), ["document_id", VERSION]) if ends else ():
            fields = record.payload or {}
            end = ends[str(fields["document_id"])]
            if str(record.id) not in end.ids:
                stale[end.document.id].append(record.id)
            elif fields.get(VERSION) == end.document.version:
                there[end.document.id] += 1
        return dict(stale), {document for document, end in ends.items() if there[document] != len(end.ids)}
