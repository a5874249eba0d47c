"""Plain filters, read into `qdrant_client.models.Filter`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from qdrant_embed.errors import ConfigurationError
from qdrant_embed.store.filters.fields import PAYLOAD_FIELDS, Field
from qdrant_embed.store.filters.filter_values import EXAMPLE, is_several, moment, plain_value
from qdrant_embed.store.filters.patterns import Pattern

if TYPE_CHECKING:
    from qdrant_client import models

MOST_NESTED = 64
"""Filters inside each other; engines and Python's own stack take few more."""
MOST_RANGES = 1000
"""Whole numbers of a list that are found where they were stored as 3.0 too; of more, each point would take long."""
EXACT_FLOATS = 2**53
"""Below it, every whole number is a float of its own."""
HEADINGS_BETWEEN = " › "
_BOUNDS = ("gt", "gte", "lt", "lte")
_OPERATORS = (*_BOUNDS, "eq", "not", "words", "phrase")
PlainFilter = Mapping[str, Any]
FilterLike: TypeAlias = "PlainFilter | models.Filter | None"
"""What is taken for a filter: a plain dict, one of `qdrant_client`'s, or None for all points."""


class Lookup(Protocol):
    """Finds out from a collection what an engine's conditions cannot say."""

    def texts(self, field: Field, pattern: Pattern) -> list[str]:
        """Return the stored texts of a field that a pattern matches."""
        ...

    def points(self, field: Field, where: models.Filter) -> models.Condition:
        """Return the condition that holds for the points whose value of a field, called `value`, passes a filter."""
        ...


def to_filter(plain: FilterLike, lookup: Lookup | None = None) -> models.Filter | None:
    """Turn a plain dict into a Qdrant filter; a Qdrant filter and None pass as they are.

    :param lookup: Of the collection that is asked; without one, patterns can only be prefixes.
    :raises ConfigurationError: The dict says something that has no meaning; what is possible is listed.
    """
    if plain is None:
        return None
    from qdrant_client import models

    if isinstance(plain, models.Filter):
        return plain
    _require_mapping(plain)
    return _Grammar(lookup).filter(plain, 0) if plain else None


def both(first: models.Filter | None, second: models.Filter | None) -> models.Filter | None:
    """Return a filter that holds where both do."""
    if first is None or second is None:
        return first or second
    from qdrant_client import models

    return models.Filter(must=[first, second])


def without(condition: models.Filter | None, ids: Sequence[Any]) -> models.Filter:
    """Return a filter that holds where another does, but for some points."""
    from qdrant_client import models

    others = models.Filter(must_not=[models.HasIdCondition(has_id=list(ids))])
    return both(condition, others) or others


def _require_mapping(plain: Any) -> None:
    if not isinstance(plain, Mapping):
        raise ConfigurationError(f"a filter must be a dict or a qdrant_client Filter, not {plain!r}. {EXAMPLE}")


class _Grammar:
    """Reads plain filters for one collection, or for none."""

    def __init__(self, lookup: Lookup | None) -> None:
        self.lookup = lookup

    def filter(self, plain: Any, depth: int) -> models.Filter:
        from qdrant_client import models

        if isinstance(plain, models.Filter):
            return plain
        if depth > MOST_NESTED:
            raise ConfigurationError(f"filters nest at most {MOST_NESTED} deep; this one goes deeper, or holds itself.")
        _require_mapping(plain)
        if not plain:
            raise ConfigurationError(f"an empty filter inside a filter matches nothing sensible; drop it. {EXAMPLE}")
        return models.Filter(must=[self.entry(key, wanted, depth) for key, wanted in plain.items()])

    def entry(self, key: str, wanted: Any, depth: int) -> models.Condition:
        from qdrant_client import models

        if key == "any":
            return models.Filter(should=[self.filter(part, depth + 1) for part in _list_of_filters(key, wanted)])
        if key == "all":
            return models.Filter(must=[self.filter(part, depth + 1) for part in _list_of_filters(key, wanted)])
        if key == "not":
            return models.Filter(must_not=[self.filter(wanted, depth + 1)])
        return self.field(Field.of(key), wanted, depth)

    def field(self, field: Field, wanted: Any, depth: int) -> models.Condition:
        if depth > MOST_NESTED:
            raise ConfigurationError(f"filters nest at most {MOST_NESTED} deep; this one goes deeper, or holds itself.")
        if wanted is None:
            return self.at(field, _empty, every=True)
        if isinstance(wanted, Mapping):
            return self.operators(field, wanted, depth)
        if is_several(wanted):
            return self.any_of(field, list(wanted), depth)
        value = plain_value(field, wanted)
        if value is None:
            return self.field(field, None, depth)
        if isinstance(value, str):
            return self.text(field, value)
        return self.at(field, lambda path: _equal(path, value))

    def at(
        self, field: Field, condition: Callable[[str], models.Condition], *, every: bool = False
    ) -> models.Condition:
        """Return a condition at the one place where a field can stand, or at any of its places.

        :param every: At all of its places.
        """
        from qdrant_client import models

        if not field.paths:
            if self.lookup is None:
                raise ConfigurationError(
                    f"the key {field.key!r} holds a '\"' or a '\\', which no engine can filter by."
                )
            return self.lookup.points(field, models.Filter(must=[condition("value")]))
        conditions = [condition(path) for path in field.paths]
        if len(conditions) == 1:
            return conditions[0]
        return models.Filter(must=conditions) if every else models.Filter(should=conditions)

    def any_of(self, field: Field, values: Sequence[Any], depth: int) -> models.Condition:
        from qdrant_client import models

        plain = [value if isinstance(value, Mapping) else plain_value(field, value) for value in values]
        many = not field.own or sum(type(value) is int for value in plain) > MOST_RANGES
        texts: list[Any] = []
        numbers: list[Any] = []
        others: list[Any] = []
        for value in plain:
            if isinstance(value, str) and not Pattern.is_one(value) and not _is_path(field, value):
                texts.append(Pattern.literal(value))
            else:
                (numbers if type(value) is int and many else others).append(value)
        groups = [group for group in (texts, numbers) if group] if plain else [[]]
        found = [
            *(self.at(field, partial(_match_any, values=group)) for group in groups),
            *(self.field(field, value, depth + 1) for value in others),
        ]
        return found[0] if len(found) == 1 else models.Filter(should=found)

    def text(self, field: Field, wanted: str) -> models.Condition:
        from qdrant_client import models

        if Pattern.is_one(wanted):
            return self.matching(field, Pattern.of(wanted))
        exact = Pattern.literal(wanted)
        found = self.at(field, lambda path: _equal(path, exact))
        if not _is_path(field, exact):
            return found
        path = models.Filter(must=[_equal("headings", heading) for heading in exact.split(HEADINGS_BETWEEN)])
        return models.Filter(should=[found, path])

    def matching(self, field: Field, pattern: Pattern) -> models.Condition:
        from qdrant_client import models

        if pattern.prefix is not None:
            match = models.MatchPrefix(prefix=pattern.prefix)
            return self.at(field, lambda path: models.FieldCondition(key=path, match=match))
        if self.lookup is None:
            raise ConfigurationError(
                f"{field.key!r}: {pattern.text!r} has a '*' that is not at its end; here only prefixes can be matched, "
                "as in 'guide/*'."
            )
        texts = self.lookup.texts(field, pattern)
        return self.at(field, partial(_match_any, values=texts))

    def operators(self, field: Field, wanted: Mapping[str, Any], depth: int) -> models.Condition:
        from qdrant_client import models

        if not wanted or not set(wanted) <= set(_OPERATORS):
            known = ", ".join(_OPERATORS)
            raise ConfigurationError(f"{field.key!r}: unknown operators in {dict(wanted)!r}; known: {known}. {EXAMPLE}")
        found: list[models.Condition] = []
        bounds = {name: wanted[name] for name in _BOUNDS if name in wanted}
        if bounds:
            found.append(self.at(field, lambda path: _range(field, path, bounds)))
        if "eq" in wanted:
            value = plain_value(field, wanted["eq"])
            found.append(self.at(field, lambda path: _empty(path) if value is None else _equal(path, value)))
        if "not" in wanted:
            found.append(models.Filter(must_not=[self.field(field, wanted["not"], depth + 1)]))
        found += [self.words(field, name, wanted[name]) for name in ("words", "phrase") if name in wanted]
        return found[0] if len(found) == 1 else models.Filter(must=found)

    def words(self, field: Field, operator: str, wanted: Any) -> models.Condition:
        from qdrant_client import models

        if not isinstance(wanted, str) or not wanted.strip():
            raise ConfigurationError(f'{field.key!r}: "{operator}" takes a text with words, not {wanted!r}. {EXAMPLE}')
        match = models.MatchText(text=wanted) if operator == "words" else models.MatchPhrase(phrase=wanted)
        return self.at(field, lambda path: models.FieldCondition(key=path, match=match))


def _is_path(field: Field, text: str) -> bool:
    """Tell whether a text is a way through headings, as hits show it."""
    return field.paths == ("headings",) and HEADINGS_BETWEEN in text


def _list_of_filters(key: str, wanted: Any) -> Sequence[Any]:
    if not isinstance(wanted, Sequence) or isinstance(wanted, str) or not wanted:
        raise ConfigurationError(
            f'"{key}" takes a list of filters, not {wanted!r}; a field of that name is "metadata.{key}". {EXAMPLE}'
        )
    return wanted


def _empty(path: str) -> models.Condition:
    from qdrant_client import models

    return models.IsEmptyCondition(is_empty=models.PayloadField(key=path))


def _match_any(path: str, values: Sequence[Any]) -> models.Condition:
    from qdrant_client import models

    return models.FieldCondition(key=path, match=models.MatchAny(any=list(values)))


def _equal(path: str, value: Any) -> models.Condition:
    from qdrant_client import models

    if isinstance(value, date):
        return models.FieldCondition(key=path, range=models.DatetimeRange(gte=value, lte=value))
    # What may have been stored as 3.0 is found by a range alone.
    whole = isinstance(value, int) and (path in PAYLOAD_FIELDS or EXACT_FLOATS < abs(value) < 2**63)
    if isinstance(value, (str, bool)) or whole:
        return models.FieldCondition(key=path, match=models.MatchValue(value=value))
    return models.FieldCondition(key=path, range=models.Range(gte=value, lte=value))


def _range(field: Field, path: str, bounds: Mapping[str, Any]) -> models.Condition:
    from qdrant_client import models

    try:
        plain = {name: plain_value(field, value) for name, value in bounds.items()}
        if all(isinstance(value, (int, float)) for value in plain.values()):
            return models.FieldCondition(key=path, range=models.Range(**plain))
        times = {name: moment(value) for name, value in plain.items()}
    except (TypeError, ValueError):
        raise ConfigurationError(
            f"{field.key!r}: the bounds of a range must be numbers or ISO 8601 times, not {dict(bounds)!r}. {EXAMPLE}"
        ) from None
    return models.FieldCondition(key=path, range=models.DatetimeRange(**times))
