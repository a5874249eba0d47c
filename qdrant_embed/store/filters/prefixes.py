"""Parts of values, where a server cannot match them: the values that begin so are looked up, and matched as they are.

Servers match prefixes since 1.19, and what stands within a value since 1.20. Other ways to the same answer were
weighed. Folders of a source as keywords of their own would be one cheap condition, but stored with every point of
every collection, for servers that are on their way out, and no answer to `gui*` or to prefixes of other fields.
`MatchText` means other things from version to version, and reads every payload.

So an operation asks once for the values of the field, however many pages or stages it has, and sees the collection as
it was then: what another process stores meanwhile is not deleted unseen, and is met by the next operation. The sources
of 100 000 documents are an answer of some megabytes, about a second; exact conditions beside the prefix, such as a
root, narrow it down. A field without a keyword index is read from the payloads of all points: see `index_field`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qdrant_embed.errors import UnsupportedByEngineError
from qdrant_embed.store.filters.fields import INDEXED_FIELDS
from qdrant_embed.store.scroll import pages

if TYPE_CHECKING:
    from qdrant_client import models

    from qdrant_embed.store.engine import Engine

PAGE = 1024
AT_ONCE = 10_000
"""Values of one condition, where strict mode does not allow fewer."""
OTHERS = 8
"""Conditions that a filter has beside these: what is a chunk of this library's, what the user asks for too."""


def answerable(engine: Engine, name: str, where: models.Filter | None) -> models.Filter | None:
    """Return a filter that lets the same points of a collection through, in conditions that its engine has.

    :raises UnsupportedByEngineError: It names slices, and the engine has none; or strict mode takes no filter of so
        many values.
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

        beside = beside if within else [*beside, *filter(_is_exact, _listed(where.must))]

        def changed(conditions: Any) -> list[models.Condition]:
            return [self.condition(one, within, beside) for one in _listed(conditions)]

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
        matches = _partial_match(self.engine, getattr(given, "match", None))
        return given if matches is None else self.any_of(given.key, within, matches, beside)

    def any_of(
        self, key: str, within: str, matches: Callable[[str], bool], beside: Sequence[models.Condition]
    ) -> models.Condition:
        """Return the condition of having one of the stored values that match."""
        from qdrant_client import models

        found = {value for value in self._values(within + key, beside) if isinstance(value, str) and matches(value)}
        listed, size = sorted(found), self._values_at_once(len(found))
        portions: list[models.Condition] = [
            models.FieldCondition(key=key, match=models.MatchAny(any=listed[start : start + size]))
            for start in range(0, max(1, len(listed)), size)
        ]
        return portions[0] if len(portions) == 1 else models.Filter(should=portions)

    def _values(self, path: str, beside: Sequence[models.Condition]) -> Iterator[Any]:
        from qdrant_client import models
        from qdrant_client.local.payload_value_extractor import value_by_key

        scope = models.Filter(must=list(beside)) if beside else None
        schema = (self.engine.get_collection(self.name).payload_schema or {}).get(path)
        if path in INDEXED_FIELDS or (schema is not None and schema.data_type == models.PayloadSchemaType.KEYWORD):
            yield from facet_values(self.engine, self.name, path, scope)
            return
        field = path.split(".")[0].split("[")[0]
        for page in pages(self.engine, self.name, PAGE, where=scope, fields=[field]):
            for record in page:
                yield from value_by_key(record.payload or {}, path) or ()

    def _values_at_once(self, count: int) -> int:
        """Return how many values one condition may hold.

        :raises UnsupportedByEngineError: All conditions that strict mode allows hold fewer than there are.
        """
        strict = self.engine.get_collection(self.name).config.strict_mode_config
        if strict is None or not strict.enabled:
            return AT_ONCE
        size = min(AT_ONCE, strict.condition_max_size or AT_ONCE)
        most = size * max(1, strict.filter_max_conditions - OTHERS) if strict.filter_max_conditions else count
        if count > most:
            raise UnsupportedByEngineError(
                f"the filter lets {count:,} values of a field through, which this server can only match one by one; "
                f"its strict mode takes {most:,} in a filter. Filter by something narrower, raise "
                "filter_max_conditions or condition_max_size, or upgrade it to Qdrant 1.19, which matches prefixes."
            )
        return size


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


def _listed(conditions: Any) -> list[Any]:
    return conditions if isinstance(conditions, list) else [] if conditions is None else [conditions]
