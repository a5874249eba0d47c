"""Filters that a server's limits leave too large, taken apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from qdrant_embed.store.client.limits import Limits, in_parts
from qdrant_embed.types import as_list

if TYPE_CHECKING:
    from qdrant_client import models

CLAUSES = ("must", "must_not", "should")


def portions(where: models.Filter | None, limits: Limits) -> list[models.Filter | None]:
    """Return filters that together hold where one does, each small enough for a server, as far as that can be.

    One condition of many values becomes several of fewer. Where these are too many for a filter, they go into several
    filters. A point with several values in a field may pass more than one of these.
    """
    size, most = limits.condition_max_size, limits.filter_max_conditions
    if where is None or size is None:
        return [where]
    nested = _nested(where, size)
    if most is None or conditions(nested) <= most:
        return [nested]
    largest = max(_wanted(where), key=lambda condition: len(values_of(condition)), default=None)
    if largest is None or len(values_of(largest)) <= size:
        return [nested]
    # What is left of the conditions when the others have theirs, each of so many values.
    others = conditions(_nested(_replaced(where, largest, _with_values(largest, values_of(largest)[:1])), size)) - 1
    held = max(1, most - others) * size
    parts = [_with_values(largest, part) for part in in_parts(values_of(largest), held)]
    return [found for part in parts for found in portions(_replaced(where, largest, part), limits)]


def conditions(where: models.Filter | None) -> int:
    """Count the conditions of a filter as a server does: those of nested filters instead of these."""
    if where is None:
        return 0
    return sum(1 if (inner := _inner(one)) is None else conditions(inner) for one in _all(where))


def ids_wanted(where: models.Filter | None) -> Sequence[Any]:
    """Return the ids that a filter names, besides which it lets nothing through; none if it names none."""
    named = _named(where)
    return () if named is None else values_of(named)


def among(where: models.Filter | None, ids: Sequence[Any]) -> models.Filter | None:
    """Return a filter that names some ids where it named more."""
    named = _named(where)
    return where if where is None or named is None else _replaced(where, named, _with_values(named, ids))


def _named(where: models.Filter | None) -> Any:
    conditions = _wanted(where) if where is not None else ()
    return next((condition for condition in conditions if getattr(condition, "has_id", None)), None)


def values_of(condition: Any) -> Sequence[Any]:
    """Return the values or ids that a condition lists; none for one of another kind."""
    found = getattr(condition, "has_id", None)
    match = getattr(condition, "match", None)
    return found or getattr(match, "any", None) or ()


def _nested(where: models.Filter, size: int) -> models.Filter:
    """Return a filter whose large conditions are several, one of which has to hold."""
    from qdrant_client import models

    def smaller(condition: Any) -> Any:
        inner = _inner(condition)
        if inner is not None:
            changed = _nested(inner, size)
            if isinstance(condition, models.NestedCondition):
                return models.NestedCondition(nested=models.Nested(key=condition.nested.key, filter=changed))
            return changed
        values = values_of(condition)
        if len(values) <= size:
            return condition
        return models.Filter(should=[_with_values(condition, part) for part in in_parts(values, size)])

    changes: dict[str, Any] = {
        clause: [smaller(one) for one in listed] for clause in CLAUSES if (listed := as_list(getattr(where, clause)))
    }
    if where.min_should is not None:
        least = [smaller(one) for one in where.min_should.conditions]
        changes["min_should"] = models.MinShould(conditions=least, min_count=where.min_should.min_count)
    return models.Filter(**changes)


def _wanted(where: models.Filter) -> Iterator[Any]:
    """Yield the conditions of which every one has to hold."""
    from qdrant_client import models

    for condition in as_list(where.must):
        if isinstance(condition, models.Filter):
            yield from _wanted(condition)
        else:
            yield condition


def _replaced(where: models.Filter, old: Any, new: Any) -> models.Filter:
    """Return a filter with another condition in the place of one of those that have to hold."""
    from qdrant_client import models

    must = [
        new if one is old else _replaced(one, old, new) if isinstance(one, models.Filter) else one
        for one in as_list(where.must)
    ]
    return where.model_copy(update={"must": must or None})


def _with_values(condition: Any, values: Sequence[Any]) -> Any:
    from qdrant_client import models

    if isinstance(condition, models.HasIdCondition):
        return models.HasIdCondition(has_id=list(values))
    return models.FieldCondition(key=condition.key, match=models.MatchAny(any=list(values)))


def _all(where: models.Filter) -> list[Any]:
    least = where.min_should.conditions if where.min_should is not None else []
    return [one for clause in CLAUSES for one in as_list(getattr(where, clause))] + list(least)


def _inner(condition: Any) -> models.Filter | None:
    from qdrant_client import models

    if isinstance(condition, models.NestedCondition):
        return condition.nested.filter
    return condition if isinstance(condition, models.Filter) else None
