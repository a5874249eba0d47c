"""Payloads of another program as those of chunks, and the other way round."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from qdrant_embed.attachment.foreign_layout import NODE_CONTENT, NODE_KEYS, ForeignLayout
from qdrant_embed.store.points import text_hash
from qdrant_embed.types import Json

NO_DOCUMENT = "None"
"""What LlamaIndex writes for the document of a node that has none."""


def node_in(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the node that LlamaIndex keeps in a payload; an empty one where it is not to be read."""
    try:
        node = json.loads(payload.get(NODE_CONTENT) or "{}")
    except (TypeError, ValueError, RecursionError):
        return {}
    return node if isinstance(node, dict) else {}


def text_in(layout: ForeignLayout, payload: Mapping[str, Any]) -> str:
    """Return the text of a point; empty where it has none."""
    if not layout.in_json:
        found = payload.get(layout.text)
        return found if isinstance(found, str) else ""
    node = node_in(payload)
    resource = node.get("text_resource")
    found = node.get("text") or (resource.get("text") if isinstance(resource, dict) else None) or payload.get("text")
    return found if isinstance(found, str) else ""


def metadata_in(layout: ForeignLayout, payload: Mapping[str, Any]) -> dict[str, Json]:
    """Return what a point has beside its text, the other program's own keys left out."""
    if layout.metadata:
        nested = payload.get(layout.metadata)
        beside = {key: payload[key] for key in layout.beside if payload.get(key) is not None}
        return {**beside, **nested} if isinstance(nested, dict) else beside
    own = (layout.text, *(NODE_KEYS if layout.in_json else ()))
    return {key: value for key, value in payload.items() if key not in own}


def document_in(layout: ForeignLayout, payload: Mapping[str, Any]) -> Any:
    """Return what tells a point's document from others, as it is stored; None where it has none."""
    key = layout.document or layout.source
    found = payload.get(key) if layout.document in payload else metadata_in(layout, payload).get(key)
    return None if found in (NO_DOCUMENT, "") or isinstance(found, (dict, list)) else found


def own_payload(layout: ForeignLayout, point_id: object, payload: Mapping[str, Any]) -> dict[str, Json]:
    """Return a payload as that of a chunk: what hits, documents and filters here go by."""
    text, metadata = text_in(layout, payload), metadata_in(layout, payload)
    document = document_in(layout, payload)
    source = metadata.get(layout.source) if layout.source else None
    named = str(point_id if document is None else document)
    start = _whole(node_in(payload) if layout.in_json else metadata, layout.start) or 0
    found: dict[str, Json] = {
        "text": text,
        "source": source if isinstance(source, str) and source else named,
        "document_id": named,
        "chunk_index": _whole(metadata, layout.index) or 0,
        "start": start,
        "end": start + len(text),
        "headings": [],
        "text_hash": text_hash(text),
        "metadata": metadata,
    }
    if isinstance(title := metadata.get("title"), str):
        found["title"] = title
    if (page := _whole(metadata, layout.page)) is not None:
        found["page"] = page
    return found


def keys_for(layout: ForeignLayout, wanted: Sequence[str]) -> list[str] | bool:
    """Return the top-level keys that the fields of chunks are made of; True where these are all that there are."""
    simple = {"root", "source", "chunk_index", "document_id", "title", "page"}
    if not simple.issuperset(wanted):
        return True
    stored = [layout.source, layout.document, layout.index, "title", layout.page]
    if layout.metadata:
        return [layout.metadata, *layout.beside, *filter(None, [layout.document])]
    return [key for key in dict.fromkeys(stored) if key]


def embedded_with_metadata(payload: Mapping[str, Any], text: str) -> str:
    """Return what LlamaIndex embeds of a node: its metadata, those left out that are excluded, and its text."""
    node = node_in(payload)
    left_out, metadata = node.get("excluded_embed_metadata_keys"), node.get("metadata")
    left_out = left_out if isinstance(left_out, list) else []
    metadata = metadata if isinstance(metadata, dict) else {}
    line = str(node.get("metadata_template") or "{key}: {value}")
    between = str(node.get("metadata_separator") or node.get("metadata_seperator") or "\n")
    lines = (
        line.replace("{key}", str(key)).replace("{value}", str(value))
        for key, value in metadata.items()
        if key not in left_out
    )
    head = between.join(lines).strip()
    whole = str(node.get("text_template") or "{metadata_str}\n\n{content}")
    return whole.replace("{metadata_str}", head).replace("{content}", text).strip() if head else text


def _whole(values: Mapping[str, Any], key: str) -> int | None:
    """Return a whole number, or a text of one; None for anything else."""
    found = values.get(key) if key else None
    if isinstance(found, str) and found.isascii() and found.isdecimal() and len(found) < 16:
        return int(found)
    return found if isinstance(found, int) and not isinstance(found, bool) else None
