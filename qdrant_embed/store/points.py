"""Chunks as points: deterministic ids, the payload, and the way back."""

from __future__ import annotations

import hashlib
import json
import math
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from qdrant_embed.errors import StoreError
from qdrant_embed.store.payload_values import json_payload
from qdrant_embed.types import Chunk, Document, FloatArray, Json, SparseVector

if TYPE_CHECKING:
    from qdrant_client import models

    from qdrant_embed.store.methods.client_methods import PointId

NAMESPACE = uuid.UUID("5b3c5f0e-6d6c-5c5e-9a53-1f0d8b8a4e51")
"""Namespace of every id this library makes; changing it would make every stored point a stranger."""

WINDOWS = "windows"
"""Where the windows stand that have vectors of their own: start, end, start, end, … in what was embedded, context
included; left out where there is one."""

CHUNK_COUNT = "chunk_count"
"""Number of a document's chunks, on the first one only; the others are stored before it."""

ADDED_METADATA = "metadata_added"
"""Which of the metadata a payload profile put there for a store of another package; the document does not have them."""

VERSION = "document_version"
"""On every chunk: which version of its document it is of. A document is whole where all its points are of one version,
and as many as the first one says."""


CHUNK_FIELDS: Mapping[str, type] = {
    "text": str, "source": str, "document_id": str, "text_hash": str, "chunk_index": int, "start": int, "end": int,
}  # fmt: skip
"""What every chunk has, and no hit can do without."""


def is_chunk(payload: Mapping[str, Any]) -> bool:
    """Tell whether a payload, read as a whole, is a chunk's, and not of a point that another program wrote."""
    return all(isinstance(payload.get(name), kind) for name, kind in CHUNK_FIELDS.items())


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


def id_in_copy(record: models.Record, written_by: str, fingerprint: str) -> PointId:
    """Return the id that a point of a collection has in a copy by another recipe, or the other way round.

    What another program wrote keeps its own.

    :param written_by: Fingerprint of the recipe of the collection that the point stands in.
    :param fingerprint: That of the other one.
    """
    fields = dict(record.payload or {})
    own = is_chunk(fields) and id_of_payload(fields, written_by) == str(record.id)
    return id_of_payload(fields, fingerprint) if own else record.id


def version_of(fields: Mapping[str, Json]) -> str:
    """Return the id of a version of a document: the same for the same fields, by whichever program.

    :param fields: What all its chunks share, the version itself left out.
    """
    told = json.dumps({name: value for name, value in fields.items() if name != VERSION}, sort_keys=True)
    return str(uuid.uuid5(NAMESPACE, f"version\x1f{told}"))


@dataclass(frozen=True, slots=True)
class DocumentKey:
    """Which document a chunk belongs to, with the fields that all its chunks share."""

    id: str
    root: str
    source: str
    payload: Mapping[str, Json]

    @classmethod
    def of(cls, document: Document, root: str) -> DocumentKey:
        """Describe a document ingested under `root`.

        :raises StoreError: A value of its metadata cannot be stored; see `store.payload_values`.
        """
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
            shared["metadata"] = document.metadata
        payload = json_payload(shared)
        return cls(key, root, document.source, {**payload, VERSION: version_of(payload)})

    @property
    def version(self) -> str:
        """Which version of the document this is."""
        return str(self.payload[VERSION])


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


def own_metadata(fields: Mapping[str, Any]) -> dict[str, Json]:
    """Return the metadata of a chunk's document, without what was added for the stores of other packages."""
    metadata, added = fields.get("metadata") or {}, fields.get(ADDED_METADATA)
    return {key: value for key, value in metadata.items() if key not in added} if added else metadata


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


def finite(vector: Any) -> Any:
    """Return a vector as it came, if its numbers are finite and its length is.

    :param vector: Dense, sparse, or several dense ones; whatever else it may be is the engine's to judge.
    :raises StoreError: It holds NaN or infinity, or numbers so large that its length, and every score, overflows.
    """
    numbers = getattr(vector, "values", vector)
    if not isinstance(numbers, (np.ndarray, list, tuple)) or not len(numbers):
        return vector
    try:
        with np.errstate(over="ignore"):
            flat = np.asarray(numbers, np.float32).ravel()
    except (TypeError, ValueError):  # several vectors of different lengths, or no numbers
        for part in numbers if isinstance(numbers[0], (np.ndarray, list, tuple)) else ():
            finite(part)
        return vector
    if math.isfinite(np.vdot(flat, flat)):
        return vector
    large = np.isfinite(flat).all()
    what = "numbers so large that its length overflows" if large else "NaN or infinity"
    raise StoreError(
        f"a vector holds {what}, so nothing can be compared with it. Give finite float32 numbers, of unit length best."
    )


def checked_payload(point: models.PointStruct) -> dict[str, Json] | None:
    """Return a point's payload in its JSON form, its vectors made sure to be finite.

    :raises StoreError: The point cannot be stored.
    """
    vectors = point.vector.values() if isinstance(point.vector, Mapping) else [point.vector]
    try:
        for vector in vectors:
            finite(vector)
        return None if point.payload is None else json_payload(point.payload)
    except StoreError as error:
        raise StoreError(f"the point {point.id!r} cannot be stored: {error}") from None


def require_finite(asked: Any) -> None:
    """Refuse a query, or whatever holds some, if a vector in it is not finite; filters are passed over.

    :raises StoreError: One is not.
    """
    from pydantic import BaseModel
    from qdrant_client import models

    if isinstance(asked, models.Filter):
        return
    if isinstance(asked, BaseModel) and not isinstance(asked, models.SparseVector):
        for name in type(asked).model_fields:
            require_finite(getattr(asked, name, None))
    elif isinstance(asked, (list, tuple)) and asked and isinstance(asked[0], BaseModel):
        for part in asked:
            require_finite(part)
    else:
        finite(asked)


def engine_vector(vector: SparseVector | FloatArray) -> Any:
    """Return a vector in the form in which engines store it, and are asked by it."""
    from qdrant_client import models

    if isinstance(vector, SparseVector):
        return models.SparseVector.model_construct(indices=vector.indices.tolist(), values=vector.values.tolist())
    return np.asarray(vector, np.float32)
