"""Filters and all their conditions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import qdrant_edge as edge
from qdrant_client import models

from qdrant_embed.errors import StoreError
from qdrant_embed.store.edge.convert.values import Converters, become, convert
from qdrant_embed.store.edge.point_ids import edge_ids

MOST_WRITTEN_LEVELS = 100
"""Dicts and lists inside each other in a filter that goes into the log: from 128 on it could not be read again."""

_TABLE: dict[type, Callable[[Any], Any]] = {}
TABLE: Converters = _TABLE


def edge_filter(model: models.Filter | None) -> edge.Filter | None:
    """Return a filter for Qdrant Edge; None stays None."""
    if model is None:
        return None
    return edge.Filter(
        must=_conditions(model.must),
        should=_conditions(model.should),
        must_not=_conditions(model.must_not),
        min_should=None if model.min_should is None else convert(model.min_should, TABLE),
    )


def written_filter(model: models.Filter) -> edge.Filter:
    """Return the filter of a change, which is kept in the log.

    :raises StoreError: It is nested so deep that the log could not be read again.
    """
    converted = edge_filter(model) or edge.Filter()
    waiting: list[tuple[Any, int]] = [(model.model_dump(mode="json", exclude_none=True), 1)]
    while waiting:
        part, level = waiting.pop()
        if level > MOST_WRITTEN_LEVELS:
            raise StoreError(
                f"the filter of a change is nested deeper than {MOST_WRITTEN_LEVELS} levels; flatten it, or give the "
                "ids of the points."
            )
        inner = part.values() if isinstance(part, dict) else part
        waiting += [(value, level + 1) for value in inner if isinstance(value, (dict, list))]
    return converted


def condition(model: models.Condition) -> Any:
    """Return one condition for Qdrant Edge.

    :raises UnsupportedByEngineError: Qdrant Edge has no such condition.
    """
    return convert(model, TABLE)


def _conditions(given: Any) -> list[Any] | None:
    if given is None:
        return None
    return [condition(model) for model in (given if isinstance(given, list) else [given])]


def _polygon(model: models.GeoPolygon) -> edge.GeoPolygon:
    rings = [[convert(point, TABLE) for point in ring.points] for ring in (model.exterior, *(model.interiors or ()))]
    return edge.GeoPolygon(rings[0], rings[1:] or None)


def _match_value(model: models.MatchValue) -> edge.MatchValue:
    # Qdrant Edge 0.9 takes Python's True for the integer 1, and then finds nothing; numpy's it takes for what it is.
    value: Any = np.bool_(model.value) if isinstance(model.value, bool) else model.value
    return edge.MatchValue(value)


_TABLE.update(
    {
        models.Filter: edge_filter,
        models.MinShould: lambda model: edge.MinShould(_conditions(model.conditions) or [], model.min_count),
        models.FieldCondition: become(edge.FieldCondition, TABLE),
        models.IsEmptyCondition: lambda model: edge.IsEmptyCondition(model.is_empty.key),
        models.IsNullCondition: lambda model: edge.IsNullCondition(model.is_null.key),
        models.HasIdCondition: lambda model: edge.HasIdCondition(set(edge_ids(model.has_id))),
        models.SliceCondition: lambda model: edge.SliceCondition(model.slice.total, model.slice.index),  # type: ignore[attr-defined]
        models.HasVectorCondition: lambda model: edge.HasVectorCondition(model.has_vector),
        models.NestedCondition: lambda model: edge.NestedCondition(
            model.nested.key, edge_filter(model.nested.filter) or edge.Filter()
        ),
        models.MatchValue: _match_value,
        models.MatchAny: lambda model: edge.MatchAny(model.any),
        models.MatchExcept: lambda model: edge.MatchExcept(model.except_),
        models.MatchText: become(edge.MatchText, TABLE),
        models.MatchTextAny: become(edge.MatchTextAny, TABLE),
        models.MatchPhrase: become(edge.MatchPhrase, TABLE),
        models.MatchPrefix: become(edge.MatchPrefix, TABLE),
        models.MatchSubstring: become(edge.MatchSubstring, TABLE),
        models.Range: become(edge.RangeFloat, TABLE),
        models.DatetimeRange: become(edge.RangeDateTime, TABLE),
        models.ValuesCount: become(edge.ValuesCount, TABLE),
        models.GeoPoint: become(edge.GeoPoint, TABLE),
        models.GeoBoundingBox: become(edge.GeoBoundingBox, TABLE),
        models.GeoRadius: become(edge.GeoRadius, TABLE),
        models.GeoPolygon: _polygon,
    }
)
