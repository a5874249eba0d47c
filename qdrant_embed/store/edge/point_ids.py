"""Ids of points, checked and plain."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np

from qdrant_embed.errors import StoreError

if TYPE_CHECKING:
    from qdrant_embed.store.methods.client_methods import PointId


def plain_id(found: PointId) -> int | str:
    """Return a point id as `qdrant_client` gives it: an integer, or a UUID as text."""
    return found if isinstance(found, int) else str(found)


def edge_ids(ids: Iterable[PointId]) -> list[PointId]:
    """Return point ids as a list.

    :raises StoreError: One of them is neither an unsigned integer nor a UUID.
    """
    listed = list(ids)
    for point_id in listed:
        if not _is_id(point_id):
            raise StoreError(f"{point_id!r} is no point id; ids are unsigned integers or UUIDs.")
    return listed


def _is_id(value: object) -> bool:
    if isinstance(value, str):
        try:
            UUID(value)
        except ValueError:
            return False
        return True
    if isinstance(value, UUID):
        return True
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and 0 <= int(value) < 2**64
