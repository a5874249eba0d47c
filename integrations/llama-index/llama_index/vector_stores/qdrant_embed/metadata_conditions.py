"""LlamaIndex's `MetadataFilters` over nodes whose metadata stand at the top level of a payload."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from llama_index.core.vector_stores import FilterCondition, FilterOperator, MetadataFilter, MetadataFilters
from qdrant_client import models

from qdrant_embed.errors import ConfigurationError
from qdrant_embed.store import MOST_NESTED

ValuesOf = Callable[[str], Iterable[Any]]
"""What a field holds anywhere: for conditions about a part of a text, which no index of words answers exactly."""

_PLAIN_KEY = re.compile(r"[\w\-]+(\[\])?(\.[\w\-]+(\[\])?)*")
_BOUNDS = {
    FilterOperator.GT: "gt",
    FilterOperator.GTE: "gte",
    FilterOperator.LT: "lt",
    FilterOperator.LTE: "lte",
}
_NEGATED = {FilterOperator.NE: FilterOperator.EQ, FilterOperator.NIN: FilterOperator.IN}


def to_payload_filter(filters: MetadataFilters | None, values_of: ValuesOf, depth: int = 0) -> models.Filter | None:
    """Translate filters, nested ones included; None where they let everything through.

    `!=` and `nin` also hold where the field is missing; bounds are numbers or ISO 8601 times.

    :param depth: How many filters stand around these.
    :raises ConfigurationError: A value does not fit its operator, or filters nest too deep.
    """
    if depth > MOST_NESTED // 2:
        raise ConfigurationError(f"filters nest at most {MOST_NESTED // 2} deep; these go deeper, or hold themselves.")
    if filters is None or not filters.filters:
        return None
    parts = [
        to_payload_filter(part, values_of, depth + 1)
        if isinstance(part, MetadataFilters)
        else _condition(part, values_of)
        for part in filters.filters
    ]
    stated = [part if part is not None else models.Filter() for part in parts]
    if filters.condition == FilterCondition.OR:
        return models.Filter(should=stated)
    if filters.condition == FilterCondition.NOT:
        return models.Filter(must_not=stated)
    return models.Filter(must=stated)


def _condition(wanted: MetadataFilter, values_of: ValuesOf) -> Any:
    """Return the condition that a filter is."""
    operator, value = wanted.operator, wanted.value
    key = wanted.key if _PLAIN_KEY.fullmatch(wanted.key) else f'"{wanted.key}"'
    if operator in _NEGATED:
        positive = wanted.model_copy(update={"operator": _NEGATED[operator]})
        return models.Filter(must_not=[_condition(positive, values_of)])
    if operator in _BOUNDS:
        return _bound(key, _BOUNDS[operator], value)
    if operator in (FilterOperator.IN, FilterOperator.ANY):
        return _any_of(key, _listed(wanted))
    if operator == FilterOperator.ALL:
        return models.Filter(must=[_equal(key, one) for one in _listed(wanted)])
    if operator == FilterOperator.IS_EMPTY:
        return models.Filter(should=[models.IsEmptyCondition(is_empty=models.PayloadField(key=key)), _equal(key, "")])
    if operator in (FilterOperator.TEXT_MATCH, FilterOperator.TEXT_MATCH_INSENSITIVE):
        return _containing(wanted, key, values_of)
    return _equal(key, value)  # EQ, and CONTAINS: a condition holds for a list where it holds for one of its values


def _containing(wanted: MetadataFilter, key: str, values_of: ValuesOf) -> Any:
    """Return the condition that a text holds another one."""
    if not isinstance(wanted.value, str):
        raise ConfigurationError(f"{wanted.key!r}: expected a text to look for, got {wanted.value!r}.")
    fold = str.casefold if wanted.operator == FilterOperator.TEXT_MATCH_INSENSITIVE else str
    sought = fold(wanted.value)
    return _any_of(key, sorted({one for one in values_of(key) if isinstance(one, str) and sought in fold(one)}))


def _listed(wanted: MetadataFilter) -> list[Any]:
    if not isinstance(wanted.value, list):
        raise ConfigurationError(f"{wanted.key!r}: {wanted.operator.value!r} takes a list, got {wanted.value!r}.")
    return list(wanted.value)


def _any_of(key: str, values: list[Any]) -> Any:
    """Return the condition that a field has one of some values; of none it has none."""
    if not values:
        return models.HasIdCondition(has_id=[])
    return models.Filter(should=[_equal(key, one) for one in values])


def _equal(key: str, value: Any) -> Any:
    if value is None:
        return models.IsEmptyCondition(is_empty=models.PayloadField(key=key))
    if isinstance(value, list):
        raise ConfigurationError(f"{key!r}: expected one value, got {value!r}; for several use FilterOperator.IN.")
    if isinstance(value, str):
        return models.FieldCondition(key=key, match=models.MatchValue(value=value))
    if isinstance(value, bool):
        return models.FieldCondition(key=key, match=models.MatchValue(value=value))
    return models.FieldCondition(key=key, range=models.Range(gte=value, lte=value))  # 2 and 2.0 are the same


def _bound(key: str, name: str, value: Any) -> Any:
    if isinstance(value, str):
        try:
            return models.FieldCondition(key=key, range=models.DatetimeRange(**{name: datetime.fromisoformat(value)}))
        except ValueError:
            raise ConfigurationError(
                f"{key!r}: a bound is a number or a time such as '2026-01-31T12:00:00Z', got {value!r}."
            ) from None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigurationError(f"{key!r}: a bound is a number or a time, got {value!r}.")
    return models.FieldCondition(key=key, range=models.Range(**{name: value}))
