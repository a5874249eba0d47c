"""The methods that every engine has in common with `QdrantClient`, with the same names and meanings."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from qdrant_embed.types import Json

if TYPE_CHECKING:
    from uuid import UUID

    from qdrant_client import models
    from qdrant_client.http.models import QueryResponse

    PointId: TypeAlias = int | str | UUID
    Selector: TypeAlias = Sequence[PointId] | models.Filter | models.PointIdsList | models.FilterSelector
    Payload: TypeAlias = bool | Sequence[str] | models.PayloadSelectorInclude | models.PayloadSelectorExclude
    Vectors: TypeAlias = bool | Sequence[str]
    AliasChange: TypeAlias = models.CreateAliasOperation | models.DeleteAliasOperation | models.RenameAliasOperation
    IndexSchema: TypeAlias = models.PayloadFieldSchema
    Quantization: TypeAlias = models.QuantizationConfig


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
