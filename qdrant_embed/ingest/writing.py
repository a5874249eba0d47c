"""The last stage: blocks into the collection, in the order that makes a crash harmless."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qdrant_embed.ingest.blocks import Block, ReadyPiece
from qdrant_embed.ingest.pieces import Closing
from qdrant_embed.ingest.report import Tally
from qdrant_embed.ingest.retrying import in_halves
from qdrant_embed.ingest.target import Target, match
from qdrant_embed.store.points import CHUNK_COUNT, WINDOWS, payload
from qdrant_embed.store.schema import BM25

if TYPE_CHECKING:
    from qdrant_client import models


class Writer:
    """Writes blocks: first the pieces, then the removal of stale points, last the heads that mark completeness."""

    def __init__(self, target: Target, tally: Tally) -> None:
        self._target = target
        self._tally = tally
        self._incomplete: set[str] = set()

    def write(self, block: Block) -> None:
        """Store a block; returns when the engine has acknowledged every point of it.

        :raises StoreError: Meanwhile the collection is being copied, or a copy has taken its name.
        """
        self._target.steady.require()
        with self._tally.busy("write"):
            heads = {closing.head.id: closing for closing in block.closings if closing.head is not None}
            self._upsert([ready for ready in block.pieces if ready.piece.id not in heads], {})
            for closing in block.closings:
                if closing.stored:
                    self._delete_stale(closing)
            self._incomplete |= block.incomplete
            self._upsert([ready for ready in block.pieces if ready.piece.id in heads], heads)

    def _upsert(self, pieces: Sequence[ReadyPiece], heads: dict[str, Closing]) -> None:
        # An unchanged head is written again, by its payload alone: the mark of completeness may have been missing.
        for ready in pieces:
            if ready.unchanged and ready.piece.id in heads:
                self._mark_complete(heads[ready.piece.id])
        changed = [ready for ready in pieces if not ready.unchanged]
        if changed:
            in_halves(changed, lambda part: self._upsert_points(part, heads), self._give_up)

    def _upsert_points(self, pieces: Sequence[ReadyPiece], heads: dict[str, Closing]) -> None:
        points = [self._point(ready, heads.get(ready.piece.id)) for ready in pieces]
        self._target.engine.upsert(self._target.name, points=points, wait=True)

    def _point(self, ready: ReadyPiece, closing: Closing | None) -> models.PointStruct:
        from qdrant_client import models

        piece = ready.piece
        fields = payload(piece.document, piece.chunk, piece.text_hash)
        if closing is not None and piece.document.id not in self._incomplete:
            fields[CHUNK_COUNT] = len(closing.ids)
        if ready.windows:
            fields[WINDOWS] = list(ready.windows)
        indices, values = self._target.bm25.encode_document(piece.chunk.embed_text)
        dense = {} if ready.vector is None else self._target.coding.named(ready.vector)
        # The values were made by us in the right types; validating every float again would cost more than the upsert.
        return models.PointStruct.model_construct(
            id=piece.id,
            vector={
                **dense,
                BM25: models.SparseVector.model_construct(indices=indices, values=values),
                **ready.beside,
            },
            payload=fields,
        )

    def _mark_complete(self, closing: Closing) -> None:
        if closing.head is not None and closing.document.id not in self._incomplete:
            marks = {CHUNK_COUNT: len(closing.ids)}
            self._target.engine.set_payload(self._target.name, payload=marks, points=[closing.head.id])

    def _give_up(self, ready: ReadyPiece, error: Exception) -> None:
        piece = ready.piece
        self._incomplete.add(piece.document.id)
        where = f"characters {piece.chunk.start}-{piece.chunk.end}"
        self._tally.fail(piece.document.source, f"{where} could not be stored: {type(error).__name__}: {error}")
        self._tally.add(chunks=-1)

    def _delete_stale(self, closing: Closing) -> None:
        """Remove the points of an earlier state of the document; skipped while the new state has gaps."""
        from qdrant_client import models

        if closing.document.id in self._incomplete:
            return
        where = models.Filter(must=[match("document_id", closing.document.id)])
        stale = [str(record.id) for record in self._target.scroll(where, ()) if str(record.id) not in closing.ids]
        self._tally.add(deleted=self._target.delete_ids(stale))
