"""Hits as LlamaIndex nodes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from llama_index.core.schema import NodeRelationship, ObjectType, RelatedNodeInfo, TextNode

from qdrant_embed import Hit

EMBEDDED_KEYS = frozenset({"headings", "columns"})
"""Metadata that was embedded with the text, and so belongs to what an embedder or a reranker sees of the node."""
LLM_HIDDEN_KEYS = ("file_name", "file_path", "file_type")
"""Repeat `source` and its type under the names that other readers use; an LLM need not read them twice."""


def to_node(hit: Hit, around: Iterable[Hit]) -> TextNode:
    """Return a hit as a node; `node.text` is `document_text[node.start_char_idx:node.end_char_idx]`.

    Where each window of a long text has a vector, that is the nearest window: a prompt has no room for a book.

    :param around: Chunks of the same document, of which those next to the hit become PREVIOUS and NEXT.
    """
    metadata = node_metadata(hit)
    start, end = hit.window or (hit.start, hit.end)
    return TextNode(
        id_=hit.id,
        text=hit.passage,
        mimetype=hit.text_type or "text/plain",
        start_char_idx=start,
        end_char_idx=end,
        metadata=metadata,
        excluded_embed_metadata_keys=[key for key in metadata if key not in EMBEDDED_KEYS],
        excluded_llm_metadata_keys=_hidden(hit, metadata),
        relationships=_relationships(hit, around),
    )


def node_metadata(hit: Hit) -> dict[str, Any]:
    """Return the user's metadata and, under LlamaIndex's names, where the passage stands.

    `source`, `root`, `title`, `page_label`, `headings` and `columns` (the row of names of a table that the passage is a
    later part of) go before the user's fields of these names; the user's own `file_name`, `file_path` and `file_type`
    before ours: the last part of the source, the source, and its media type.
    """
    usual = {"file_name": hit.source.rsplit("/", 1)[-1], "file_path": hit.source, "file_type": hit.media_type}
    place = {
        "source": hit.source,
        "root": hit.root,
        "title": hit.title,
        "page_label": "" if hit.page is None else str(hit.page),
        "headings": " › ".join(hit.headings),
        "columns": hit.column_names,
    }
    own = {key: value for key, value in hit.metadata.items() if key not in usual or value is not None}
    return {**_stated(usual), **own, **_stated(place)}


def _stated(values: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in values.items() if value}


def _hidden(hit: Hit, metadata: Mapping[str, Any]) -> list[str]:
    """Return what an LLM need not read, since it reads the same elsewhere: as a heading, or in the text itself."""
    first = hit.passage.lstrip().partition("\n")[0].strip("#= ").strip()
    above = [heading for heading in hit.headings if heading != first]
    hidden = [key for key in LLM_HIDDEN_KEYS if key in metadata]
    hidden += ["headings"] if hit.headings and not above else []
    return [*hidden, *(["title"] if hit.title and hit.title in (*hit.headings, first) else [])]


def _relationships(hit: Hit, around: Iterable[Hit]) -> dict[NodeRelationship, RelatedNodeInfo]:
    document = RelatedNodeInfo(
        node_id=hit.document_id, node_type=ObjectType.DOCUMENT, metadata={**hit.metadata, "source": hit.source}
    )
    related = {NodeRelationship.SOURCE: document}
    relations = {hit.chunk_index - 1: NodeRelationship.PREVIOUS, hit.chunk_index + 1: NodeRelationship.NEXT}
    for neighbor in around:
        if neighbor.chunk_index in relations:
            info = RelatedNodeInfo(node_id=neighbor.id, node_type=ObjectType.TEXT)
            related[relations[neighbor.chunk_index]] = info
    return related
