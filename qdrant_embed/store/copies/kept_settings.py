"""What was set on a collection beside its recipe, by its owner or a server's administrator: a copy keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qdrant_embed.store.filters.fields import INDEXED_FIELDS
from qdrant_embed.store.layout import VectorLayout
from qdrant_embed.store.metadata import METADATA_KEY
from qdrant_embed.types import BM25, DENSE, DENSE_SMALL, TERMS

if TYPE_CHECKING:
    from qdrant_client import models

    from qdrant_embed.store.engine import Engine
    from qdrant_embed.store.methods.client_methods import IndexSchema

OF_A_CLUSTER = (
    "shard_number", "sharding_method", "replication_factor", "write_consistency_factor", "on_disk_payload", "payload",
    "id_tracker",
)  # fmt: skip
OF_SEGMENTS = (
    "deleted_threshold", "vacuum_min_vector_number", "default_segment_number", "max_segment_size",
    "max_optimization_threads", "prevent_unoptimized",
)  # fmt: skip
"""Optimizer settings that have nothing to do with how vectors are stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of a collection.

    :param arguments: Of `create_collection`; only what differs from the defaults, which not every engine takes.
    :param optimizers: Fields of its `optimizers_config`.
    :param graph: Of the vector that is searched, where it has settings of its own.
    :param metadata: Entries that are not this library's.
    :param indexes: Payload indexes that this library does not make by itself.
    :param bm25_vectors: Whether BM25's terms are sparse vectors there.
    """

    arguments: Mapping[str, Any]
    optimizers: Mapping[str, Any]
    graph: models.HnswConfigDiff | None
    metadata: Mapping[str, Any]
    indexes: Mapping[str, models.PayloadIndexInfo]
    bm25_vectors: bool

    @classmethod
    def of(cls, engine: Engine, name: str, layout: VectorLayout) -> Settings:
        """Read the settings of a collection.

        :param layout: Its own.
        """
        found = engine.get_collection(name)
        return cls(
            arguments=_arguments(found.config),
            optimizers={key: value for key in OF_SEGMENTS if (value := getattr(found.config.optimizer_config, key))},
            graph=_graph(found.config.params, layout),
            metadata={
                key: value for key, value in (found.config.metadata or {}).items() if not key.startswith(METADATA_KEY)
            },
            indexes={
                field: info for field, info in found.payload_schema.items() if field not in (*INDEXED_FIELDS, TERMS)
            },
            bm25_vectors=BM25 in (found.config.params.sparse_vectors or {}),
        )

    def added_to(self, given: Mapping[str, Any], layout: VectorLayout) -> dict[str, Any]:
        """Return `create_collection`'s arguments with these settings, so far as the layout leaves them open."""
        from qdrant_client import models

        vectors, searched = dict(given["vectors_config"]), _searched(layout)
        # Signs can have none: the engine has no Hamming distance to build it with.
        if self.graph is not None and layout.compression.datatype != "bits":
            vectors[searched] = vectors[searched].model_copy(update={"hnsw_config": self.graph})
        optimizers = given["optimizers_config"] or models.OptimizersConfigDiff()
        return {
            **self.arguments,
            **given,
            "vectors_config": vectors,
            "optimizers_config": optimizers.model_copy(update=dict(self.optimizers)),
            "metadata": {**self.metadata, **given["metadata"]},
        }

    @property
    def index_schemas(self) -> dict[str, IndexSchema]:
        """What makes the payload indexes, by field."""
        return {field: info.params or info.data_type for field, info in self.indexes.items()}


def _arguments(config: models.CollectionConfig) -> dict[str, Any]:
    from qdrant_client import models

    defaults = models.CollectionParams()
    cluster = {key: getattr(config.params, key) for key in OF_A_CLUSTER}
    found: dict[str, Any] = {
        key: value for key, value in cluster.items() if value not in (None, getattr(defaults, key))
    }
    found["hnsw_config"] = models.HnswConfigDiff(**config.hnsw_config.model_dump(exclude_none=True))
    for key, kind in (("wal_config", models.WalConfigDiff), ("strict_mode_config", models.StrictModeConfig)):
        if getattr(config, key) is not None:
            found[key] = kind(**getattr(config, key).model_dump(exclude_none=True))
    return found


def _graph(params: models.CollectionParams, layout: VectorLayout) -> models.HnswConfigDiff | None:
    """Return the graph settings of the vector that is searched, unless the layout gave them."""
    searched = _searched(layout)
    vectors = params.vectors if isinstance(params.vectors, dict) else {}
    found = vectors[searched].hnsw_config if searched in vectors else None
    return None if found == layout.vectors()[searched].hnsw_config else found


def _searched(layout: VectorLayout) -> str:
    return DENSE_SMALL if layout.compression.full else DENSE
