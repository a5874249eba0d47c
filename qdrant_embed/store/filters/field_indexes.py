"""Indexes of payload fields: those that every collection has, and those that its owner wants."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from qdrant_embed.errors import ConfigurationError, LimitWarning, require_type, warn_user
from qdrant_embed.store.filters.fields import INDEXED_FIELDS, NEEDED_FIELDS, Field
from qdrant_embed.types import BM25, TERMS

if TYPE_CHECKING:
    from qdrant_client import models

    from qdrant_embed.store.engine import Engine, IndexSchema

    Schemas = Mapping[str, IndexSchema]


def index_schema(field: str) -> models.PayloadSchemaType | models.KeywordIndexParams | models.TextIndexParams:
    """Return the index that `field` gets: `source` also answers prefixes (`guide/*`), terms are ranked by BM25."""
    from qdrant_client import models

    if field == TERMS:
        # The default tokenizer, without stemmer and stop words: `Bm25Encoder` has been there before.
        return models.TextIndexParams(
            type=models.TextIndexType.TEXT, tokenizer=models.TokenizerType.WORD, scoring=True, enable_hnsw=False
        )
    if field == "source":
        return models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, prefix=True)
    return models.PayloadSchemaType(INDEXED_FIELDS[field])


def complete(engine: Engine, name: str, others: Schemas = MappingProxyType({}), *, tell: bool = False) -> None:
    """Create the payload indexes that a collection lacks, because its creation was cut off or a server allows fewer.

    :param others: Indexes that are wanted beside those that every collection has.
    :param tell: Warn of those that a server has no room for: the ones that are needed least.
    """
    info = engine.get_collection(name)
    strict, present = info.config.strict_mode_config, info.payload_schema or {}
    most = strict.max_payload_index_count if strict is not None and strict.enabled else None
    words = () if BM25 in (info.config.params.sparse_vectors or {}) else (TERMS,)
    needed = {field: index_schema(field) for field in (*words, *NEEDED_FIELDS)}
    useful = {field: index_schema(field) for field in INDEXED_FIELDS}
    wanted = {field: schema for field, schema in {**needed, **others, **useful}.items() if field not in present}
    room = len(wanted) if most is None else max(0, most - len(present))
    for field in list(wanted)[:room]:
        engine.create_payload_index(name, field, field_schema=wanted[field])
    left_out = list(wanted)[room:]
    if left_out and tell:
        warn_user(
            f"collection {name!r} has no index of {', '.join(left_out)}, since its strict mode has "
            f"max_payload_index_count={most}: filters by these look at every point, or are refused. Have the limit "
            f"raised by {len(left_out)}, and open the collection again.",
            LimitWarning,
        )


def metadata_schemas(field: str, kind: str) -> dict[str, models.PayloadSchemaType]:
    """Return what indexes one of the user's own metadata fields, by the paths it may stand at.

    :param kind: A payload schema type: `keyword`, `integer`, `float`, `bool`, `datetime`, `uuid`, `geo` or `text`.
    :raises ConfigurationError: There is no such kind, or no engine can index the field.
    """
    from qdrant_client import models

    require_type("field", field, str, f"its name as a text: {str(field)!r}")
    kinds = [schema.value for schema in models.PayloadSchemaType]
    if kind not in kinds:
        raise ConfigurationError(f"cannot index {field!r} as {kind!r}; expected one of {', '.join(kinds)}.")
    found = Field.of(f"metadata.{field}")
    if not found.paths:
        raise ConfigurationError(f"cannot index {field!r}: no engine can index a key with a '\"' or a '\\' in it.")
    return dict.fromkeys(found.paths, models.PayloadSchemaType(kind))


def index_metadata_field(engine: Engine, name: str, field: str, kind: str) -> None:
    """Index one of the user's own metadata fields, so that strict servers filter by it and all filter faster."""
    for path, schema in metadata_schemas(field, kind).items():
        engine.create_payload_index(name, path, field_schema=schema)
