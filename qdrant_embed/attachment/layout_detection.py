"""Finding out the layout of a collection that something else wrote: from its configuration and some of its points."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qdrant_embed.attachment.foreign_layout import FLAT, NODE_CONTENT, NODE_KEYS, OURS, ForeignLayout, LayoutSettings
from qdrant_embed.attachment.payload_view import node_in
from qdrant_embed.errors import ConfigurationError, UnknownNameError, require_type
from qdrant_embed.store.engine import Engine
from qdrant_embed.types import DENSE

if TYPE_CHECKING:
    from qdrant_client import models

SAMPLE = 64
"""Points that are looked at."""
TEXT_KEYS = ("text", "chunk", "chunk_text", "page_content", "content", "document", "body", "passage")
NESTED_KEYS = ("metadata", "meta")
SOURCE_KEYS = ("source", "file_path", "file_name", "filename", "path", "url", "uri", "source_id")
DOCUMENT_KEYS = ("doc_id", "ref_doc_id", "document_id", "source_id", "parent_id")
INDEX_KEYS = ("chunk_index", "split_id", "chunk_number", "position")
START_KEYS = ("start_index", "split_idx_start", "start_char_idx", "chunk_start", "start")
PAGE_KEYS = ("page_label", "page_number", "page")
SHARE = 0.5
"""Of the points that are looked at: so many have a key, if it is the layout's."""
_DISTANCES = {"Cosine": "cosine", "Dot": "dot", "Euclid": "euclid"}


@dataclass(frozen=True, slots=True)
class _Found:
    """A part of a layout, and by which sign it was found."""

    value: Any
    sign: str


def detect_layout(engine: Engine, name: str, given: LayoutSettings) -> ForeignLayout:
    """Return the layout of a collection.

    :param given: What is known of it; the rest is found out.
    :raises ConfigurationError: It holds no points, or what holds the text cannot be told; the keys are listed.
    """
    known = _checked(given)
    info = engine.get_collection(name)
    records, _ = engine.scroll(name, limit=SAMPLE, with_payload=True)
    payloads = [record.payload or {} for record in records]
    if not payloads and "text" not in known:
        raise ConfigurationError(
            f"collection {name!r} holds no points, so nothing shows how its writer lays them out. Name its keys: "
            "Collection.attach(…, text='text', metadata='metadata'), or let that program write a point first."
        )
    parts = _vectors(info, known)
    parts |= _payload(name, payloads, known)
    parts["ids"] = _Found(_ids(records), f"{len(records)} points")
    parts["points"] = _Found(info.points_count or len(records), "the engine")
    return ForeignLayout(
        **{part: found.value for part, found in parts.items()},
        signs={part: found.sign for part, found in parts.items()},
    )


def own_layout(info: models.CollectionInfo) -> ForeignLayout:
    """Return the layout of a collection that this library made."""
    vectors = _vectors(info, {"vector": DENSE})
    places = {"text": "text", "metadata": "metadata", "source": "source", "document": "document_id"}
    places |= {"index": "chunk_index", "start": "start", "page": "page", "ids": "uuid", "writer": OURS}
    found = {part: one.value for part, one in vectors.items()}
    signs = dict.fromkeys((*places, *found), "its metadata")
    return ForeignLayout(**{**found, **places, "points": info.points_count or 0, "signs": signs})


def _checked(given: LayoutSettings) -> dict[str, str]:
    known = dict(given)
    for part, value in known.items():
        if part not in LayoutSettings.__annotations__:
            raise UnknownNameError("part of a layout", part, LayoutSettings.__annotations__)
        require_type(part, value, str, "the name of a key or a vector, as a text")
    return {part: str(value) for part, value in known.items()}


# Vectors


def _vectors(info: models.CollectionInfo, known: Mapping[str, str]) -> dict[str, _Found]:
    params = info.config.params
    dense = params.vectors if isinstance(params.vectors, dict) else {"": params.vectors} if params.vectors else {}
    single = {name: one for name, one in dense.items() if one.multivector_config is None}
    vector = _dense(single, dense, known)
    chosen = single.get(vector.value) if vector.value is not None else None
    kind = "" if chosen is None else str(getattr(chosen.distance, "value", chosen.distance))
    sparse = params.sparse_vectors or {}
    if "sparse" in known and known["sparse"] and known["sparse"] not in sparse:
        raise UnknownNameError("sparse vector", known["sparse"], sparse)
    weights = known.get("sparse", next(iter(sparse), ""))
    modifier = sparse[weights].modifier if weights else None
    return {
        "vector": vector,
        "dim": _Found(0 if chosen is None else chosen.size, "configuration"),
        "distance": _Found(_DISTANCES.get(kind, kind.lower()), "configuration"),
        "sparse": _Found(weights, "given" if "sparse" in known else "configuration"),
        "modifier": _Found(str(getattr(modifier, "value", modifier or "")).replace("none", ""), "configuration"),
    }


def _dense(single: Mapping[str, Any], dense: Mapping[str, Any], known: Mapping[str, str]) -> _Found:
    if "vector" in known:
        if known["vector"] not in single:
            raise UnknownNameError("dense vector of one row", known["vector"], single)
        return _Found(known["vector"], "given")
    if len(single) > 1:
        listed = ", ".join(map(repr, single))
        raise ConfigurationError(
            f"there are several dense vectors: {listed}. Name one: Collection.attach(…, vector=…)."
        )
    if not single:
        return _Found(None, "only multi-vectors" if dense else "configuration")
    return _Found(next(iter(single)), "configuration: the only one")


def _ids(records: Sequence[models.Record]) -> str:
    kinds = {"int" if isinstance(record.id, int) else "uuid" for record in records}
    return ", ".join(sorted(kinds))


# Payload


def _payload(name: str, payloads: Sequence[Mapping[str, Any]], known: Mapping[str, str]) -> dict[str, _Found]:
    text = _text(name, payloads, known)
    in_json = text.value == NODE_CONTENT
    metadata = _metadata(payloads, text.value, known)
    nested = [payload.get(metadata.value) for payload in payloads] if metadata.value else payloads
    inner = [values if isinstance(values, dict) else {} for values in nested]
    own = {text.value, metadata.value, *(NODE_KEYS if in_json else ())}
    keys = sorted({key for values in inner for key in values} - (own if not metadata.value else set()))
    beside = sorted({key for payload in payloads for key in payload} - own) if metadata.value else []
    every = [{**payload, **values} for payload, values in zip(payloads, inner, strict=True)]
    nodes = [node_in(payload) for payload in payloads] if in_json else every
    return {
        "writer": _writer(payloads, text.value, metadata.value),
        "text": text,
        "metadata": metadata,
        "source": _first("source", SOURCE_KEYS, every, (str,), known),
        "document": _first("document", DOCUMENT_KEYS, every, (str, int), known),
        "index": _first("index", INDEX_KEYS, every, (int,), known),
        "start": _first("start", START_KEYS, nodes, (int,), known),
        "page": _first("page", PAGE_KEYS, every, (int, str), known),
        "fields": _Found(tuple(keys), f"{len(payloads)} points"),
        "beside": _Found(tuple(beside), f"{len(payloads)} points"),
    }


def _text(name: str, payloads: Sequence[Mapping[str, Any]], known: Mapping[str, str]) -> _Found:
    if "text" in known:
        return _Found(known["text"], "given")
    if _share(bool(node_in(payload)) for payload in payloads) >= SHARE:
        return _Found(NODE_CONTENT, f"JSON in the key {NODE_CONTENT!r}")
    shares = {key: _share(_is_text(payload.get(key)) for payload in payloads) for key in TEXT_KEYS}
    likely = [key for key, share in shares.items() if share >= SHARE]
    if "content" in likely and any(isinstance(payload.get("meta"), dict) for payload in payloads):
        likely = ["content"]
    if "page_content" in likely:
        likely = ["page_content"]
    if len(likely) == 1:
        return _Found(likely[0], f"texts under the key {likely[0]!r}")
    there = Counter(key for payload in payloads for key, value in payload.items() if _is_text(value))
    listed = ", ".join(repr(key) for key, _ in there.most_common(20)) or "none"
    several = f"several keys may hold it ({', '.join(map(repr, likely))})" if likely else "no usual key holds it"
    raise ConfigurationError(
        f"what is the text of the points of collection {name!r}? {several}; keys with texts: {listed}. Name it: "
        "Collection.attach(…, text='…')."
    )


def _metadata(payloads: Sequence[Mapping[str, Any]], text: str, known: Mapping[str, str]) -> _Found:
    if "metadata" in known:
        return _Found(known["metadata"], "given")
    if text == NODE_CONTENT:
        return _Found(FLAT, f"copied beside {NODE_CONTENT!r}")
    for key in NESTED_KEYS:
        # Writers leave out empty ones, or write null.
        met = [payload[key] for payload in payloads if payload.get(key) is not None]
        written = any(key in payload for payload in payloads)
        if (met and all(isinstance(value, dict) for value in met)) or (written and not met):
            return _Found(key, f"nested under the key {key!r}")
    return _Found(FLAT, "no key that holds them all")


def _writer(payloads: Sequence[Mapping[str, Any]], text: str, metadata: str) -> _Found:
    shapes = {
        (NODE_CONTENT, FLAT): "LlamaIndex",
        ("page_content", "metadata"): "LangChain",
        ("content", "meta"): "Haystack",
        ("content", "metadata"): "LangChain in JavaScript, or n8n",
        ("document", "metadata"): "mcp-server-qdrant",
        ("document", FLAT): "the mixin of qdrant-client and fastembed",
    }
    found = shapes.get((text, metadata), "")
    return _Found(found or "not known", "its keys" if found else "keys that are nobody's own")


def _first(
    part: str,
    keys: Iterable[str],
    values: Sequence[Mapping[str, Any]],
    kinds: tuple[type, ...],
    known: Mapping[str, str],
) -> _Found:
    """Return the first of some keys that enough points have, with a value of a kind."""
    if part in known:
        return _Found(known[part], "given")
    for key in keys:
        share = _share(isinstance(one.get(key), kinds) and not isinstance(one.get(key), bool) for one in values)
        if share >= SHARE:
            return _Found(key, f"in {share:.0%} of the points")
    return _Found("", "none of the usual keys")


def _share(held: Iterable[bool]) -> float:
    listed = list(held)
    return sum(listed) / len(listed) if listed else 0.0


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())
