"""One item of the user's as a document: ours, LlamaIndex's, LangChain's, Haystack's, or a dict; none is imported."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from numbers import Integral
from pathlib import PurePath
from typing import Any
from uuid import UUID

import numpy as np

from qdrant_embed.errors import ConfigurationError
from qdrant_embed.store.payload_values import plain_time
from qdrant_embed.types import Document, Json, content_hash

WRAP = "Document(text=…, source='a name')"
_FIELDS = ("title", "media_type", "text_type", "modified", "size", "page_starts")
"""Keys of a dict that are a document's own; all others are metadata."""
_SOURCES = ("source", "file_path", "url")
"""Keys of other libraries' metadata that say where a text comes from."""
_RANDOM = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
"""An id that was drawn: the same document has another one each time it is loaded."""
_SURROGATES = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class RefusedItem:
    """An item that is no document.

    :param source: Its source if it names one, else its position.
    :param named: Whether it names one.
    """

    source: str
    reason: str
    named: bool


@dataclass(slots=True)
class Items:
    """Turns items into documents, one after the other.

    :param text_key: Key of a dict that holds the text; `source_key` likewise.
    """

    text_key: str
    source_key: str
    _position: int = 0
    _names: Counter[str] = field(default_factory=Counter)

    def document(self, item: object) -> Document | RefusedItem:
        """Return an item as a document; a refusal names its position among the items, counted from 0."""
        place = f"item {self._position}"
        self._position += 1
        try:
            return _storable(self._converted(item))
        except ConfigurationError as error:
            named = item.get(self.source_key) if isinstance(item, Mapping) else getattr(item, "source", None)
            source = named if isinstance(named, str) else ""
            return RefusedItem(source or place, f"{place}: {error}" if source else str(error), named=bool(source))

    def _converted(self, item: object) -> Document:
        if isinstance(item, Document):
            return item
        if isinstance(item, Mapping):
            return self._of_mapping(item)
        if is_foreign(item):
            return self._of_foreign(item)
        if isinstance(item, str):
            raise ConfigurationError(f"a text has no source, by which it is found and replaced; wrap it: {WRAP}")
        raise ConfigurationError(f"a {type(item).__name__} is no document; give {WRAP} or a dict with these keys")

    def _of_mapping(self, item: Mapping[Any, Any]) -> Document:
        if self.text_key not in item:
            keys = ", ".join(repr(str(key)) for key in list(item)[:10]) or "no other"
            raise ConfigurationError(f"no key {self.text_key!r} in it, but {keys}; name the right one: text_column=…")
        rest = {key: value for key, value in item.items() if key not in (self.text_key, self.source_key)}
        metadata = _mapping(rest.pop("metadata", None) or {})
        own = {name: _whole(value) for name in _FIELDS if not is_missing(value := rest.pop(name, None))}
        text = _text(item[self.text_key], self.text_key)
        source = _content_name(text)
        if self.source_key in item:
            name = _whole(item[self.source_key])
            source = str(name) if isinstance(name, (Integral, PurePath, UUID)) else _text(name, self.source_key)
        return _made(text=text, source=source, metadata={**rest, **metadata}, **own)

    def _of_foreign(self, item: Any) -> Document:
        content, about = _foreign(item)
        text, metadata = _text(content, "text"), _mapping(about)
        kind = metadata.get("file_type")
        own = {"media_type": kind} if isinstance(kind, str) and "/" in kind else {}
        title = metadata.get("title")
        return _made(
            text=text,
            source=self._name(item, text, metadata),
            metadata=metadata,
            title=title if isinstance(title, str) else "",
            text_type="text/markdown" if own.get("media_type") == "text/markdown" else "text/plain",
            **own,
        )

    def _name(self, item: Any, text: str, metadata: Mapping[str, Json]) -> str:
        """Return a name for a document without a source: the same each time it is loaded, and no other's."""
        stated = (metadata.get(key) for key in _SOURCES)
        name = next((str(found) for found in stated if isinstance(found, (str, PurePath)) and str(found)), "")
        page = metadata.get("page_label", metadata.get("page"))
        if name and page is not None:
            name = f"{name}#page={page}"
        if not name:
            ids = (getattr(item, key, None) for key in ("ref_doc_id", "id_", "id"))
            lasting = (key for key in ids if isinstance(key, str) and key and not _RANDOM.fullmatch(key.lower()))
            name = next(lasting, _content_name(text))
        self._names[name] += 1
        return name if self._names[name] == 1 else f"{name}#{self._names[name]}"


def is_foreign(item: object) -> bool:
    """Tell whether an item is another library's document."""
    return (callable(getattr(item, "get_content", None)) and hasattr(item, "metadata")) or any(
        hasattr(item, text) and hasattr(item, about)
        for text, about in (("page_content", "metadata"), ("content", "meta"))
    )


def _foreign(item: Any) -> tuple[Any, Any]:
    """Return text and metadata of another library's document."""
    if hasattr(item, "page_content"):
        return item.page_content, item.metadata
    if hasattr(item, "meta") and hasattr(item, "content"):
        return item.content, item.meta
    try:
        return item.get_content(), item.metadata
    except Exception as error:
        raise ConfigurationError(f"its text cannot be had: {type(error).__name__}: {error}") from error


def _content_name(text: str) -> str:
    """Name a text by itself: the same one keeps its name, wherever it stands."""
    return f"text-{content_hash(text)[:12]}"


def _made(**fields: Any) -> Document:
    try:
        return Document(**fields)
    except (TypeError, ValueError) as error:
        raise ConfigurationError(str(error)) from error


def _text(value: object, name: str) -> str:
    if isinstance(value, str):
        return value
    if value is None or is_missing(value):
        raise ConfigurationError(f"its {name} is missing ({value}); expected a text")
    decoded = "; decode it: .decode('utf-8')" if isinstance(value, (bytes, bytearray)) else ""
    raise ConfigurationError(f"its {name} is a {type(value).__name__}, expected a text{decoded}")


def _mapping(value: object) -> dict[str, Json]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ConfigurationError(f"its metadata is a {type(value).__name__}, expected a dict")
    return dict(value)


def _whole(value: Any) -> Any:
    """Return 3.0 as 3: a data frame makes such numbers of whole ones where a cell of their column is empty."""
    return int(value) if isinstance(value, (float, np.floating)) and value.is_integer() else value


def is_missing(value: Any) -> bool:
    """Tell whether a cell of a data frame is empty: None, NaN, NaT, NA."""
    try:
        return value is None or bool(value != value)
    except TypeError:  # pandas.NA
        return True
    except ValueError:  # an array, which is something
        return False


def _storable(document: Document) -> Document:
    """Return a document as it can be stored: valid Unicode, of the same length, and its time as a text."""
    if not document.source:
        raise ConfigurationError(f"its source is empty; expected {WRAP}")
    changes: dict[str, Any] = {
        name: _SURROGATES.sub("\ufffd", value)
        for name in ("text", "source", "title")
        if not (value := getattr(document, name)).isascii() and _SURROGATES.search(value)
    }
    if document.modified is not None:
        changes["modified"] = _time(document.modified)
    return replace(document, **changes) if changes else document


def _time(value: Any) -> str | None:
    """Return a time as ISO 8601 in UTC; one without a time zone is taken for UTC."""
    if is_missing(value) or value == "":
        return None
    try:
        moment = plain_time(value) if isinstance(value, np.datetime64) else value
        if isinstance(moment, str):
            moment = datetime.fromisoformat(moment)
        if isinstance(moment, date) and not isinstance(moment, datetime):
            moment = datetime.combine(moment, time())
        if not isinstance(moment, datetime):
            raise ValueError(value)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise ConfigurationError(f"modified={value!r} lies beyond the years 1 to 9999 in UTC; leave it out") from None
    except ValueError:
        raise ConfigurationError(f"modified={value!r:.40}; expected a datetime or an ISO 8601 text") from None
    return moment.isoformat(timespec="microseconds")
