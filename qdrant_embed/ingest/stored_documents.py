"""What the collection already knows of a batch of documents; the state lives in the points, nowhere else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qdrant_embed.ingest.context import IngestContext, matching
from qdrant_embed.store.points import CHUNK_COUNT, DocumentKey
from qdrant_embed.types import Json

HEAD_FIELDS = (
    "source", "root", "document_id", "document_hash", "title", "media_type", "text_type", "size", "modified",
    "metadata", CHUNK_COUNT,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class DocumentState:
    """A document as the collection has it.

    :param head: Document-level payload of its first chunk; empty while the document is incomplete.
    :param points: How many points it has.
    """

    head: Mapping[str, Json]
    points: int = 0

    @property
    def complete(self) -> bool:
        """Tell whether all chunks of the document arrived the last time, and no others.

        Two programs that write a document at once may leave the chunks of both.
        """
        return 0 < self.chunk_count == self.points

    @property
    def chunk_count(self) -> int:
        """Number of chunks of a complete document, 0 while it is incomplete."""
        return int(self.head.get(CHUNK_COUNT, 0))

    def same_file(self, size: int, modified: str) -> bool:
        """Tell whether a file of this size and time need not be read again."""
        return self.complete and self.head.get("size") == size and self.head.get("modified") == modified

    def same_but_time(self, key: DocumentKey) -> bool:
        """Tell whether everything but the time of change is as stored."""
        stored = {name: value for name, value in self.head.items() if name not in (CHUNK_COUNT, "modified")}
        given = {name: value for name, value in key.payload.items() if name != "modified"}
        return self.complete and stored == given


def look_up(target: IngestContext, document_ids: Sequence[str]) -> dict[str, DocumentState]:
    """Return the documents of which the collection holds at least one point.

    A document that was being written when a process died has points but no complete head.
    """
    wanted = matching(document_id=document_ids)
    found: dict[str, DocumentState] = {
        str(hit.value): DocumentState({}, hit.count)
        for hit in target.engine.facet(
            target.name, "document_id", facet_filter=wanted, limit=len(document_ids), exact=True
        ).hits
    }
    if found:
        heads = matching(document_id=found, chunk_index=0)
        for record in target.scroll(heads, HEAD_FIELDS):
            payload: dict[str, Any] = record.payload or {}
            known = found[payload["document_id"]]
            if payload.get(CHUNK_COUNT) or not known.complete:
                found[payload["document_id"]] = DocumentState(payload, known.points)
    return found


def reopen(target: IngestContext, document_id: str) -> None:
    """Take the mark of completeness from a document that is about to change.

    Without this, a process that dies half-way through the change and a file that returns to its old state would
    leave the half-written points behind, taken for complete.
    """
    heads = matching(document_id=document_id, chunk_index=0)
    target.engine.set_payload(target.name, payload={CHUNK_COUNT: 0}, points=heads)
