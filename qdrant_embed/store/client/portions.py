"""What one request of points may hold: in which form they travel, and how many bytes they take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qdrant_embed.store.points import checked_payload

if TYPE_CHECKING:
    from qdrant_client import models

REQUEST_BYTES = 16 * 1024 * 1024
"""A request of points is kept below this: half of what a server takes by default."""
BYTES_PER_FLOAT = 22
"""Of a float32 that went through Python's float, as JSON."""
BYTES_PER_PAYLOAD = 4096


def plain(point: models.PointStruct) -> models.PointStruct:
    """Return the point as it travels: its numpy vectors as lists, its payload as JSON.

    :raises StoreError: A value of its payload, or of a vector, cannot be stored.
    """
    from qdrant_client import models

    payload = checked_payload(point)
    vector: Any = point.vector
    if isinstance(vector, dict):
        vector = {name: _as_list(value) for name, value in vector.items()}
    return models.PointStruct.model_construct(id=point.id, vector=_as_list(vector), payload=payload)


def points_at_once(points: Sequence[models.PointStruct]) -> int:
    """Return how many points a request may hold by its size, each as large as the largest of these."""
    point_bytes = BYTES_PER_PAYLOAD + BYTES_PER_FLOAT * max(_floats(point.vector) for point in points)
    return max(1, REQUEST_BYTES // point_bytes)


def completed() -> models.UpdateResult:
    """Return the answer to a change that is done, or that was of no points."""
    from qdrant_client import models

    return models.UpdateResult(operation_id=0, status=models.UpdateStatus.COMPLETED)


def _as_list(vector: Any) -> Any:
    return vector.tolist() if isinstance(vector, np.ndarray) else vector


def _floats(vector: Any) -> int:
    """Count the numbers of a point's vectors."""
    if isinstance(vector, dict):
        return sum(_floats(value) for value in vector.values())
    if isinstance(vector, list):
        return sum(map(len, vector)) if vector and isinstance(vector[0], list) else len(vector)
    return len(getattr(vector, "values", ()))
