"""Collections and payload indexes: their configuration into Qdrant Edge's, and back for `get_collection`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import qdrant_edge as edge
from pydantic import BaseModel
from qdrant_client import models

from qdrant_embed.errors import StoreError
from qdrant_embed.store.edge.convert.values import (
    Converters,
    become,
    convert,
    member,
    model_member,
)
from qdrant_embed.store.edge.lacking_features import unsupported

_TABLE: dict[type, Callable[[Any], Any]] = {}
TABLE: Converters = _TABLE


def vectors_by_name(
    vectors: models.VectorParams | Mapping[str, models.VectorParams] | None,
) -> Mapping[str, models.VectorParams]:
    """Return dense vectors by name; a single one is the unnamed vector, whose name is empty."""
    return {"": vectors} if isinstance(vectors, models.VectorParams) else vectors or {}


def merged(
    config: models.CreateCollection, changes: Mapping[str, Any], vectors: Mapping[str, models.VectorParamsDiff]
) -> models.CreateCollection:
    """Return a configuration with some sections, and some of its vectors, changed field by field.

    :raises UnsupportedByEngineError: Quantization of the collection shall be switched off, not that of its vectors.
    :raises StoreError: There is no vector of a name.
    """
    if any(isinstance(change, models.Disabled) for change in changes.values()):
        # Qdrant Edge then takes it from what it has stored; of a vector it does not.
        raise unsupported("way to switch quantization off for a whole collection, only for vectors that have it")
    changed = _changed(config, changes)
    if not vectors:
        return changed
    named = dict(vectors_by_name(config.vectors))
    for name, diff in vectors.items():
        if name not in named:
            raise StoreError(f"there is no vector {name!r}; vectors found: {', '.join(map(repr, named))}.")
        named[name] = _changed(named[name], dict(diff))
    single = isinstance(config.vectors, models.VectorParams)
    return changed.model_copy(update={"vectors": named[""] if single else named})


_M = TypeVar("_M", bound=BaseModel)


def _changed(model: _M, changes: Mapping[str, Any]) -> _M:
    updated: dict[str, Any] = {}
    for section, change in changes.items():
        if change is None:
            continue
        if isinstance(change, models.Disabled):
            # The next `optimize` writes the segments again without codes.
            updated[section] = None
            continue
        before = getattr(model, section)
        updated[section] = (
            before.model_copy(update={name: value for name, value in change if value is not None})
            if isinstance(change, BaseModel) and type(before) is type(change)
            else change
        )
    return model.model_copy(update=updated)


def index_schema(schema: models.PayloadSchemaType | BaseModel | str) -> Any:
    """Return what a payload field shall be indexed as."""
    if isinstance(schema, BaseModel):
        return convert(schema, TABLE)
    return member(models.PayloadSchemaType(schema))


def payload_schema(found: Mapping[str, edge.PayloadIndexInfo]) -> dict[str, models.PayloadIndexInfo]:
    """Return a shard's payload indexes as `get_collection` reports them."""
    return {
        field: models.PayloadIndexInfo(
            data_type=model_member(models.PayloadSchemaType, info.data_type),
            params=_index_params(info.params),
            points=info.points,
        )
        for field, info in found.items()
    }


def _index_params(params: Any) -> Any:
    if params is None:
        return None
    kind: type[BaseModel] = getattr(models, type(params).__name__)
    plain = {
        name: value for name in kind.model_fields if isinstance(value := getattr(params, name, None), (bool, int, str))
    }
    return kind(type=kind.__name__.removesuffix("IndexParams").lower(), **plain)


def _stopwords(params: models.StopwordsSet) -> edge.StopwordsSet:
    languages = {member(language) for language in params.languages or ()}
    return edge.StopwordsSet(languages=languages or None, custom=set(params.custom or ()) or None)


_TABLE.update(
    {
        models.KeywordIndexParams: become(edge.KeywordIndexParams, TABLE, without=("type",)),
        models.IntegerIndexParams: become(edge.IntegerIndexParams, TABLE, without=("type",)),
        models.FloatIndexParams: become(edge.FloatIndexParams, TABLE, without=("type",)),
        models.GeoIndexParams: become(edge.GeoIndexParams, TABLE, without=("type",)),
        models.TextIndexParams: become(edge.TextIndexParams, TABLE, without=("type",)),
        models.BoolIndexParams: become(edge.BoolIndexParams, TABLE, without=("type",)),
        models.DatetimeIndexParams: become(edge.DatetimeIndexParams, TABLE, without=("type",)),
        models.UuidIndexParams: become(edge.UuidIndexParams, TABLE, without=("type",)),
        models.TextScoringParams: become(edge.TextScoringParams, TABLE),
        models.StopwordsSet: _stopwords,
        models.SnowballParams: lambda params: edge.SnowballParams(member(params.language)),
        models.DisabledStemmerParams: lambda _: edge.DisabledStemmer(),
    }
)
