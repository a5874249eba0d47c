"""Creating a collection: its vectors, payload indexes and metadata."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qdrant_embed.errors import ConfigurationError, require_type
from qdrant_embed.store import quantization
from qdrant_embed.store.filters.fields import INDEXED_FIELDS, Field
from qdrant_embed.store.layout import VectorLayout, has_bm25_vectors, index_schema
from qdrant_embed.store.metadata import LAYOUT_VERSION, METADATA_KEY
from qdrant_embed.types import TERMS, Json

if TYPE_CHECKING:
    from qdrant_embed.store.copies.kept_settings import Settings
    from qdrant_embed.store.engine import Engine


def create(
    engine: Engine, name: str, layout: VectorLayout, made_by: Mapping[str, Json], settings: Settings | None = None
) -> None:
    """Create a collection with its vectors, payload indexes and metadata.

    :param made_by: What `read_metadata` shall return.
    :param settings: Those of a collection that this one is to be a copy of.
    """
    quantization.require_engine(engine, layout.compression)
    quantization.require_room(engine, layout.compression, layout.cut_dim)
    # A copy keeps what it copies: its points come with the vectors, or with the terms.
    as_vectors = settings.bm25_vectors if settings is not None else bool(engine.lacks("text ranking"))
    layout = replace(layout, bm25_vectors=as_vectors)
    given: dict[str, Any] = {
        "vectors_config": layout.vectors(),
        "sparse_vectors_config": layout.sparse_vectors(),
        "optimizers_config": quantization.optimizers(layout.compression),
        "metadata": {METADATA_KEY: {"layout": LAYOUT_VERSION, **made_by}},
    }
    if settings is not None:
        given = settings.added_to(given, layout)
    engine.create_collection(collection_name=name, **given)
    complete(engine, name)
    if settings is not None:
        settings.index(engine, name)


def complete(engine: Engine, name: str) -> None:
    """Create the payload indexes that a collection lacks, because its creation was cut off."""
    present = engine.get_collection(name).payload_schema or {}
    for field in (*INDEXED_FIELDS, *(() if has_bm25_vectors(engine, name) else (TERMS,))):
        if field not in present:
            engine.create_payload_index(name, field, field_schema=index_schema(field))


def index_metadata_field(engine: Engine, name: str, field: str, kind: str) -> None:
    """Index one of the user's own metadata fields, so that strict servers filter by it and all filter faster.

    :param kind: A payload schema type: `keyword`, `integer`, `float`, `bool`, `datetime`, `uuid`, `geo` or `text`.
    """
    from qdrant_client import models

    require_type("field", field, str, f"its name as a text: {str(field)!r}")
    kinds = [schema.value for schema in models.PayloadSchemaType]
    if kind not in kinds:
        raise ConfigurationError(f"cannot index {field!r} as {kind!r}; expected one of {', '.join(kinds)}.")
    found = Field.of(f"metadata.{field}")
    if not found.paths:
        raise ConfigurationError(f"cannot index {field!r}: no engine can index a key with a '\"' or a '\\' in it.")
    for path in found.paths:
        engine.create_payload_index(name, path, field_schema=models.PayloadSchemaType(kind))
