"""What is stored beside a chunk so that stores of other packages find it where they look."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from qdrant_embed.recipe import LANGCHAIN, LLAMA_INDEX
from qdrant_embed.store.points import ADDED_METADATA
from qdrant_embed.types import Json

if TYPE_CHECKING:
    from qdrant_client import models

    from qdrant_embed.store.methods.client_methods import PointId

NODE = "_node_content"
_SOURCE, _DOCUMENT = "1", "4"
"""LlamaIndex's words for the relationship of a node to its document, and for what that is."""


def profile_indexes(profile: str) -> dict[str, models.PayloadSchemaType]:
    """Return the payload indexes that the other store's own requests need where a server is strict: by documents."""
    from qdrant_client import models

    fields = {LLAMA_INDEX: "doc_id", LANGCHAIN: "metadata.source"}
    return {fields[profile]: models.PayloadSchemaType.KEYWORD} if profile in fields else {}


def renamed(fields: Mapping[str, Any], before: PointId, after: PointId) -> Mapping[str, Any]:
    """Return the payload of a point that gets another id: a node of LlamaIndex that bore the old one bears the new."""
    content = fields.get(NODE) if before != after else None
    if not isinstance(content, str) or str(before) not in content:
        return fields
    node = json.loads(content)
    if not isinstance(node, dict) or node.get("id_") != str(before):
        return fields
    return {**fields, NODE: json.dumps({**node, "id_": str(after)}, ensure_ascii=False)}


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
    return {NODE: content, "_node_type": "TextNode", "doc_id": document, "ref_doc_id": document}


def _langchain(_: str, fields: Mapping[str, Any]) -> dict[str, Json]:
    """Return what `langchain_qdrant.QdrantVectorStore` makes a document of: the text, and a `source` among the rest."""
    metadata = fields.get("metadata", {})
    if "source" in metadata:
        return {"page_content": fields["text"]}
    told = {"metadata": {**metadata, "source": fields["source"]}, ADDED_METADATA: ["source"]}
    return {"page_content": fields["text"], **told}


_ADDED: Mapping[str, Callable[[str, Mapping[str, Any]], dict[str, Json]]] = {
    LLAMA_INDEX: _llama_index,
    LANGCHAIN: _langchain,
}
