"""Conditions that a server does not have, in others that it has: what they mean is looked up, and asked for as it is.

Servers match prefixes since 1.19, and what stands within a value since 1.20; words of a field without a text index they
match since 1.19.1, before that they looked for the whole text as it was written. So the values of the field, or the
texts, are read once for an operation, however many pages or stages it has, and compared here. What another process
stores meanwhile is met by the next operation, and never deleted unseen.

Other ways to match prefixes were weighed. Folders of a source as keywords of their own would be one cheap condition,
but stored with every point of every collection, for servers that are on their way out, and no answer to `gui*` or to
prefixes of other fields. `MatchText` reads every payload, and means other things from version to version.

The sources of 100 000 documents are an answer of some megabytes, about a second; exact conditions beside the prefix,
such as a root, narrow it down. A field without a keyword index, and every text, is read from all points' payloads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from qdrant_embed.errors import UnsupportedByEngineError
from qdrant_embed.store.filters.fields import INDEXED_FIELDS
from qdrant_embed.store.scroll import pages
from qdrant_embed.types import as_list

if TYPE_CHECKING:
    from qdrant_client import models

    from qdrant_embed.store.engine import Engine

PAGE = 1024


def answerable(engine: Engine, name: str, where: models.Filter | None) -> models.Filter | None:
    """Return a filter that lets the same points of a collection through, in conditions that its engine has.

    :raises UnsupportedByEngineError: It names slices, or words within a list of objects, and the engine cannot match
        these.
    """
    return None if where is None else _Conditions(engine, name).filter(where)


def facet_values(engine: Engine, name: str, key: str, scope: models.Filter | None) -> Iterator[Any]:
    """Yield the values of an indexed field, each once."""
    points = engine.count(name, count_filter=scope, exact=True).count
    if points:
        yield from (hit.value for hit in engine.facet(name, key, facet_filter=scope, limit=points, exact=True).hits)


@dataclass(frozen=True, slots=True)
class _Conditions:
    """Conditions of one collection.

    :ivar engine: What is to answer them.
    """

    engine: Engine
    name: str

    def filter(self, where: models.Filter, within: str = "", beside: Sequence[models.Condition] = ()) -> models.Filter:
        """Return the filter in other conditions.

        :param within: Path that its keys begin at.
        :param beside: Exact conditions that have to hold too.
        """
        from qdrant_client import models

        beside = beside if within else [*beside, *filter(_is_exact, as_list(where.must))]

        def changed(conditions: Any) -> list[models.Condition]:
            return [self.condition(one, within, beside) for one in as_list(conditions)]

        clauses = ("should", "must", "must_not")
        parts: dict[str, Any] = {part: changed(given) for part in clauses if (given := getattr(where, part))}
        if where.min_should is not None:
            least = where.min_should
            parts["min_should"] = models.MinShould(conditions=changed(least.conditions), min_count=least.min_count)
        return where.model_copy(update=parts)

    def condition(self, given: Any, within: str, beside: Sequence[models.Condition]) -> Any:
        """Return one condition, or what means the same."""
        from qdrant_client import models

        if isinstance(given, models.Filter):
            return self.filter(given, within, beside)
        if isinstance(given, models.NestedCondition):
            inner = self.filter(given.nested.filter, f"{within}{given.nested.key.removesuffix('[]')}[].", beside)
            return models.NestedCondition(nested=models.Nested(key=given.nested.key, filter=inner))
        if isinstance(given, models.SliceCondition) and (why := self.engine.lacks("slices")):
            raise UnsupportedByEngineError(f"a filter by slices is not to be had here: {why}.")
        match = getattr(given, "match", None)
        if isinstance(match, (models.MatchText, models.MatchTextAny, models.MatchPhrase)):
            return self.words(given, within, beside)
        matches = _partial_match(self.engine, match)
        return given if matches is None else self.any_of(given.key, within, matches, beside)

    def any_of(
        self, key: str, within: str, matches: Callable[[str], bool], beside: Sequence[models.Condition]
    ) -> models.Condition:
        """Return the condition of having one of the stored values that match."""
        from qdrant_client import models

        found = {value for value in self._values(within + key, beside) if isinstance(value, str) and matches(value)}
        return models.FieldCondition(key=key, match=models.MatchAny(any=sorted(found)))

    def words(self, given: models.FieldCondition, within: str, beside: Sequence[models.Condition]) -> models.Condition:
        """Return a condition on words, or the ids of the points that it holds for."""
        from qdrant_client import models
        from qdrant_client.local.payload_filters import check_condition

        path, why = within + given.key, self.engine.lacks("word match")
        index = self._index(path)
        if index is not None and index.data_type == models.PayloadSchemaType.TEXT:
            # An index that does not know the order of words finds no phrase at all, and says nothing of it.
            ordered = getattr(index.params, "phrase_matching", None) or not isinstance(given.match, models.MatchPhrase)
            why = "" if ordered else "the index that there is was made without phrase_matching"
        if not why:
            return given
        if within:
            raise UnsupportedByEngineError(f"words of {path!r} can only be matched with a text index here: {why}.")
        ids = [record.id for record in self._records(given.key, beside)
               if check_condition(given, record.payload or {}, record.id, {})]  # fmt: skip
        return models.HasIdCondition(has_id=ids)

    def _values(self, path: str, beside: Sequence[models.Condition]) -> Iterator[Any]:
        from qdrant_client import models
        from qdrant_client.local.payload_value_extractor import value_by_key

        index = self._index(path)
        if path in INDEXED_FIELDS or (index is not None and index.data_type == models.PayloadSchemaType.KEYWORD):
            yield from facet_values(self.engine, self.name, path, _all_of(beside))
            return
        for record in self._records(path, beside):
            yield from value_by_key(record.payload or {}, path) or ()

    def _records(self, path: str, beside: Sequence[models.Condition]) -> Iterator[models.Record]:
        """Return the points that pass exact conditions, with the field of the payload that a path leads into."""
        field = path.split(".")[0].split("[")[0]
        return chain.from_iterable(pages(self.engine, self.name, PAGE, where=_all_of(beside), fields=[field]))

    def _index(self, path: str) -> models.PayloadIndexInfo | None:
        return (self.engine.get_collection(self.name).payload_schema or {}).get(path)


def _partial_match(engine: Engine, match: Any) -> Callable[[str], bool] | None:
    """Return what a match by a part of a value means, where the engine does not have it; else None."""
    from qdrant_client import models

    if isinstance(match, models.MatchPrefix) and engine.lacks("prefix match"):
        return lambda value: value.startswith(match.prefix)
    if isinstance(match, models.MatchSubstring) and engine.lacks("substring match"):
        return lambda value: match.substring in value
    return None


def _is_exact(condition: Any) -> bool:
    """Tell whether a condition is one that an index answers at once."""
    from qdrant_client import models

    return getattr(condition, "key", None) in INDEXED_FIELDS and isinstance(condition.match, models.MatchValue)


def _all_of(conditions: Sequence[models.Condition]) -> models.Filter | None:
    from qdrant_client import models

    return models.Filter(must=list(conditions)) if conditions else None
