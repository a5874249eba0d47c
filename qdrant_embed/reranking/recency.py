"""Newer passages before older ones that answer as well."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from qdrant_embed.errors import ConfigurationError, RerankWarning, warn_user
from qdrant_embed.reranking.base import RerankContext, Reranker, relevance
from qdrant_embed.retrieval.hits import Hit
from qdrant_embed.store.filters import METADATA, Field

HALF_LIFE = timedelta(days=30)
MODIFIED = "modified"
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1), "y": timedelta(days=365.25)}
_WORD = re.compile(r"(\d+(?:\.\d+)?)([hdwy])(?::(.+))?")


class RecencyReranker(Reranker):
    """Ranks by the mean of a list's own score, from 0 to 1, and of how new a passage is.

    The score is `(relevance + 0.5 ** (age / half_life)) / 2`: the second part is 1 for what is new or in the future, a
    half for what is one half-life old, and 0 for what has no date. It is worked out here, not by the engine, since it
    goes on from any list, a fused or reranked one too.

    :param half_life: After which a passage counts half as new.
    :param field: A time in ISO 8601, of the payload (`modified`) or of the document's metadata; of several the latest.
    :param now: Returns the time that ages end at.
    :raises ConfigurationError: The half-life is not positive.
    """

    def __init__(
        self,
        context: RerankContext,
        half_life: timedelta = HALF_LIFE,
        field: str = MODIFIED,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        if half_life <= timedelta(0):
            raise ConfigurationError(f"half_life={half_life}; give a time above 0, as in rerank='recency:30d'.")
        self._context, self.half_life, self._now = context, half_life, now
        self.field = Field.of(field)

    @classmethod
    def from_word(cls, context: RerankContext, argument: str) -> RecencyReranker:
        """Read `recency`, `recency:30d` or `recency:30d:metadata.date`.

        :raises ConfigurationError: What stands behind the colon is no half-life.
        """
        if not argument:
            return cls(context)
        found = _WORD.fullmatch(argument)
        if found is None or not float(found[1]):
            raise ConfigurationError(
                f"rerank='recency:{argument}': a half-life in h, d, w or y was expected behind the colon, and perhaps "
                "a field behind that; type 'recency:30d', or 'recency:30d:metadata.date'."
            )
        try:
            return cls(context, float(found[1]) * _UNITS[found[2]], found[3] or MODIFIED)
        except OverflowError:
            raise ConfigurationError(f"rerank='recency:{argument}': no time is that long; type 'recency:1y'.") from None

    def rerank(self, query: str, hits: Sequence[Hit]) -> list[Hit]:
        """See `Reranker`."""
        if not hits:
            return []
        stored = self._context.payloads(hits, METADATA if self.field.own else self.field.key)
        dates = [self._date(payload) for payload in stored]
        if not any(dates):
            warn_user(
                f"none of the {len(hits)} passages found has a time in {self.field.key!r}, so that none is newer than "
                "another; name a field that holds times as '2026-01-31': rerank='recency:30d:metadata.date'.",
                RerankWarning,
            )
        now = self._now()
        ages = (None if date is None else max(timedelta(0), now - date) for date in dates)
        newness = (0.0 if age is None else float(0.5 ** (age / self.half_life)) for age in ages)
        scored = [
            replace(hit, score=(float(own) + new) / 2)
            for hit, own, new in zip(hits, relevance(hits), newness, strict=True)
        ]
        return sorted(scored, key=lambda hit: -hit.score)

    def _date(self, payload: Mapping[str, Any]) -> datetime | None:
        values = self.field.values(payload.get(METADATA)) if self.field.own else [payload.get(self.field.key)]
        return max((date for date in map(_as_time, values) if date is not None), default=None)


def _as_time(value: object) -> datetime | None:
    """Read a time; one without a zone is UTC."""
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return found if found is None or found.tzinfo else found.replace(tzinfo=UTC)
