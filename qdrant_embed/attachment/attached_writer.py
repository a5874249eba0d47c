"""Documents added to a collection that something else wrote, in its own layout, so that its writer reads them too."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from qdrant_embed.attachment.attached_parts import AttachedParts
from qdrant_embed.attachment.foreign_layout import NODE_CONTENT, ForeignLayout
from qdrant_embed.attachment.payload_view import embedded_with_metadata
from qdrant_embed.chunking import chunk_document
from qdrant_embed.collection_parts import chunker_of
from qdrant_embed.errors import ConfigurationError
from qdrant_embed.ingest.inputs import RefusedItem, Stream, given
from qdrant_embed.ingest.options import IngestOptions
from qdrant_embed.store.payload_values import json_payload
from qdrant_embed.store.points import NAMESPACE, engine_vector
from qdrant_embed.types import SPARSE, Chunk, Document, Json

if TYPE_CHECKING:
    from qdrant_client import models

BATCH = 64
"""Chunks that are embedded and written at once."""


def add(parts: AttachedParts, name: str, what: Any) -> list[str]:
    """Cut documents or texts into chunks, embed them as the stored ones were, and write them; return their ids.

    :raises ConfigurationError: One is no document, the collection was attached without a model, or keeps sparse vectors
        of a model that is not known. What came before it is written.
    """
    _require_sparse(parts, name)
    chunker = chunker_of(parts.recipe, parts.embedder)
    pieces = ((document, chunk) for document in _documents(what) for chunk in chunk_document(document, chunker))
    written: list[str] = []
    while batch := list(islice(pieces, BATCH)):
        points = list(_points(parts, batch))
        parts.attached.upsert(name, points)
        written += [str(point.id) for point in points]
    return written


def _documents(what: Any) -> Iterator[Document]:
    if isinstance(what, str) or (
        isinstance(what, (list, tuple)) and what and all(isinstance(one, str) for one in what)
    ):
        texts = [what] if isinstance(what, str) else what
        yield from (Document(text=text, source="") for text in texts)
        return
    items = given(what, IngestOptions())
    if not isinstance(items, Stream):
        raise ConfigurationError(
            "add(…) takes texts and documents; files are read by an ingest into a collection of yours."
        )
    for item in items:
        if isinstance(item, RefusedItem):
            raise ConfigurationError(f"{item.source}: {item.reason}")
        yield item
    if items.error is not None:
        raise items.error


def _require_sparse(parts: AttachedParts, name: str) -> None:
    layout = parts.layout
    if layout.sparse and SPARSE not in parts.auxiliary and parts.words != "vectors":
        raise ConfigurationError(
            f"points of collection {name!r} also have sparse vectors ({layout.sparse!r}), of a model that is not "
            "known; without them its own program would not find what is added here. Name it: Collection.attach("
            f"{name!r}, recipe=Recipe(model='…', sparse='…'), writable=True)."
        )


def _points(parts: AttachedParts, batch: Iterable[tuple[Document, Chunk]]) -> Iterator[models.PointStruct]:
    from qdrant_client import models

    layout, proof = parts.layout, getattr(parts.embedder, "proof", None)
    pieces = [(_id(layout, document, chunk), document, chunk) for document, chunk in batch]
    payloads = [foreign_payload(layout, *piece) for piece in pieces]
    texts = [chunk.text for _, _, chunk in pieces]
    with_metadata = proof is not None and proof.with_metadata
    embedded = [embedded_with_metadata(*one) for one in zip(payloads, texts, strict=True)] if with_metadata else texts
    rows = parts.embedder.embed_documents(embedded)
    headed = map(embedded_with_metadata, payloads, texts)
    weights = _weights(parts, list(headed) if parts.terms_of == "node" else texts)
    for (point_id, _, _), payload, row, weight in zip(pieces, payloads, rows, weights, strict=True):
        dense = {} if layout.vector is None else {layout.vector: row.tolist()}
        vector: Any = {**dense, layout.sparse: weight} if weight is not None else dense
        yield models.PointStruct(
            id=point_id, payload=payload, vector=vector.get("", vector) if len(vector) == 1 else vector
        )


def _weights(parts: AttachedParts, texts: Sequence[str]) -> list[Any]:
    """Return the sparse vector of each text, as the stored ones are made; None where there are none."""
    from qdrant_client import models

    if not parts.layout.sparse:
        return [None] * len(texts)
    if SPARSE in parts.auxiliary:
        return [engine_vector(vector) for vector in parts.sparse.embed_documents(list(texts))]
    encoded = map(parts.bm25.encode_document, texts)
    return [models.SparseVector(indices=indices, values=values) for indices, values in encoded]


def _id(layout: ForeignLayout, document: Document, chunk: Chunk) -> str | int:
    """Return the id of a chunk: the same for the same text at the same place, so that none is added twice."""
    whole = json.dumps([document.source, dict(document.metadata), chunk.start, chunk.text], sort_keys=True, default=str)
    made = uuid.uuid5(NAMESPACE, f"attached\x1f{whole}")
    return made.int >> 65 if layout.ids == "int" else str(made)


def foreign_payload(layout: ForeignLayout, point_id: object, document: Document, chunk: Chunk) -> dict[str, Json]:
    """Return the payload of a chunk as the other program would have written it."""
    named = str(uuid.uuid5(NAMESPACE, f"attached\x1f{document.source}"))
    places: dict[str, Json] = {
        layout.source or "source": document.source,
        layout.index: chunk.index,
        layout.start: chunk.start,
        layout.page: chunk.page,
        "title": document.title,
    }
    places.pop("", None)
    if layout.in_json:
        places.pop(layout.start, None)
    elif layout.document and layout.document not in (layout.source, *layout.beside):
        places[layout.document] = named
    metadata = {**{key: value for key, value in places.items() if value not in ("", None)}, **document.metadata}
    if layout.in_json:
        return json_payload(_node(str(point_id), named, metadata, document, chunk))
    beside = {"id": str(point_id)} if "id" in layout.beside else {}
    beside |= {layout.document: named} if layout.document in layout.beside else {}
    nested = {layout.metadata: metadata} if layout.metadata else metadata
    return json_payload({**nested, **beside, layout.text: chunk.text})


def _node(point_id: str, named: str, metadata: Mapping[str, Json], document: Document, chunk: Chunk) -> dict[str, Json]:
    """Return the payload of a node of LlamaIndex."""
    known = json_payload(dict(metadata))
    source = {
        "node_id": named,
        "node_type": "4",
        "metadata": known,
        "hash": document.hash,
        "class_name": "RelatedNodeInfo",
    }
    node: dict[str, Json] = {
        "id_": point_id, "embedding": None, "metadata": known, "excluded_embed_metadata_keys": [],
        "excluded_llm_metadata_keys": [], "relationships": {"1": source}, "metadata_template": "{key}: {value}",
        "metadata_separator": "\n", "text": chunk.text, "mimetype": "text/plain", "start_char_idx": chunk.start,
        "end_char_idx": chunk.end, "text_template": "{metadata_str}\n\n{content}", "class_name": "TextNode",
    }  # fmt: skip
    ids = dict.fromkeys(("document_id", "doc_id", "ref_doc_id"), named)
    return {**known, NODE_CONTENT: json.dumps(node, ensure_ascii=False), "_node_type": "TextNode", **ids}
