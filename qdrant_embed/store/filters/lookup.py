"""What a collection is asked before it is filtered: texts that a pattern matches, fields that exist."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from qdrant_embed.errors import FilterWarning, StoreError, warn_user
from qdrant_embed.store.filters.fallbacks import answerable, facet_values
from qdrant_embed.store.filters.fields import INDEXED_FIELDS, METADATA, PAYLOAD_FIELDS, Field
from qdrant_embed.store.filters.grammar import FilterLike, to_filter
from qdrant_embed.store.filters.patterns import Pattern
from qdrant_embed.store.scroll import pages

if TYPE_CHECKING:
    from qdrant_client import models

    from qdrant_embed.store.engine import Engine

PAGE = 1024
SAMPLE = 256
"""Points whose metadata say which keys there are to suggest."""
LISTED_AT_MOST = 20


@dataclass(frozen=True, slots=True)
class CollectionLookup:
    """Answers for one collection."""

    engine: Engine
    name: str

    def texts(self, field: Field, pattern: Pattern) -> list[str]:
        """Return the stored texts of a field that a pattern matches."""
        found = self._indexed(field.key, pattern) if field.key in INDEXED_FIELDS else self._scanned(field)
        return sorted({text for text in found if isinstance(text, str) and pattern.matches(text)})

    def points(self, field: Field, where: models.Filter) -> models.Condition:
        """Return the condition that holds for the points whose value of a field, called `value`, passes a filter."""
        from qdrant_client import models
        from qdrant_client.local.payload_filters import check_filter

        ids: list[Any] = []
        for record in self._metadata():
            held = field.values((record.payload or {}).get(METADATA))
            payload = {"value": held[0] if len(held) == 1 else held} if held else {}
            if check_filter(where, payload, record.id, {}):
                ids.append(record.id)
        return models.HasIdCondition(has_id=ids)

    def _indexed(self, key: str, pattern: Pattern) -> Iterator[Any]:
        from qdrant_client import models

        scope = None
        # The one with an index of prefixes, where there are such.
        if pattern.beginning and key == "source" and not self.engine.lacks("prefix match"):
            begins = models.FieldCondition(key=key, match=models.MatchPrefix(prefix=pattern.beginning))
            scope = models.Filter(must=[begins])
        yield from facet_values(self.engine, self.name, key, scope)

    def _scanned(self, field: Field) -> Iterator[Any]:
        if field.own:
            for record in self._metadata():
                yield from field.values((record.payload or {}).get(METADATA))
            return
        for page in pages(self.engine, self.name, PAGE, fields=[field.key]):
            yield from ((record.payload or {}).get(field.key) for record in page)

    def _metadata(self) -> Iterator[models.Record]:
        for page in pages(self.engine, self.name, PAGE, fields=[METADATA]):
            yield from page


def filter_of(engine: Engine, name: str, plain: FilterLike) -> models.Filter | None:
    """Turn a plain filter into a Qdrant filter for a collection.

    :raises ConfigurationError: The dict says something that has no meaning; what is possible is listed.
    :raises UnsupportedByEngineError: The engine has no such condition, and no way around it.
    """
    return answerable(engine, name, to_filter(plain, CollectionLookup(engine, name)))


def warn_of_unknown_fields(engine: Engine, name: str, plain: FilterLike, found: int) -> None:
    """Warn of the fields of a filter that no point of the collection has, with the near names that some have.

    :param found: What the filter let through; only where that is nothing there is something to say: `{"sorce": "a.md"}`
        finds nothing, and says nothing of it.
    """
    if found or not isinstance(plain, Mapping):
        return
    for key in sorted(_keys(plain)):
        field = Field.of(key)
        try:
            if not field.own or not field.paths or _occurs(engine, name, field):
                continue
            known = _known_keys(engine, name)
        except StoreError:  # a server in strict mode does not look without an index
            continue
        if not known:
            continue  # an empty collection has no fields at all
        near = get_close_matches(field.key, known, n=3, cutoff=0.6)
        advice = f"did you mean {' or '.join(map(repr, near))}?" if near else f"fields found: {_listed(known)}."
        warn_user(
            f"no document of collection {name!r} has a field {field.key!r}, which the filter names; {advice}",
            FilterWarning,
        )


def _keys(plain: Any) -> set[str]:
    found: set[str] = set()
    for key, wanted in plain.items():
        parts = [wanted] if key == "not" else wanted if key in ("any", "all") else ()
        if not parts:
            found.add(key)
        for part in parts:
            if isinstance(part, Mapping):
                found |= _keys(part)
    return found


def _occurs(engine: Engine, name: str, field: Field) -> bool:
    from qdrant_client import models

    there: list[models.Condition] = [
        models.Filter(must_not=[models.IsEmptyCondition(is_empty=models.PayloadField(key=path))])
        for path in field.paths
    ]
    return bool(engine.scroll(name, models.Filter(should=there), limit=1, with_payload=False)[0])


def _known_keys(engine: Engine, name: str) -> list[str]:
    records, _ = engine.scroll(name, limit=SAMPLE, with_payload=[METADATA])
    own = {key for record in records for key in (record.payload or {}).get(METADATA) or {}}
    return [*sorted(own), *PAYLOAD_FIELDS] if records else []


def _listed(known: list[str]) -> str:
    more = f" and {len(known) - LISTED_AT_MOST} more" if len(known) > LISTED_AT_MOST else ""
    return ", ".join(map(repr, known[:LISTED_AT_MOST])) + more
