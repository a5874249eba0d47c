"""Points that came in several answers, as one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from qdrant_client import models

    from qdrant_embed.store.methods.client_methods import PointId

    Page = tuple[list[models.Record], PointId | None]


def one_page(pages: Sequence[Page], size: int) -> Page:
    """Return the points that come first in several lists, by their ids, and where the next page begins."""
    if len(pages) == 1:
        return pages[0]
    found = {record.id: record for records, _ in pages for record in records}
    # Beyond the end of a page that others follow, the lists are not whole.
    ends = [_place(following) for _, following in pages if following is not None]
    ids = sorted(found, key=_place)
    whole = [id_ for id_ in ids if not ends or _place(id_) < min(ends)]
    following = ids[size] if len(whole) > size else min(ends)[1] if ends else None
    return [found[id_] for id_ in whole[:size]], following


def by_ids(records: Iterable[models.Record], ids: Sequence[PointId]) -> list[models.Record]:
    """Return points in the order in which their ids were given."""
    found = {_canonical(record.id): record for record in records}
    return [found[key] for key in map(_canonical, ids) if key in found]


def tally(records: Iterable[models.Record], key: str, limit: int) -> models.FacetResponse:
    """Count the values of a payload field, most frequent first."""
    from qdrant_client import models
    from qdrant_client.local.payload_value_extractor import value_by_key

    counts = Counter(
        value
        for record in records
        for value in {one for one in value_by_key(dict(record.payload or {}), key) or () if isinstance(one, str | int)}
    )
    hits = sorted(counts.items(), key=lambda hit: (-hit[1], isinstance(hit[0], str), hit[0]))
    return models.FacetResponse(hits=[models.FacetValueHit(value=value, count=count) for value, count in hits[:limit]])


def _place(id_: Any) -> tuple[bool, Any]:
    """Return what servers sort ids by: numbers come first."""
    return not isinstance(id_, int), id_


def _canonical(id_: Any) -> str:
    try:
        return str(id_) if isinstance(id_, int) else str(UUID(str(id_)))
    except ValueError:
        return str(id_)
