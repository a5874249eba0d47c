"""LlamaIndex's `MetadataFilters` as filters of a collection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llama_index.core.vector_stores import FilterCondition, FilterOperator, MetadataFilter, MetadataFilters

from qdrant_embed.errors import ConfigurationError
from qdrant_embed.store import MOST_NESTED, PAYLOAD_FIELDS, Pattern, PlainFilter, to_filter

NODE_FIELDS = {"file_name": "source", "file_path": "source", "file_type": "media_type", "page_label": "page"}
"""Names that nodes show, and the payload fields that they are made of where a document has no own such field."""
_BOUNDS = {
    FilterOperator.GT: "gt",
    FilterOperator.GTE: "gte",
    FilterOperator.LT: "lt",
    FilterOperator.LTE: "lte",
}


def to_plain_filter(filters: MetadataFilters, depth: int = 0) -> PlainFilter:
    """Translate filters, nested ones included; bounds may be numbers or ISO 8601 times.

    A key means the field that nodes show by that name: a payload field (`source`, `title`, `page_label`, …), one of the
    user's own, or one of `NODE_FIELDS`. `!=` and `nin` also hold where the field is missing.

    :param depth: How many filters stand around these.
    :raises ConfigurationError: A value does not fit its operator, the operator is not known, or filters nest too deep.
    """
    if depth > MOST_NESTED // 2:
        raise ConfigurationError(f"filters nest at most {MOST_NESTED // 2} deep; these go deeper, or hold themselves.")
    parts = [
        to_plain_filter(part, depth + 1) if isinstance(part, MetadataFilters) else _condition(part)
        for part in filters.filters
    ]
    parts = [part for part in parts if part]
    if not parts:
        return {}
    if filters.condition == FilterCondition.OR:
        return {"any": parts}
    if filters.condition == FilterCondition.NOT:
        return {"not": {"any": parts}}
    return {"all": parts}


def _condition(wanted: MetadataFilter) -> PlainFilter:
    negated = _NEGATED.get(wanted.operator)
    if negated is not None:
        return {"not": _condition(wanted.model_copy(update={"operator": negated}))}
    if wanted.operator not in _OPERATORS:
        known = ", ".join(operator.value for operator in (*_OPERATORS, *_NEGATED))
        raise ConfigurationError(
            f"{wanted.key!r}: the operator {wanted.operator.value!r} has no counterpart here; known: {known}. "
            "A qdrant_client.models.Filter can say everything that Qdrant understands."
        )
    say = _OPERATORS[wanted.operator]
    if wanted.key not in NODE_FIELDS:
        field = wanted.key if wanted.key in PAYLOAD_FIELDS else f"metadata.{wanted.key}"
        return say(field, wanted.value)
    return _of_node(wanted, say)


def _of_node(wanted: MetadataFilter, say: Callable[[str, Any], PlainFilter]) -> PlainFilter:
    """Return the filter of a field that nodes have from the user or else from the place of the document."""
    own, place = f"metadata.{wanted.key}", NODE_FIELDS[wanted.key]
    if wanted.operator == FilterOperator.IS_EMPTY:
        return {"all": [{own: None}, {place: None}]}
    if wanted.key == "page_label":
        pages = [_number(one) for one in wanted.value] if isinstance(wanted.value, list) else _number(wanted.value)
        missing, ours = {place: None}, say(own, wanted.value)
        # A place goes before the user's own number of it, as in nodes.
        return {"any": [say(place, pages), {"all": [missing, to_filter(ours)]}]}
    named = wanted.key == "file_name" and wanted.operator in _EQUALITIES
    stated = _named(say, wanted.value) if named else say(place, wanted.value)
    # As a Qdrant filter, so that nobody is told that no document has a field of that name.
    return {"any": [to_filter(say(own, wanted.value)), {"all": [to_filter({own: None}), stated]}]}


def _named(say: Callable[[str, Any], PlainFilter], value: Any) -> PlainFilter:
    """Return the filter of sources by the last part of their path."""
    say("source", value)  # to refuse what is no value
    names = [str(name) for name in (value if isinstance(value, list) else [value])]
    patterns = [Pattern.escaped(name) for name in names if "/" not in name]
    found = [*patterns, *(f"*/{pattern}" for pattern in patterns)]
    return {"source": found} if found else {"source": {"eq": ""}}


def _number(value: Any) -> Any:
    """Read a page label such as "3" as the number it is in the store."""
    return int(value) if isinstance(value, str) and value.isdecimal() else value


def _equals(field: str, value: Any) -> PlainFilter:
    if value is None or isinstance(value, (list, dict)):
        raise ConfigurationError(f"{field!r}: expected one value, got {value!r}; for several use FilterOperator.IN.")
    # A text without stars: headings are then found by their whole path, too.
    return {field: Pattern.escaped(value) if isinstance(value, str) else {"eq": value}}


def _any_of(field: str, values: Any) -> PlainFilter:
    if not isinstance(values, list):
        raise ConfigurationError(f"{field!r}: expected a list of values, got {values!r}.")
    return {field: [Pattern.escaped(value) if isinstance(value, str) else value for value in values]}


def _all_of(field: str, values: Any) -> PlainFilter:
    if not isinstance(values, list):
        raise ConfigurationError(f"{field!r}: expected a list of values, got {values!r}.")
    return {"all": [_equals(field, value) for value in values]} if values else {}


def _bound(operator: FilterOperator) -> Callable[[str, Any], PlainFilter]:
    def say(field: str, value: Any) -> PlainFilter:
        plain = {field: {_BOUNDS[operator]: value}}
        to_filter(plain)  # to refuse what is no bound
        return plain

    return say


_EQUALITIES = (FilterOperator.EQ, FilterOperator.CONTAINS, FilterOperator.IN, FilterOperator.ANY)
_NEGATED = {FilterOperator.NE: FilterOperator.EQ, FilterOperator.NIN: FilterOperator.IN}
_OPERATORS: dict[FilterOperator, Callable[[str, Any], PlainFilter]] = {
    FilterOperator.EQ: _equals,
    FilterOperator.IN: _any_of,
    FilterOperator.ANY: _any_of,
    FilterOperator.ALL: _all_of,
    FilterOperator.CONTAINS: _equals,
    FilterOperator.TEXT_MATCH: lambda field, value: {field: {"words": str(value)}},
    FilterOperator.IS_EMPTY: lambda field, _: {field: None},
    **{operator: _bound(operator) for operator in _BOUNDS},
}
