"""LlamaIndex's `MetadataFilters` as Qdrant filters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llama_index.core.vector_stores import FilterCondition, FilterOperator, MetadataFilter, MetadataFilters
from qdrant_client import models

from qdrant_embed.errors import ConfigurationError
from qdrant_embed.store.filters import MOST_NESTED, PAYLOAD_FIELDS, Pattern, to_filter

NODE_FIELDS = {"file_name": "source", "page_label": "page"}
"""Names that nodes show, and the payload fields that hold them."""
_BOUNDS = {
    FilterOperator.GT: "gt",
    FilterOperator.GTE: "gte",
    FilterOperator.LT: "lt",
    FilterOperator.LTE: "lte",
}


def to_qdrant_filter(filters: MetadataFilters, depth: int = 0) -> models.Filter:
    """Translate filters, nested ones included; bounds may be numbers or ISO 8601 times.

    A key means the field that nodes show by that name: a payload field (`source`, `title`, `page_label`, …) or else
    one of the user's own. `!=` and `nin` also hold where the field is missing.

    :param depth: How many filters stand around these.
    :raises ConfigurationError: A value does not fit its operator, the operator is not known, or filters nest too deep.
    """
    if depth > MOST_NESTED:
        raise ConfigurationError(f"filters nest at most {MOST_NESTED} deep; these go deeper, or hold themselves.")
    conditions: list[models.Condition] = [
        to_qdrant_filter(part, depth + 1) if isinstance(part, MetadataFilters) else _condition(part)
        for part in filters.filters
    ]
    if filters.condition == FilterCondition.OR:
        return models.Filter(should=conditions)
    if filters.condition == FilterCondition.NOT:
        return models.Filter(must_not=conditions)
    return models.Filter(must=conditions)


def _condition(wanted: MetadataFilter) -> models.Condition:
    if wanted.operator in _BOUNDS:
        field, value = _field_and_value(wanted)
        return _one(field, {_BOUNDS[wanted.operator]: value})
    if wanted.operator not in _OPERATORS:
        known = ", ".join(operator.value for operator in (*_OPERATORS, *_BOUNDS))
        raise ConfigurationError(
            f"{wanted.key!r}: the operator {wanted.operator.value!r} has no counterpart here; known: {known}. "
            "A qdrant_client.models.Filter can say everything that Qdrant understands."
        )
    return _OPERATORS[wanted.operator](*_field_and_value(wanted))


def _one(field: str, wanted: Any) -> models.Condition:
    """Return the condition of one field, as a plain filter says it."""
    found: Any = to_filter({field: wanted})
    condition: models.Condition = found.must[0]
    return condition


def _field_and_value(wanted: MetadataFilter) -> tuple[str, Any]:
    field = NODE_FIELDS.get(wanted.key, wanted.key)
    value = [_number(item) for item in wanted.value] if isinstance(wanted.value, list) else _number(wanted.value)
    if field == "page":
        return field, value
    return (field if field in PAYLOAD_FIELDS else f"metadata.{field}"), wanted.value


def _number(value: Any) -> Any:
    """Read a page label such as "3" as the number it is in the store."""
    return int(value) if isinstance(value, str) and value.isdecimal() else value


def _equals(field: str, value: Any) -> models.Condition:
    if value is None or isinstance(value, (list, dict)):
        raise ConfigurationError(f"{field!r}: expected one value, got {value!r}; for several use FilterOperator.IN.")
    return _one(field, {"eq": value})


def _any_of(field: str, values: Any) -> models.Condition:
    if not isinstance(values, list):
        raise ConfigurationError(f"{field!r}: expected a list of values, got {values!r}.")
    return _one(field, [Pattern.escaped(value) if isinstance(value, str) else value for value in values])


def _all_of(field: str, values: Any) -> models.Condition:
    if not isinstance(values, list):
        raise ConfigurationError(f"{field!r}: expected a list of values, got {values!r}.")
    return models.Filter(must=[_equals(field, value) for value in values])


_OPERATORS: dict[FilterOperator, Callable[[str, Any], models.Condition]] = {
    FilterOperator.EQ: _equals,
    FilterOperator.NE: lambda field, value: models.Filter(must_not=[_equals(field, value)]),
    FilterOperator.IN: _any_of,
    FilterOperator.NIN: lambda field, values: models.Filter(must_not=[_any_of(field, values)]),
    FilterOperator.ANY: _any_of,
    FilterOperator.ALL: _all_of,
    FilterOperator.CONTAINS: _equals,
    FilterOperator.TEXT_MATCH: lambda field, value: _one(field, {"words": str(value)}),
    FilterOperator.IS_EMPTY: lambda field, _: _one(field, None),
}
