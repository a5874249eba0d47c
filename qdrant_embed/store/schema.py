"""The layout of a collection: its named vectors, its payload indexes, and the metadata that says how it was made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qdrant_embed.compression import Coder, Compression
from qdrant_embed.errors import CollectionNotFoundError, ConfigurationError, StoreError
from qdrant_embed.store import compressed
from qdrant_embed.store.access import metadata_of
from qdrant_embed.store.attachments import require_room
from qdrant_embed.store.filters.fields import INDEXED_FIELDS, Field
from qdrant_embed.types import Json

if TYPE_CHECKING:
    from qdrant_client import models

    from qdrant_embed.store.engine import Engine
    from qdrant_embed.store.settings import Settings

DENSE = "dense"
DENSE_SMALL = "dense_small"
"""The compressed vector, where the whole one is kept beside it to rescore what the small one found."""
BM25 = "bm25"
SPARSE = "sparse"
MULTIVECTOR = "multivector"
"""Vectors of models beside the dense one, where the recipe names any."""
METADATA_KEY = "qdrant_embed"
LAYOUT_VERSION = 1
"""Raised when points of an older layout cannot be read any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorLayout:
    """What the vectors look like in the store.

    :param dim: Number of dimensions that the embedder gives.
    :param distance: `cosine`, `dot` or `euclid`.
    :param sparse: Whether there are vectors of a sparse model.
    :param multivector: Dimensions of the vectors of a multi-vector model; 0 for none.
    :param multivector_distance: How these are compared: `cosine`, or `dot` where they are not of unit length.
    :param windows: Whether a point has a dense vector for each window of its text; the best one counts.
    """

    dim: int
    distance: str
    compression: Compression = Compression()  # noqa: RUF009 - frozen
    sparse: bool = False
    multivector: int = 0
    multivector_distance: str = "cosine"
    windows: bool = False

    @property
    def cut_dim(self) -> int:
        """Dimensions that are compressed."""
        return min(self.dim, self.compression.dim or self.dim)

    def vectors(self) -> dict[str, models.VectorParams]:
        """Return the settings of each vector that is not sparse by its name."""
        coder = Coder(compression=self.compression, dim=self.dim, distance=self.distance)
        small = self._each_window(compressed.vector_params(coder.width, coder.store_distance, self.compression))
        others = {}
        if self.multivector:
            others[MULTIVECTOR] = multivector_params(self.multivector, self.multivector_distance)
        if not self.compression.full:
            return {DENSE: small, **others}
        whole = self._each_window(compressed.rescoring_params(self.dim, self.distance, self.compression))
        return {DENSE: whole, DENSE_SMALL: small, **others}

    def _each_window(self, params: models.VectorParams) -> models.VectorParams:
        from qdrant_client import models

        if not self.windows:
            return params
        best = models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM)
        # A graph compares documents with each other, every window with every window: at 800 windows, minutes for 200
        # documents. Measured at 20 windows it makes searches of 3000 documents no faster (benchmarks/long_context).
        return params.model_copy(update={"multivector_config": best, "hnsw_config": models.HnswConfigDiff(m=0)})

    def sparse_vectors(self) -> dict[str, models.SparseVectorParams]:
        """Return each sparse vector's settings by its name."""
        from qdrant_client import models

        others = {SPARSE: models.SparseVectorParams()} if self.sparse else {}
        return {BM25: models.SparseVectorParams(modifier=models.Modifier.IDF), **others}


def multivector_params(dim: int, distance: str = "cosine") -> models.VectorParams:
    """Return how vectors of tokens are stored: on disk, in half precision, without a graph, since they rank again.

    :param dim: Dimensions of each.
    :param distance: `cosine` or `dot`.
    """
    from qdrant_client import models

    return models.VectorParams(
        size=dim,
        distance=models.Distance.COSINE if distance == "cosine" else models.Distance.DOT,
        datatype=models.Datatype.FLOAT16,
        hnsw_config=models.HnswConfigDiff(m=0),
        on_disk=True,
        multivector_config=models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM),
    )


def create(
    engine: Engine, name: str, layout: VectorLayout, made_by: Mapping[str, Json], settings: Settings | None = None
) -> None:
    """Create a collection with its vectors, payload indexes and metadata.

    :param made_by: What `read_metadata` shall return.
    :param settings: Those of a collection that this one is to be a copy of.
    """
    compressed.require_engine(engine, layout.compression)
    require_room(engine, layout.compression, layout.cut_dim)
    given: dict[str, Any] = {
        "vectors_config": layout.vectors(),
        "sparse_vectors_config": layout.sparse_vectors(),
        "optimizers_config": compressed.optimizers(layout.compression),
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
    for field in INDEXED_FIELDS:
        if field not in present:
            engine.create_payload_index(name, field, field_schema=index_schema(field))


def index_schema(field: str) -> models.PayloadSchemaType | models.KeywordIndexParams:
    """Return the index that `field` gets: `source` also answers prefixes (`guide/*`)."""
    from qdrant_client import models

    if field == "source":
        return models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, prefix=True)
    return models.PayloadSchemaType(INDEXED_FIELDS[field])


def read_metadata(engine: Engine, name: str) -> dict[str, Any]:
    """Return what `create` stored about the collection.

    :raises CollectionNotFoundError: There is no such collection; those that exist are named.
    :raises StoreError: The collection was made by something else, or by a newer version of this library.
    """
    if not engine.collection_exists(name):
        there = ", ".join(sorted(found.name for found in engine.get_collections().collections)) or "none"
        raise CollectionNotFoundError(
            f"there is no collection {name!r} here; collections found: {there}. "
            "Give a recipe to create it: Collection.open(name, at=…, recipe=Recipe(model='minilm'))."
        )
    stored = metadata_of(engine, name).get(METADATA_KEY)
    if not isinstance(stored, dict):
        raise StoreError(
            f"collection {name!r} holds no qdrant_embed metadata: something else made it. "
            "Choose another collection name to create one beside it."
        )
    if stored.get("layout") != LAYOUT_VERSION:
        raise StoreError(
            f"collection {name!r} has layout {stored.get('layout')!r}, this version of qdrant_embed reads "
            f"{LAYOUT_VERSION}. Upgrade qdrant-embed, or ingest into a new collection."
        )
    return dict(stored)


def merge_metadata(engine: Engine, name: str, changes: Mapping[str, Json]) -> None:
    """Change some of the entries that `read_metadata` returns, leaving the others."""
    stored = {**read_metadata(engine, name), **changes}
    engine.update_collection(collection_name=name, metadata={METADATA_KEY: stored})


def index_metadata_field(engine: Engine, name: str, field: str, kind: str) -> None:
    """Index one of the user's own metadata fields, so that strict servers filter by it and all filter faster.

    :param kind: A payload schema type: `keyword`, `integer`, `float`, `bool`, `datetime`, `uuid`, `geo` or `text`.
    """
    from qdrant_client import models

    kinds = [schema.value for schema in models.PayloadSchemaType]
    if kind not in kinds:
        raise ConfigurationError(f"cannot index {field!r} as {kind!r}; expected one of {', '.join(kinds)}.")
    found = Field.of(f"metadata.{field}")
    if not found.paths:
        raise ConfigurationError(f"cannot index {field!r}: no engine can index a key with a '\"' or a '\\' in it.")
    for path in found.paths:
        engine.create_payload_index(name, path, field_schema=models.PayloadSchemaType(kind))
