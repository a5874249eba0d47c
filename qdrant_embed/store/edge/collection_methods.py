"""`QdrantClient`'s methods over a folder: making, describing, changing and naming collections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import reduce
from typing import TYPE_CHECKING, Any

import qdrant_edge as edge
from qdrant_client import models

from qdrant_embed.errors import ConfigurationError, StoreError
from qdrant_embed.store.client.portions import completed
from qdrant_embed.store.edge.catalog_file import Catalog
from qdrant_embed.store.edge.client_arguments import takes_client_arguments
from qdrant_embed.store.edge.convert.config import index_schema, merged, payload_schema
from qdrant_embed.store.edge.folder import EdgeFolder, closed
from qdrant_embed.store.edge.shard import FLUSH_SECONDS, Shard, refusals
from qdrant_embed.store.edge.shard_config import HNSW_DEFAULTS
from qdrant_embed.store.payload_values import json_payload
from qdrant_embed.types import Json

if TYPE_CHECKING:
    from qdrant_embed.store.methods.client_methods import AliasChange, IndexSchema, Quantization


@takes_client_arguments
class EdgeCollections:
    """The part of `EdgeClient` that is about collections.

    :param folder: Opened, and closed, by somebody else.
    """

    def __init__(self, folder: EdgeFolder) -> None:
        self._folder = folder

    def folder(self) -> EdgeFolder:
        """Return the folder.

        :raises StoreError: It is closed.
        """
        if self._folder.closed:
            raise closed(self._folder.path)
        return self._folder

    def shard(self, collection_name: str) -> Shard:
        """Return a collection's shard, opened at its first use."""
        return self.folder().shard(collection_name)

    def get_collections(self) -> models.CollectionsResponse:
        """Return the names of all collections."""
        names = self.folder().catalog.collections
        return models.CollectionsResponse(collections=[models.CollectionDescription(name=name) for name in names])

    def collection_exists(self, collection_name: str) -> bool:
        """Tell whether there is a collection, or an alias, of this name."""
        return collection_name in self.folder().catalog

    def create_collection(
        self,
        collection_name: str,
        vectors_config: models.VectorParams | Mapping[str, models.VectorParams] | None = None,
        *,
        sparse_vectors_config: Mapping[str, models.SparseVectorParams] | None = None,
        hnsw_config: models.HnswConfigDiff | None = None,
        optimizers_config: models.OptimizersConfigDiff | None = None,
        quantization_config: Quantization | None = None,
        metadata: dict[str, Json] | None = None,
    ) -> bool:
        """Create an empty collection."""
        if not collection_name:
            raise ConfigurationError("a collection needs a name that is not empty.")
        config = models.CreateCollection(
            vectors=dict(vectors_config) if isinstance(vectors_config, Mapping) else vectors_config,
            sparse_vectors=dict(sparse_vectors_config) if sparse_vectors_config else None,
            hnsw_config=hnsw_config,
            optimizers_config=optimizers_config,
            quantization_config=quantization_config,
        )
        with refusals(collection_name):
            self.folder().create(collection_name, config, None if metadata is None else json_payload(metadata))
        return True

    def get_collection(self, collection_name: str) -> models.CollectionInfo:
        """Return counts, configuration, metadata and payload indexes."""
        shard = self.shard(collection_name)
        _, entry = self.folder().catalog.resolve(collection_name)
        with refusals(collection_name):
            info = shard.edge.info()
        return models.CollectionInfo(
            status=models.CollectionStatus.GREEN,
            optimizer_status=models.OptimizersStatusOneOf.OK,
            points_count=info.points_count,
            indexed_vectors_count=info.indexed_vectors_count,
            segments_count=info.segments_count,
            config=_reported(models.CreateCollection.model_validate(entry.config), entry.metadata),
            payload_schema=payload_schema(info.payload_schema),
        )

    def update_collection(
        self,
        collection_name: str,
        *,
        vectors_config: dict[str, models.VectorParamsDiff] | None = None,
        hnsw_config: models.HnswConfigDiff | None = None,
        optimizers_config: models.OptimizersConfigDiff | None = None,
        quantization_config: Quantization | models.Disabled | None = None,
        metadata: dict[str, Json] | None = None,
    ) -> bool:
        """Change what is given; indexes follow at the next `finish_bulk_load`."""
        folder = self.folder()
        _, entry = folder.catalog.resolve(collection_name)
        before = models.CreateCollection.model_validate(entry.config)
        changes = {
            "hnsw_config": hnsw_config,
            "optimizers_config": optimizers_config,
            "quantization_config": quantization_config,
        }
        wanted = merged(before, changes, vectors_config or {})
        with refusals(collection_name):
            if wanted != before:
                folder.reconfigure(collection_name, wanted)
            if metadata is not None:
                folder.set_metadata(collection_name, json_payload(metadata))
        return True

    def delete_collection(self, collection_name: str) -> bool:
        """Remove a collection with its points and aliases; return whether there was one."""
        with refusals(collection_name):
            return self.folder().delete(collection_name)

    def create_payload_index(
        self, collection_name: str, field_name: str, field_schema: IndexSchema, *, wait: bool = True
    ) -> models.UpdateResult:
        """Index a payload field; doing it again changes nothing."""
        with refusals(collection_name):
            operation = edge.UpdateOperation.create_field_index(field_name, index_schema(field_schema))
        self.shard(collection_name).update(operation)
        return completed()

    def update_collection_aliases(self, change_aliases_operations: Sequence[AliasChange]) -> bool:
        """Make all changes or none."""
        self.folder().edit(lambda catalog: reduce(_with_alias, change_aliases_operations, catalog))
        return True

    def get_aliases(self) -> models.CollectionsAliasesResponse:
        """Return every alias with its collection."""
        aliases = self.folder().catalog.aliases
        described = [models.AliasDescription(alias_name=alias, collection_name=name) for alias, name in aliases.items()]
        return models.CollectionsAliasesResponse(aliases=described)

    def get_collection_aliases(self, collection_name: str) -> models.CollectionsAliasesResponse:
        """Return the aliases of one collection."""
        self.folder().catalog.resolve(collection_name)
        mine = [alias for alias in self.get_aliases().aliases if alias.collection_name == collection_name]
        return models.CollectionsAliasesResponse(aliases=mine)


def _with_alias(catalog: Catalog, change: AliasChange) -> Catalog:
    """Apply one change.

    :raises StoreError: The name is a collection's, or an alias to rename is missing.
    """
    aliases = dict(catalog.aliases)
    if isinstance(change, models.DeleteAliasOperation):
        aliases.pop(change.delete_alias.alias_name, None)
        return replace(catalog, aliases=aliases)
    if isinstance(change, models.CreateAliasOperation):
        new, target = change.create_alias.alias_name, change.create_alias.collection_name
        if target not in catalog.collections:
            catalog.resolve(target)
            raise StoreError(f"{target!r} is itself an alias; an alias must point at a collection.")
    else:
        new, old = change.rename_alias.new_alias_name, change.rename_alias.old_alias_name
        if old not in aliases:
            raise StoreError(f"there is no alias {old!r}; aliases found: {', '.join(sorted(aliases)) or 'none'}.")
        target = aliases.pop(old)
    if new in catalog.collections:
        raise StoreError(f"there is a collection named {new!r}; an alias needs a name of its own.")
    return replace(catalog, aliases={**aliases, new: target})


def _reported(config: models.CreateCollection, metadata: Any) -> models.CollectionConfig:
    """Return the configuration in the words of `get_collection`, defaults filled in."""
    hnsw = config.hnsw_config.model_dump(exclude_none=True) if config.hnsw_config else {}
    optimizers = config.optimizers_config.model_dump(exclude_none=True) if config.optimizers_config else {}
    flushing = {"default_segment_number": 0, "flush_interval_sec": int(FLUSH_SECONDS)}
    return models.CollectionConfig(
        params=models.CollectionParams(vectors=config.vectors or {}, sparse_vectors=config.sparse_vectors),
        hnsw_config=models.HnswConfig(**{**HNSW_DEFAULTS, **hnsw}),
        optimizer_config=models.OptimizersConfig(**{**flushing, **optimizers}),
        quantization_config=config.quantization_config,
        metadata=metadata,
    )
