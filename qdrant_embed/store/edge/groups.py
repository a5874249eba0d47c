"""Hits grouped by a payload field, which Qdrant Edge does not do in Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qdrant_client import models

if TYPE_CHECKING:
    from qdrant_embed.store.methods.client_methods import PointId


class Groups:
    """The best hits of each value of a field.

    :param key: The payload field.
    :param limit: Groups at most.
    :param size: Hits of a group at most.
    """

    def __init__(self, key: str, limit: int, size: int) -> None:
        self._key, self._limit, self._size = key, limit, size
        self._hits: dict[int | str, list[models.ScoredPoint]] = {}

    def fill(self, points: Sequence[models.ScoredPoint]) -> bool:
        """Group hits anew, best first, and tell whether more of them would change nothing."""
        self._hits = {}
        for point in points:
            for value in self._values(point.payload or {}):
                if value in self._hits or len(self._hits) < self._limit:
                    hits = self._hits.setdefault(value, [])
                    if len(hits) < self._size:
                        hits.append(point)
        return len(self._hits) == self._limit and all(len(hits) == self._size for hits in self._hits.values())

    def ids(self) -> list[PointId]:
        """Return the ids of all hits, each once."""
        return list(dict.fromkeys(point.id for hits in self._hits.values() for point in hits))

    def result(self, whole: Mapping[Any, models.Record]) -> models.GroupsResult:
        """Return the groups.

        :param whole: The hits' payloads and vectors; what is missing has been removed meanwhile.
        """
        groups = [
            models.PointGroup.model_construct(
                id=value,
                hits=[
                    point.model_copy(update={"payload": whole[point.id].payload, "vector": whole[point.id].vector})
                    for point in hits
                    if point.id in whole
                ],
                lookup=None,
            )
            for value, hits in self._hits.items()
        ]
        return models.GroupsResult.model_construct(groups=groups)

    def _values(self, payload: dict[str, Any]) -> list[int | str]:
        """Return the groups that a point belongs to; none where a value is neither a text nor a whole number."""
        from qdrant_client.local.payload_value_extractor import value_by_key

        values = value_by_key(payload, self._key) or []
        return [] if any(type(value) not in (int, str) for value in values) else list(dict.fromkeys(values))


def with_larger_limits(prefetch: Any, times: int) -> Any:
    """Return prefetches that give as many times more hits, so that there are enough for each group."""
    if prefetch is None:
        return None
    if isinstance(prefetch, list):
        return [with_larger_limits(one, times) for one in prefetch]
    changes = {"limit": (prefetch.limit or 10) * times, "prefetch": with_larger_limits(prefetch.prefetch, times)}
    return prefetch.model_copy(update=changes)
