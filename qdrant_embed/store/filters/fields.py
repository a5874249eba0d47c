"""Names of payload fields, as people type them and as engines take them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from qdrant_embed.errors import require_type

PAYLOAD_FIELDS = (
    "source", "root", "document_id", "document_hash", "document_version", "title", "media_type", "text_type", "size",
    "modified", "text", "chunk_index", "start", "end", "headings", "page", "text_hash", "chunk_count",
)  # fmt: skip
INDEXED_FIELDS: Mapping[str, str] = {
    "document_id": "uuid",
    "source": "keyword",
    "text_hash": "uuid",
    "chunk_index": "integer",
    "root": "keyword",
    "document_version": "uuid",
    "page": "integer",
    "headings": "keyword",
    "media_type": "keyword",
    "title": "keyword",
    "modified": "datetime",
    "size": "integer",
}
"""Every field that this library filters or deletes by, so that a server in strict mode accepts its requests."""
NEEDED_FIELDS = ("document_id", "source", "text_hash", "chunk_index", "root", "document_version")
"""Those of them that every ingest and every search filters by, the most needed first: a server may allow fewer."""

METADATA = "metadata"

_STEP = r'(?:[A-Za-z0-9_-]+|"[^"\\]*")(?:\[\d*\])*'
_PATH = re.compile(rf"{_STEP}(?:\.{_STEP})*")
_PLAIN = re.compile(r"[A-Za-z0-9_-]+")
_UNSAYABLE = re.compile(r'["\\]')


@dataclass(frozen=True, slots=True)
class Field:
    """A field that a filter names.

    :param key: As it was typed, without `metadata.` before it.
    :param own: Whether it is one of the document's own, in its metadata.
    :param paths: Where it can stand, in the words of engines; none where these have no word for it.
    """

    key: str
    own: bool
    paths: tuple[str, ...]

    @classmethod
    def of(cls, key: str) -> Field:
        """Read a name: a payload field's, `metadata.…`, or a key of the document's metadata.

        :raises ConfigurationError: It is no text.
        """
        require_type("a field of the filter", key, str, f"its name as a text: {str(key)!r}")
        if key in PAYLOAD_FIELDS:
            return cls(key, own=False, paths=(key,))
        inner = key.removeprefix(f"{METADATA}.")
        return cls(inner, own=True, paths=tuple(f"{METADATA}.{path}" for path in _paths(inner)))

    def values(self, metadata: object) -> list[object]:
        """Return what a document's metadata holds under this key, lists taken apart."""
        found: list[object] = []
        for steps in {(self.key,), tuple(self.key.split("."))}:
            found += _reached(metadata, steps)
        return found


def _paths(key: str) -> list[str]:
    """Return the ways an engine may read a key: as one, and, where it has dots, as a way through nested dicts."""
    whole = [] if _UNSAYABLE.search(key) else [_quoted(key)]
    if _PATH.fullmatch(key):
        return list(dict.fromkeys([key, *whole]))
    steps = key.split(".")
    if len(steps) == 1 or not whole or not all(steps):
        return whole
    return [".".join(map(_quoted, steps)), *whole]


def _quoted(step: str) -> str:
    return step if _PLAIN.fullmatch(step) else f'"{step}"'


def _reached(value: object, steps: tuple[str, ...]) -> list[object]:
    if isinstance(value, list):
        return [found for part in value for found in _reached(part, steps)]
    if not steps:
        return [value]
    return _reached(value[steps[0]], steps[1:]) if isinstance(value, dict) and steps[0] in value else []
