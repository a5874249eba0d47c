"""Filters as people type them, turned into `qdrant_client.models.Filter`.

    {"source": "guide/*"}                         starts with
    {"source": ["a.md", "b.md"]}                  any of
    {"page": {"gte": 3, "lt": 9}}                 a range of numbers
    {"modified": {"gte": "2026-01-01"}}           a range of times
    {"media_type": {"not": "text/html"}}          anything but
    {"author": None}                              missing or empty
    {"any": [{…}, {…}]}, {"not": {…}}             combined; entries of one dict must all hold

A field that is not one of the payload's own (`PAYLOAD_FIELDS`) is looked for in the document's metadata;
`metadata.page` means the document's own field where both have one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from qdrant_embed.errors import ConfigurationError

if TYPE_CHECKING:
    from qdrant_client import models

PAYLOAD_FIELDS = (
    "source", "root", "document_id", "document_hash", "title", "media_type", "text_type", "size", "modified",
    "chunk_index", "start", "end", "headings", "page", "text_hash", "chunk_count",
)  # fmt: skip
_BOUNDS = ("gt", "gte", "lt", "lte")
_EXAMPLE = (
    'Examples: {"source": "guide/*"}, {"page": {"gte": 3}}, {"author": ["Ann", "Bo"]}, {"title": {"not": "Index"}}.'
)

PlainFilter = Mapping[str, Any]


def to_filter(plain: PlainFilter | models.Filter | None) -> models.Filter | None:
    """Turn a plain dict into a Qdrant filter; a Qdrant filter and None pass as they are.

    :raises ConfigurationError: The dict says something that has no meaning; what is possible is listed.
    """
    from qdrant_client import models

    if plain is None or isinstance(plain, models.Filter):
        return plain
    if not isinstance(plain, Mapping):
        raise ConfigurationError(f"a filter must be a dict or a qdrant_client Filter, not {plain!r}. {_EXAMPLE}")
    return models.Filter(must=[_condition(key, wanted) for key, wanted in plain.items()]) if plain else None


def both(first: models.Filter | None, second: models.Filter | None) -> models.Filter | None:
    """Return a filter that holds where both do."""
    from qdrant_client import models

    if first is None or second is None:
        return first or second
    return models.Filter(must=[first, second])


def _condition(key: str, wanted: Any) -> models.Condition:
    from qdrant_client import models

    if key == "any":
        return models.Filter(should=[_nested(part) for part in _list_of_filters(key, wanted)])
    if key == "all":
        return models.Filter(must=[_nested(part) for part in _list_of_filters(key, wanted)])
    if key == "not":
        return models.Filter(must_not=[_nested(wanted)])
    known = key in PAYLOAD_FIELDS or key.startswith("metadata.")
    return _field_condition(key if known else f"metadata.{key}", wanted)


def _nested(plain: Any) -> models.Filter:
    nested = to_filter(plain)
    if nested is None:
        raise ConfigurationError(f"an empty filter inside a filter matches nothing sensible; drop it. {_EXAMPLE}")
    return nested


def _list_of_filters(key: str, wanted: Any) -> Sequence[Any]:
    if not isinstance(wanted, Sequence) or isinstance(wanted, str) or not wanted:
        raise ConfigurationError(f'"{key}" takes a list of filters, not {wanted!r}. {_EXAMPLE}')
    return wanted


def _field_condition(field: str, wanted: Any) -> models.Condition:
    from qdrant_client import models

    if wanted is None:
        return models.IsEmptyCondition(is_empty=models.PayloadField(key=field))
    if isinstance(wanted, Mapping):
        return _operator_condition(field, wanted)
    if isinstance(wanted, (list, tuple, set, frozenset)):
        return (
            models.Filter(should=[_field_condition(field, value) for value in wanted])
            if _has_pattern(wanted)
            else models.FieldCondition(key=field, match=models.MatchAny(any=list(wanted)))
        )
    if isinstance(wanted, str):
        return _text_condition(field, wanted)
    if isinstance(wanted, (bool, int)):
        return models.FieldCondition(key=field, match=models.MatchValue(value=wanted))
    if isinstance(wanted, float):
        return models.FieldCondition(key=field, range=models.Range(gte=wanted, lte=wanted))
    if isinstance(wanted, date):
        return models.FieldCondition(key=field, range=models.DatetimeRange(gte=wanted, lte=wanted))
    raise ConfigurationError(f"cannot filter {field!r} by {wanted!r} of type {type(wanted).__name__}. {_EXAMPLE}")


def _has_pattern(values: Any) -> bool:
    return any(not isinstance(value, (str, int)) or (isinstance(value, str) and "*" in value) for value in values)


def _text_condition(field: str, wanted: str) -> models.Condition:
    from qdrant_client import models

    if "*" not in wanted:
        return models.FieldCondition(key=field, match=models.MatchValue(value=wanted))
    if wanted.index("*") != len(wanted) - 1:
        raise ConfigurationError(
            f"{field!r}: {wanted!r} has a '*' that is not at its end; only prefixes can be matched, as in 'guide/*'."
        )
    return models.FieldCondition(key=field, match=models.MatchPrefix(prefix=wanted[:-1]))


def _operator_condition(field: str, wanted: Mapping[str, Any]) -> models.Condition:
    from qdrant_client import models

    if set(wanted) == {"not"}:
        return models.Filter(must_not=[_field_condition(field, wanted["not"])])
    if not wanted or not set(wanted) <= set(_BOUNDS):
        known = ", ".join((*_BOUNDS, "not"))
        raise ConfigurationError(f"{field!r}: unknown operators in {dict(wanted)!r}; known: {known}. {_EXAMPLE}")
    bounds = dict(wanted)
    if all(isinstance(value, (int, float)) for value in bounds.values()):
        return models.FieldCondition(key=field, range=models.Range(**bounds))
    try:
        times = {name: _time(value) for name, value in bounds.items()}
    except (TypeError, ValueError):
        raise ConfigurationError(
            f"{field!r}: the bounds of a range must be numbers or ISO 8601 times, not {bounds!r}. {_EXAMPLE}"
        ) from None
    return models.FieldCondition(key=field, range=models.DatetimeRange(**times))


def _time(value: Any) -> datetime | date:
    return value if isinstance(value, date) else datetime.fromisoformat(value)
