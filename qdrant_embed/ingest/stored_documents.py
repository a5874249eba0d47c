"""What the collection already knows of a batch of documents; the state lives in the points, nowhere else."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qdrant_embed.ingest.context import IngestContext, matching
from qdrant_embed.store.points import ADDED_METADATA, CHUNK_COUNT, VERSION, DocumentKey, own_metadata
from qdrant_embed.types import Json

HEAD_FIELDS = (
    "source", "root", "document_id", "document_hash", "title", "media_type", "text_type", "size", "modified",
    "metadata", ADDED_METADATA, CHUNK_COUNT, VERSION,
)  # fmt: skip
_NOT_CONTENT = (CHUNK_COUNT, VERSION, "modified")


@dataclass(frozen=True, slots=True)
class DocumentState:
    """A document as the collection has it.

    :param head: What its first chunk says of it; empty where the document is not whole: all its points are of one
        version, and as many as the first one says. What a killed program left, or two that wrote at once, is not.
    """

    head: Mapping[str, Json]

    @property
    def chunk_count(self) -> int:
        """Number of chunks of a whole document, 0 of others."""
        return int(self.head.get(CHUNK_COUNT, 0))

    @property
    def version(self) -> str:
        """The version of a whole document."""
        return str(self.head.get(VERSION, ""))

    def same_file(self, size: int, modified: str) -> bool:
        """Tell whether a file of this size and time need not be read again."""
        return bool(self.head) and self.head.get("size") == size and self.head.get("modified") == modified

    def same_but_time(self, key: DocumentKey) -> bool:
        """Tell whether everything but the time of change is as stored."""
        stored = {name: value for name, value in self.head.items() if name not in _NOT_CONTENT}
        given = {name: value for name, value in key.payload.items() if name not in _NOT_CONTENT}
        return bool(self.head) and stored == given


def look_up(target: IngestContext, document_ids: Sequence[str]) -> dict[str, DocumentState]:
    """Return the documents of which the collection holds at least one point.

    Two requests where all of them are whole, as they are unless a program was killed or another one is at work.
    """
    wanted = matching(document_id=document_ids)
    # One more than there are documents: so many versions come only where some document has two.
    limit = len(document_ids) + 1
    hits = target.engine.facet(target.name, VERSION, facet_filter=wanted, limit=limit, exact=True).hits
    if not hits:
        return {}
    points = {str(hit.value): hit.count for hit in hits}
    first = matching(document_id=document_ids, chunk_index=0)
    heads = [_as_given(record.payload or {}) for record in target.scroll(first, HEAD_FIELDS)]
    versions = [str(head.get(VERSION)) for head in heads]
    documents = {str(head["document_id"]) for head in heads}
    if len(documents) == len(heads) and sorted(versions) == sorted(points) and all(_whole(points, heads)):
        return {str(head["document_id"]): DocumentState(head) for head in heads}
    return _look_closely(target, document_ids, heads)


def _as_given(fields: Mapping[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in fields.items() if name not in ("metadata", ADDED_METADATA)}
    return {**given, **({"metadata": metadata} if (metadata := own_metadata(fields)) else {})}


def _whole(points: Mapping[str, int], heads: Iterable[Mapping[str, Any]]) -> Iterable[bool]:
    # What an older version of this library stored says no version, and is written once more, vectors and all.
    counts = ((head.get(VERSION), int(head.get(CHUNK_COUNT) or 0)) for head in heads)
    return (version is not None and 0 < count == points.get(str(version)) for version, count in counts)


def _look_closely(
    target: IngestContext, document_ids: Sequence[str], heads: Iterable[Mapping[str, Any]]
) -> dict[str, DocumentState]:
    """Look at each point of documents of which not all are whole."""
    points: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for record in target.scroll(matching(document_id=document_ids), ["document_id", VERSION]):
        fields = record.payload or {}
        points[str(fields["document_id"])][str(fields.get(VERSION))] += 1
    found = {document: DocumentState({}) for document in points}
    for head in heads:
        counts = points[str(head["document_id"])]
        if len(counts) == 1 and all(_whole(counts, [head])):
            found[str(head["document_id"])] = DocumentState(head)
    return found
