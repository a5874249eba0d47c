"""LlamaIndex's nodes as points."""

from __future__ import annotations

import re
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from llama_index.core.schema import BaseNode, MetadataMode, TextNode
from llama_index.core.vector_stores.utils import metadata_dict_to_node, node_to_metadata_dict
from llama_index.vector_stores.qdrant_embed.node_vectors import NodeVectors
from qdrant_client import models

_NUMBER = re.compile(r"0|[1-9][0-9]{0,19}")
DOCUMENT_KEY, NODE_KEY = "doc_id", "_node_content"


def point_of(node: BaseNode, vectors: NodeVectors) -> models.PointStruct:
    """Return the point of a node: the whole node, its embedding, and the BM25 weights of its words."""
    made = vectors.of_point(node.get_embedding(), node.get_content(metadata_mode=MetadataMode.EMBED))
    payload = node_to_metadata_dict(node, remove_text=False, flat_metadata=False)
    return models.PointStruct(id=point_id(node.node_id), vector=made, payload=payload)


def node_of(point: Any) -> BaseNode:
    """Return the node that a point holds; of one that no LlamaIndex wrote, what stands under `text`, and the rest."""
    fields = dict(point.payload or {})
    if NODE_KEY in fields:
        return metadata_dict_to_node(fields)
    return TextNode(id_=str(point.id), text=str(fields.pop("text", "")), metadata=fields)


def point_id(node_id: str) -> str | int:
    """Return the id of a node's point: its own where that is a UUID, or a number, as other programs have them."""
    if _NUMBER.fullmatch(node_id) and int(node_id) < 2**64:
        return int(node_id)
    try:
        return str(UUID(node_id))
    except ValueError:
        return str(uuid5(NAMESPACE_URL, node_id))


def of_documents(ids: list[str]) -> models.Filter:
    """Return the condition that a node is of one of some documents."""
    return models.Filter(must=[models.FieldCondition(key=DOCUMENT_KEY, match=models.MatchAny(any=ids))])
