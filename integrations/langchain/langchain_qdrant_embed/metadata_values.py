"""Which values of a document's metadata come back as they were given."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, time
from typing import Any

_INSTEAD = {date: "isoformat()", time: "isoformat()", set: "list(…)", frozenset: "list(…)"}


def not_carried(metadata: Mapping[Any, Any], path: str = "") -> str:
    """Return the first value that would come back as another one, and what to give instead; empty if there is none.

    Numbers of numpy come back as Python's, and tuples as lists, which equal or at least hold the same.
    """
    for key, value in metadata.items():
        if not isinstance(key, str):
            return f"the key {key!r} of metadata{path and f' under {path!r}'} is no text"
        if told := _told(value, f"{path}.{key}" if path else key):
            return told
    return ""


def _told(value: Any, path: str) -> str:
    if isinstance(value, Mapping):
        return not_carried(value, path)
    if isinstance(value, list | tuple):
        return next(filter(None, (_told(one, f"{path}[{place}]") for place, one in enumerate(value))), "")
    plain = value.item() if hasattr(value, "item") and getattr(value, "shape", None) == () else value
    if isinstance(plain, float) and not math.isfinite(plain):
        return f"metadata {path!r} is {plain}, which JSON does not have: give None, or leave it out"
    if plain is None or isinstance(plain, str | bool | int | float):
        return ""
    instead = next((way for kind, way in _INSTEAD.items() if isinstance(plain, kind)), "a text, number, list or dict")
    return f"metadata {path!r} is of the type {type(plain).__name__}, and would come back as another: give {instead}"
