"""What a filter compares with: values of Python, numpy and pandas as they would be stored."""

from __future__ import annotations

from collections.abc import Sequence, Set
from datetime import date, datetime
from typing import Any

import numpy as np

from qdrant_embed.errors import ConfigurationError, StoreError
from qdrant_embed.store.filters.fields import Field
from qdrant_embed.store.payload_values import json_payload, plain_time

EXAMPLE = (
    'Examples: {"source": "guide/*"}, {"page": {"gte": 3}}, {"author": ["Ann", "Bo"]}, {"title": {"not": "Index"}}.'
)


def is_several(wanted: Any) -> bool:
    """Tell whether a value is several: a list, a set, a range, an array, or a column of a data frame."""
    single = (str, bytes, bytearray, memoryview)
    return (isinstance(wanted, (Sequence, Set)) and not isinstance(wanted, single)) or getattr(wanted, "ndim", 0) == 1


def plain_value(field: Field, wanted: Any) -> Any:
    """Return a single value as it would be stored; dates stay dates.

    :raises ConfigurationError: It is none that could be stored.
    """
    if wanted is None or type(wanted) in (str, bool, int):
        return wanted
    try:
        if isinstance(wanted, np.datetime64):
            wanted = plain_time(wanted)
        if isinstance(wanted, date):
            return wanted if wanted == wanted else None  # pandas' NaT
        value = json_payload({field.key: wanted})[field.key]
    except (StoreError, OverflowError):
        value = []
    if isinstance(value, (list, dict)):
        raise ConfigurationError(
            f"cannot filter {field.key!r} by {wanted!r:.60} of type {type(wanted).__name__}. {EXAMPLE}"
        )
    return value


def moment(value: Any) -> datetime | date:
    """Return a time, or one that is written in ISO 8601.

    :raises TypeError: It is neither; ValueError: It is another text.
    """
    return value if isinstance(value, date) else datetime.fromisoformat(value)
