"""What is stored beside a chunk so that stores of other packages find it where they look."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from qdrant_embed.recipe import LANGCHAIN, LLAMA_INDEX
from qdrant_embed.types import Document, Json

_SOURCE, _DOCUMENT = "1", "4"
"""LlamaIndex's words for the relationship of a node to its document, and for what that is."""


def as_profiled(document: Document, profile: str) -> Document:
    """Return a document with what a profile wants among its metadata: LangChain's `source`."""
    if profile != LANGCHAIN or "source" in document.metadata:
        return document
    return replace(document, metadata={**document.metadata, "source": document.source})


def profile_fields(profile: str, point_id: str, fields: Mapping[str, Any]) -> dict[str, Json]:
    """Return the payload fields that a profile adds to those of a chunk; none for `plain`."""
    add = _ADDED.get(profile)
    return {} if add is None else add(point_id, fields)


def _llama_index(point_id: str, fields: Mapping[str, Any]) -> dict[str, Json]:
    """Return what `llama_index.vector_stores.qdrant.QdrantVectorStore` makes a node of."""
    place = {"source": fields["source"], "title": fields["title"], "page_label": fields.get("page")}
    document = str(fields["document_id"])
    node = {
        "id_": point_id,
        "text": fields["text"],
        "start_char_idx": fields["start"],
        "end_char_idx": fields["end"],
        "metadata": {**fields.get("metadata", {}), **{key: value for key, value in place.items() if value}},
        "relationships": {_SOURCE: {"node_id": document, "node_type": _DOCUMENT, "class_name": "RelatedNodeInfo"}},
        "class_name": "TextNode",
    }
    content = json.dumps(node, ensure_ascii=False)
    return {"_node_content": content, "_node_type": "TextNode", "doc_id": document, "ref_doc_id": document}


def _langchain(_: str, fields: Mapping[str, Any]) -> dict[str, Json]:
    """Return what `langchain_qdrant.QdrantVectorStore` makes a document of, beside `metadata`."""
    return {"page_content": fields["text"]}


_ADDED: Mapping[str, Callable[[str, Mapping[str, Any]], dict[str, Json]]] = {
    LLAMA_INDEX: _llama_index,
    LANGCHAIN: _langchain,
}
