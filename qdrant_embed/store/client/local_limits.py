"""What `qdrant_client` passes over in silence when it works in memory."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from qdrant_embed.errors import UnsupportedByEngineError


def require_answerable(asked: Iterable[tuple[Any, int | None]]) -> None:
    """Refuse a random sample with an offset, whose offset would not be looked at.

    :param asked: Queries, each with its offset.
    :raises UnsupportedByEngineError: One of them is such a sample.
    """
    from qdrant_client import models

    if any(isinstance(query, models.SampleQuery) and offset for query, offset in asked):
        raise UnsupportedByEngineError(
            "in memory a random sample has no offset; ask for as many more points and leave the first out, or use a "
            "folder or a server: at='qdrant_data', at='http://localhost:6333'."
        )
