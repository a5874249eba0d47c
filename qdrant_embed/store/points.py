"""Chunks as points: deterministic ids, the payload, and the way back."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from qdrant_embed.types import Chunk, Document, Json

NAMESPACE = uuid.UUID("5b3c5f0e-6d6c-5c5e-9a53-1f0d8b8a4e51")
"""Namespace of every id this library makes; changing it would make every stored point a stranger."""

WINDOWS = "windows"
"""Where the windows stand that have vectors of their own: start, end, start, end, … in what was embedded, context
included; left out where there is one."""

CHUNK_COUNT = "chunk_count"
"""Above 0 only on a document's first chunk, and only once all its other chunks are stored: the mark of completeness."""


def document_id(root: str, source: str) -> str:
    """Return the id of a document: the same for the same source under the same root, on every machine."""
    return str(uuid.uuid5(NAMESPACE, f"document\x1f{root}\x1f{source}"))


def text_hash(embed_text: str) -> str:
    """Hash what the model is given into a UUID, the form that Qdrant indexes most compactly."""
    return str(uuid.UUID(bytes=hashlib.blake2b(embed_text.encode(), digest_size=16).digest()))


def chunk_id(document: str, chunk: Chunk, embedded: str, fingerprint: str) -> str:
    """Return the id of a chunk: uuid5 of document id, span, text hash and recipe fingerprint.

    :param embedded: `text_hash` of the chunk's text with its context.
    """
    return str(uuid.uuid5(NAMESPACE, f"{document}\x1f{chunk.start}\x1f{chunk.end}\x1f{embedded}\x1f{fingerprint}"))


def id_of_payload(fields: Mapping[str, Any], fingerprint: str) -> str:
    """Return the id that a stored chunk has by a recipe.

    :param fields: What is stored beside its vectors.
    """
    return chunk_id(fields["document_id"], chunk_of(fields), fields["text_hash"], fingerprint)


@dataclass(frozen=True, slots=True)
class DocumentKey:
    """Which document a chunk belongs to, with the fields that all its chunks share."""

    id: str
    root: str
    source: str
    payload: Mapping[str, Json]

    @classmethod
    def of(cls, document: Document, root: str) -> DocumentKey:
        """Describe a document ingested under `root`."""
        key = document_id(root, document.source)
        shared: dict[str, Json] = {
            "source": document.source,
            "root": root,
            "document_id": key,
            "document_hash": document.hash,
            "title": document.title,
            "media_type": document.media_type,
        }
        if document.text_type != document.media_type:
            shared["text_type"] = document.text_type
        if document.size is not None:
            shared["size"] = document.size
        if document.modified is not None:
            shared["modified"] = document.modified
        if document.metadata:
            shared["metadata"] = dict(document.metadata)
        return cls(key, root, document.source, shared)


def payload(document: DocumentKey, chunk: Chunk, embedded: str) -> dict[str, Json]:
    """Return everything that is stored beside a chunk's vectors; the text stands at the top level."""
    fields: dict[str, Json] = {
        "text": chunk.text,
        **document.payload,
        "chunk_index": chunk.index,
        "start": chunk.start,
        "end": chunk.end,
        "headings": list(chunk.headings),
        "text_hash": embedded,
    }
    if chunk.context:
        fields["context"] = chunk.context
    if chunk.page is not None:
        fields["page"] = chunk.page
    return fields


def chunk_of(fields: Mapping[str, Any]) -> Chunk:
    """Read a chunk back from a payload."""
    return Chunk(
        text=fields["text"],
        start=fields["start"],
        end=fields["end"],
        index=fields["chunk_index"],
        headings=tuple(fields.get("headings", ())),
        context=fields.get("context", ""),
        page=fields.get("page"),
    )
