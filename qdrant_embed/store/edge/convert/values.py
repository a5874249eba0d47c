"""From `qdrant_client.models` to `qdrant_edge`: what all conversions share.

The two libraries name nearly all their classes, fields and enum members alike; the tables of the `convert_*` modules
say which class becomes which, and special cases stand there as functions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from enum import Enum
from functools import cache
from typing import Any

import qdrant_edge as edge
from pydantic import BaseModel
from qdrant_client import models

from qdrant_embed.store.edge.lacking_features import unsupported
from qdrant_embed.store.edge.shard_config import edge_member

Converters = Mapping[type, Callable[[Any], Any]]

ENUMS: Mapping[type[Enum], Any] = {
    models.Distance: edge.Distance,
    models.Datatype: edge.VectorStorageDatatype,
    models.Memory: edge.Memory,
    models.MultiVectorComparator: edge.MultiVectorComparator,
    models.ScalarType: edge.ScalarType,
    models.CompressionRatio: edge.CompressionRatio,
    models.BinaryQuantizationEncoding: edge.BinaryQuantizationEncoding,
    models.BinaryQuantizationQueryEncoding: edge.BinaryQuantizationQueryEncoding,
    models.TurboQuantBitSize: edge.TurboQuantBitSize,
    models.Modifier: edge.Modifier,
    models.Direction: edge.Direction,
    models.PayloadSchemaType: edge.PayloadSchemaType,
    models.TokenizerType: edge.TokenizerType,
    models.TextScoringType: edge.TextScoringType,
    models.Language: edge.Language,
    models.SnowballLanguage: edge.SnowballLanguage,
}


def member(value: Enum) -> Any:
    """Return the enum member of Qdrant Edge that stands for one of `qdrant_client.models`.

    :raises UnsupportedByEngineError: It has no such member.
    """
    # Members of two enums may be equal as strings, so the class is part of the key.
    return _member(type(value), str(value.value))


@cache
def _member(kind: type[Enum], value: str) -> Any:
    return edge_member(ENUMS.get(kind), value, kind.__name__)


def model_member(kind: type[Enum], value: Any) -> Any:
    """Return the enum member of `qdrant_client.models` for one of Qdrant Edge: the way back from `member`."""
    return next(found for found in kind if member(found) == value)


def fields(model: BaseModel, converters: Converters, *, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return a model's fields that are set, each converted."""
    return {name: convert(value, converters) for name, value in model if value is not None and name not in without}


def convert(value: Any, converters: Converters) -> Any:
    """Convert a value, whatever it is.

    :raises UnsupportedByEngineError: It is of a class that Qdrant Edge has no counterpart for.
    """
    if isinstance(value, BaseModel):
        converter = converters.get(type(value))
        if converter is None:
            raise unsupported(type(value).__name__)
        return converter(value)
    if isinstance(value, Enum):
        return member(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list) and value and isinstance(value[0], (BaseModel, Enum)):
        return [convert(item, converters) for item in value]
    return value


def become(target: Callable[..., Any], converters: Converters, *, without: tuple[str, ...] = ()) -> Any:
    """Return a converter that hands a model's fields to `target` under their own names."""

    def converter(model: BaseModel) -> Any:
        given = fields(model, converters, without=without)
        try:
            return target(**given)
        except TypeError as error:
            if "unexpected keyword" not in str(error):
                raise
            raise unsupported(f"{type(model).__name__} with these settings ({error})") from None

    return converter
