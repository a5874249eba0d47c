"""What this library asks of a vector engine: a few methods of `QdrantClient`, with the same names and meanings.

`store.edge.EdgeEngine` answers for a folder; `store.client.engine.ClientEngine` wraps a `QdrantClient`: a server's, the
one in memory, or the user's own. An engine of your own inherits from `Engine`, and may be given as a location:
`Collection.open(name, at=MyEngine())`. `qdrant_embed.testing` checks an engine and compares two.

Every engine raises `StoreError` or one of its subclasses, never an exception of a transport:
`UnsupportedByEngineError` where it lacks a feature; `CollectionNotFoundError` where a collection is missing and
`CollectionExistsError` where a name is taken, which are `ValueError` too, as stores written for `QdrantClient` expect.
"""

from __future__ import annotations

import base64
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

from qdrant_embed.servers.features import Feature
from qdrant_embed.types import Json

if TYPE_CHECKING:
    from uuid import UUID

    from qdrant_client import QdrantClient, models
    from qdrant_client.http.models import QueryResponse

    PointId: TypeAlias = int | str | UUID
    Selector: TypeAlias = Sequence[PointId] | models.Filter | models.PointIdsList | models.FilterSelector
    Payload: TypeAlias = bool | Sequence[str] | models.PayloadSelectorInclude | models.PayloadSelectorExclude
    Vectors: TypeAlias = bool | Sequence[str]
    AliasChange: TypeAlias = models.CreateAliasOperation | models.DeleteAliasOperation | models.RenameAliasOperation
    IndexSchema: TypeAlias = (
        models.PayloadSchemaType
        | models.KeywordIndexParams
        | models.IntegerIndexParams
        | models.FloatIndexParams
        | models.GeoIndexParams
        | models.TextIndexParams
        | models.BoolIndexParams
        | models.DatetimeIndexParams
        | models.UuidIndexParams
    )
    Quantization: TypeAlias = (
        models.ScalarQuantization | models.ProductQuantization | models.BinaryQuantization | models.TurboQuantization
    )

ATTACHMENT_KEY = "qdrant_embed_transform"
"""Metadata entry of an attachment that has no better place: base64, apart from what `read_metadata` returns."""


class ClientMethods(Protocol):
    """What an engine has in common with `QdrantClient`; each method has to be written."""

    # Collections

    @abstractmethod
    def get_collections(self) -> models.CollectionsResponse:
        """Return the names of all collections."""

    @abstractmethod
    def collection_exists(self, collection_name: str) -> bool:
        """Tell whether there is a collection, or an alias, of this name."""

    @abstractmethod
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
        """Create an empty collection.

        :raises CollectionExistsError: The name is taken.
        """

    @abstractmethod
    def get_collection(self, collection_name: str) -> models.CollectionInfo:
        """Return counts, configuration, metadata and payload indexes."""

    @abstractmethod
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
        """Change what is given; the top-level entries of `metadata` replace those of the same key."""

    @abstractmethod
    def delete_collection(self, collection_name: str) -> bool:
        """Remove a collection with its points and aliases; return whether there was one."""

    @abstractmethod
    def create_payload_index(
        self, collection_name: str, field_name: str, field_schema: IndexSchema, *, wait: bool = True
    ) -> models.UpdateResult:
        """Index a payload field; doing it again changes nothing."""

    @abstractmethod
    def update_collection_aliases(self, change_aliases_operations: Sequence[AliasChange]) -> bool:
        """Make the changes, one after the other.

        Where one fails, a server has made those before it; a folder and memory make none.
        """

    @abstractmethod
    def get_aliases(self) -> models.CollectionsAliasesResponse:
        """Return every alias with its collection."""

    @abstractmethod
    def get_collection_aliases(self, collection_name: str) -> models.CollectionsAliasesResponse:
        """Return the aliases of one collection."""

    # Points in

    @abstractmethod
    def upsert(
        self, collection_name: str, points: Sequence[models.PointStruct], *, wait: bool = True
    ) -> models.UpdateResult:
        """Write points; an existing id is replaced as a whole. A vector may be a list or a numpy array."""

    @abstractmethod
    def delete(self, collection_name: str, points_selector: Selector, *, wait: bool = True) -> models.UpdateResult:
        """Remove points by id or filter; ids that are not there are no error."""

    @abstractmethod
    def set_payload(
        self, collection_name: str, payload: dict[str, Json], points: Selector, *, wait: bool = True
    ) -> models.UpdateResult:
        """Set some payload fields of points and leave the others."""

    # Points out

    @abstractmethod
    def retrieve(
        self,
        collection_name: str,
        ids: Sequence[PointId],
        *,
        with_payload: Payload = True,
        with_vectors: Vectors = False,
    ) -> list[models.Record]:
        """Return the points with these ids; those that are not there are left out."""

    @abstractmethod
    def scroll(
        self,
        collection_name: str,
        scroll_filter: models.Filter | None = None,
        *,
        limit: int = 10,
        order_by: str | models.OrderBy | None = None,
        offset: PointId | None = None,
        with_payload: Payload = True,
        with_vectors: Vectors = False,
    ) -> tuple[list[models.Record], PointId | None]:
        """Return a page of points, by id unless ordered by a field, and the offset of the next page."""

    @abstractmethod
    def count(
        self, collection_name: str, count_filter: models.Filter | None = None, *, exact: bool = True
    ) -> models.CountResult:
        """Return the number of points that match."""

    @abstractmethod
    def facet(
        self,
        collection_name: str,
        key: str,
        facet_filter: models.Filter | None = None,
        *,
        limit: int = 10,
        exact: bool = False,
    ) -> models.FacetResponse:
        """Return the values of an indexed payload field with their numbers of points, most frequent first."""

    @abstractmethod
    def query_points(  # noqa: PLR0913
        self,
        collection_name: str,
        query: Any = None,
        *,
        using: str | None = None,
        prefetch: models.Prefetch | list[models.Prefetch] | None = None,
        query_filter: models.Filter | None = None,
        search_params: models.SearchParams | None = None,
        limit: int = 10,
        offset: int | None = None,
        with_payload: Payload = True,
        with_vectors: Vectors = False,
        score_threshold: float | None = None,
    ) -> QueryResponse:
        """Return the best points.

        :param query: A vector (list, numpy array, `SparseVector`), a point id, or any query of `qdrant_client.models`.
        """

    @abstractmethod
    def query_batch_points(self, collection_name: str, requests: Sequence[models.QueryRequest]) -> list[QueryResponse]:
        """Return the answers to several queries, in order."""


@runtime_checkable
class Engine(ClientMethods, Protocol):
    """A place that holds collections.

    What is below is about the engine itself, and is written only where it differs.
    """

    client: QdrantClient | None = None
    """The client of `qdrant_client` that it is around; None where it is around none."""

    @property
    def shared(self) -> bool:
        """Whether other processes may use it at the same time, as they may a server."""
        return False

    @property
    def joined(self) -> bool:
        """Whether other processes may be using it now: a server always, a folder once one has come."""
        return self.shared

    @property
    def held_by(self) -> str:
        """The other process through which it is used, in words; empty where there is none."""
        return ""

    @property
    def identity(self) -> str:
        """What holds the collections: equal for two engines of a process that hold the same ones."""
        return str(id(self))

    def lacks(self, feature: Feature) -> str:
        """Say why a feature is not to be had, for a message; empty if it is.

        :param feature: A name of the table in `servers/features.py`, e.g. `indexes`, by which a filter need not look at
            every point, or `text ranking`, BM25 over a text index.
        """
        return ""

    @property
    def described(self) -> str:
        """What answers, with its version, in a few words for people."""
        return f"an engine of your own: {type(self).__name__}"

    def note_collection(self, collection_name: str, info: models.CollectionInfo, called: str) -> bool:
        """Take note of what was said of a collection by another of its names; return whether that is of any use.

        :param called: The other name, by which users know it.
        """
        return False

    def stored_metadata(self, collection_name: str) -> Mapping[str, Json]:
        """Return the metadata entries of a collection, whoever set them.

        An engine that can tell them of a collection whose points are damaged lets it be named and removed.
        """
        return self.get_collection(collection_name).config.metadata or {}

    def save_attachment(self, collection_name: str, data: bytes, noted: dict[str, Json]) -> None:
        """Keep a file with a collection, replacing the one there was, on disk when this returns.

        :param noted: Metadata entries that say which file it is; set with it, here in one request.
        """
        encoded = base64.b64encode(data).decode("ascii")
        self.update_collection(collection_name, metadata={ATTACHMENT_KEY: encoded, **noted})

    def load_attachment(self, collection_name: str) -> bytes | None:
        """Return the file that is kept with a collection; None if there is none."""
        return attachment_in(self.stored_metadata(collection_name))

    def disk_sizes(self, collection_name: str) -> tuple[int, int] | None:
        """Return the bytes that a collection takes on the disk, and those that its files seem to have.

        None where that is not known.
        """
        return None

    def finish_bulk_load(self, collection_name: str) -> None:
        """Build the search index over what was written, and bring it to disk."""

    def close(self) -> None:
        """Let go of the location; closing again does nothing."""


def attachment_in(metadata: Mapping[str, Json]) -> bytes | None:
    """Return the file that stands among a collection's metadata entries; None where there is none, or elsewhere."""
    encoded = metadata.get(ATTACHMENT_KEY)
    return None if encoded is None else base64.b64decode(str(encoded))
