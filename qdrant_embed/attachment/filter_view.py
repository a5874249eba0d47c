"""Filters by the fields of chunks as filters by the fields of another program's payload."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qdrant_embed.attachment.foreign_layout import ForeignLayout
from qdrant_embed.errors import UnsupportedByEngineError
from qdrant_embed.store.filters import METADATA, PAYLOAD_FIELDS
from qdrant_embed.types import TERMS

if TYPE_CHECKING:
    from qdrant_client import models

    from qdrant_embed.store.methods.client_methods import PointId

UUID_DIGITS = 32
LONGEST_NUMBER = 20
"""Digits of the largest id that is a number."""


def own_id(point_id: PointId) -> PointId:
    """Return the id of a point as engines know it: hits have ids as texts, also where they are numbers."""
    text = point_id if isinstance(point_id, str) else ""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= LONGEST_NUMBER else point_id


def foreign_key(layout: ForeignLayout, key: str) -> str:
    """Return the path at which a field of chunks stands; one that is none of these is one of the payload itself.

    :raises UnsupportedByEngineError: The text is asked for, and stands in a JSON text.
    """
    if key in ("text", TERMS):
        if layout.in_json:
            raise UnsupportedByEngineError(
                f"the texts of this collection stand in the JSON texts of {layout.text!r}, which no engine filters by "
                "or ranks. Filter by other fields, or search by meaning: mode='dense'."
            )
        return layout.text
    if key == METADATA:
        return layout.metadata or key
    if key.startswith(f"{METADATA}."):
        return layout.path(key.removeprefix(f"{METADATA}."))
    return _place(layout, key) if key in PAYLOAD_FIELDS else key


def _place(layout: ForeignLayout, key: str) -> str:
    if key == "document_id" and layout.document:
        return (
            layout.document if layout.document in layout.beside or not layout.metadata else layout.path(layout.document)
        )
    named = {
        "source": layout.source or layout.document,
        "document_id": layout.source,
        "chunk_index": layout.index,
        "start": layout.start,
        "page": layout.page,
    }
    return layout.path(named.get(key) or key)


def foreign_filter(layout: ForeignLayout, where: models.Filter | None) -> models.Filter | None:
    """Return a filter in the words of another program's payload."""
    from qdrant_client import models

    if where is None:
        return None
    changes: dict[str, Any] = {}
    for clause in ("should", "must", "must_not"):
        if (given := getattr(where, clause)) is not None:
            listed = given if isinstance(given, list) else [given]
            changes[clause] = [_condition(layout, one) for one in listed]
    if where.min_should is not None:
        conditions = [_condition(layout, one) for one in where.min_should.conditions]
        changes["min_should"] = models.MinShould(conditions=conditions, min_count=where.min_should.min_count)
    return where.model_copy(update=changes)


def _condition(layout: ForeignLayout, given: Any) -> Any:
    from qdrant_client import models

    if isinstance(given, models.Filter):
        return foreign_filter(layout, given)
    if isinstance(given, models.HasIdCondition):
        return models.HasIdCondition(has_id=[own_id(one) for one in given.has_id])
    if isinstance(given, models.IsEmptyCondition):
        return models.IsEmptyCondition(is_empty=models.PayloadField(key=foreign_key(layout, given.is_empty.key)))
    if isinstance(given, models.IsNullCondition):
        return models.IsNullCondition(is_null=models.PayloadField(key=foreign_key(layout, given.is_null.key)))
    if isinstance(given, models.NestedCondition):  # keys inside are the payload's, whoever asks
        nested = given.nested.model_copy(update={"key": foreign_key(layout, given.nested.key)})
        return models.NestedCondition(nested=nested)
    if isinstance(given, models.FieldCondition) and given.key in (same := constants(layout)):
        return _every(given, same)
    if isinstance(given, models.FieldCondition) and given.key in _by_id(layout) and given.match is not None:
        found = _with_ids(given.match)
        return given if found is None else found
    if isinstance(given, models.FieldCondition):
        changed = given.model_copy(update={"key": foreign_key(layout, given.key)})
        return _either(changed) if given.key in ("page", "document_id", "source") else changed
    return given


def constants(layout: ForeignLayout) -> dict[str, Any]:
    """Return the fields of chunks that are the same for all points, since the other program has no place for them."""
    number = {} if layout.index else {"chunk_index": 0}
    return number if "root" in (*layout.fields, *layout.beside) else {"root": "", **number}


def _by_id(layout: ForeignLayout) -> tuple[str, ...]:
    """Return the fields of chunks that have the id of the point itself, since nothing else tells documents apart."""
    return () if layout.source or layout.document else ("source", "document_id")


def _with_ids(match: Any) -> models.HasIdCondition | None:
    """Return the condition of being one of some points; None where more than equality is asked for."""
    from qdrant_client import models

    values = [match.value] if isinstance(match, models.MatchValue) else getattr(match, "any", None)
    if not isinstance(values, list):
        return None
    ids = [own_id(value) for value in values if isinstance(value, str)]
    return models.HasIdCondition(has_id=[one for one in ids if isinstance(one, int) or is_uuid(one)])


def is_uuid(text: object) -> bool:
    """Tell whether a text is a UUID, with hyphens or without."""
    plain = str(text).replace("-", "").lower()
    return len(plain) == UUID_DIGITS and all(character in "0123456789abcdef" for character in plain)


def _every(given: models.FieldCondition, same: dict[str, Any]) -> models.Condition:
    """Return a condition that holds for all points, or for none, as one on a field does that is the same for all."""
    from qdrant_client import models
    from qdrant_client.local.payload_filters import check_condition

    none = models.HasIdCondition(has_id=[])
    return models.Filter(must_not=[none]) if check_condition(given, same, 0, {}) else none


def _either(given: models.FieldCondition) -> Any:
    """Return the condition of having a number, which other programs also keep as a text, or the other way round."""
    from qdrant_client import models

    value = given.match.value if isinstance(given.match, models.MatchValue) else None
    other: Any = str(value) if isinstance(value, int) else own_id(value or "")
    if other == (value or ""):
        return given
    return models.Filter(should=[given, models.FieldCondition(key=given.key, match=models.MatchValue(value=other))])
