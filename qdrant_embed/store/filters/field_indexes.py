"""Indexes of payload fields: those that every collection has, and those that its owner wants."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from qdrant_embed.errors import ConfigurationError, IndexWarning, LimitWarning, StoreError, warn_user
from qdrant_embed.recipe import require_index_kind
from qdrant_embed.store.filters.fields import INDEXED_FIELDS, NEEDED_FIELDS, Field
from qdrant_embed.store.metadata import merge_metadata, read_metadata
from qdrant_embed.store.methods.ranking_request import CollectionFacts
from qdrant_embed.types import BM25, TERMS

if TYPE_CHECKING:
    from qdrant_client import models

    from qdrant_embed.store.engine import Engine
    from qdrant_embed.store.methods.client_methods import IndexSchema

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


def complete(
    engine: Engine,
    name: str,
    others: Schemas = MappingProxyType({}),
    *,
    facts: CollectionFacts | None = None,
    tell: bool = False,
) -> None:
    """Create the payload indexes that a collection lacks, because its creation was cut off or a server allows fewer.

    :param others: Indexes that are wanted beside those that every collection has.
    :param facts: What the engine has just said of it.
    :param tell: Warn of those that a server has no room for: the ones that are needed least.
    """
    facts = facts or engine.collection_facts(name)
    most = facts.most_indexes
    words = () if BM25 in facts.sparse_vectors else (TERMS,)
    fields = dict.fromkeys((*words, *NEEDED_FIELDS, *others, *INDEXED_FIELDS))
    wanted = [field for field in fields if field not in facts.indexed]
    room = len(wanted) if most is None else max(0, most - len(facts.indexed))
    for field in wanted[:room]:
        given = None if field in INDEXED_FIELDS else others.get(field)
        engine.create_payload_index(name, field, field_schema=given or index_schema(field))
    left_out = wanted[room:]
    if left_out and tell:
        warn_user(
            f"collection {name!r} has no index of {', '.join(left_out)}, since its strict mode has "
            f"max_payload_index_count={most}: filters by these look at every point, or are refused. Have the limit "
            f"raised by {len(left_out)}, and open the collection again.",
            LimitWarning,
        )


def declared(index: Mapping[str, str]) -> dict[str, IndexSchema]:
    """Return what indexes fields of the user's own metadata, by the paths that each may stand at.

    :param index: The kind of each field, as in `Recipe`.
    :raises ConfigurationError: There is no such kind, or no engine can index a field.
    """
    from qdrant_client import models

    # Without it, an index of words finds no phrase, and says nothing of it.
    text = models.TextIndexParams(type=models.TextIndexType.TEXT, phrase_matching=True)
    found: dict[str, IndexSchema] = {}
    for name, kind in index.items():
        require_index_kind(name, kind)
        paths = Field.of(f"metadata.{name}").paths
        if not paths:
            raise ConfigurationError(f"cannot index {name!r}: no engine can index a key with a '\"' or a '\\' in it.")
        found |= dict.fromkeys(paths, text if kind == "text" else models.PayloadSchemaType(kind))
    return found


def declare(engine: Engine, name: str, index: Mapping[str, str]) -> list[str]:
    """Index fields of the user's own metadata, and note it in the collection's recipe; return which had no index yet.

    :raises ConfigurationError: A field cannot be indexed.
    :raises LimitError: The server's strict mode has no room for so many.
    """
    recipe = read_metadata(engine, name)["recipe"]
    known = recipe.get("index", {})
    new = {field: kind for field, kind in index.items() if known.get(field) != kind}
    present = (engine.get_collection(name).payload_schema or {}) if new else {}
    for path, schema in declared(new).items():
        if path not in present or present[path].data_type != schema:
            engine.create_payload_index(name, path, field_schema=schema)
    if new:
        merge_metadata(engine, name, {"recipe": {**recipe, "index": {**known, **new}}})
    return list(new)


def declare_if_allowed(engine: Engine, name: str, index: Mapping[str, str]) -> None:
    """Index fields that a collection was opened with and made without; say which, or why that cannot be."""
    try:
        made = declare(engine, name, index)
    except StoreError as error:
        warn_user(f"collection {name!r} has no index of {', '.join(index)}: {error}", IndexWarning)
        return
    if made:
        said = f"collection {name!r} was made without an index of {', '.join(made)}, and has it from now on"
        warn_user(f"{said}; on a large collection, searches are slower until a server has built it.", IndexWarning)
