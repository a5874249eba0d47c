"""Filters over the metadata of LangChain documents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

METADATA = "metadata."
GROUPS = ("any", "all")


def over_metadata(given: Any) -> Any:
    """Return a plain filter whose every field is one of the documents' metadata, `source` and `title` too.

    Anything but a dict passes as it is.
    """
    if not isinstance(given, Mapping):
        return given
    return {_field(key): _wanted(key, value) for key, value in given.items()}


def _field(key: Any) -> Any:
    own = isinstance(key, str) and key not in (*GROUPS, "not") and not key.startswith(METADATA)
    return METADATA + key if own else key


def _wanted(key: Any, value: Any) -> Any:
    if key == "not":
        return over_metadata(value)
    if key in GROUPS and isinstance(value, (list, tuple)):
        return [over_metadata(part) for part in value]
    return value
