"""The vector store: LlamaIndex's nodes, with the embeddings that LlamaIndex computed, in a collection."""

from __future__ import annotations

import asyncio
import pickle
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from llama_index.core.bridge.pydantic import Field, PrivateAttr
from llama_index.core.schema import BaseNode
from llama_index.core.vector_stores.types import (
    BasePydanticVectorStore,
    MetadataFilters,
    VectorStoreQuery,
    VectorStoreQueryResult,
)
from llama_index.vector_stores.qdrant_embed.engine_queries import engine_query
from llama_index.vector_stores.qdrant_embed.metadata_conditions import to_payload_filter
from llama_index.vector_stores.qdrant_embed.node_points import (
    DOCUMENT_KEY,
    node_of,
    of_documents,
    point_id,
    point_of,
)
from llama_index.vector_stores.qdrant_embed.node_vectors import NodeVectors, create_vectors, vectors_in
from qdrant_client import models

from qdrant_embed.embedding import Bm25Encoder
from qdrant_embed.errors import ConfigurationError
from qdrant_embed.stock_client import EngineClient
from qdrant_embed.store import Engine, open_engine

PAGE = 256
_OPENING = threading.Lock()


class QdrantEmbedVectorStore(BasePydanticVectorStore):
    """Nodes in a folder, on a server or in memory, with their embeddings and BM25 weights beside these.

    Every node is stored whole, so neither a docstore nor an index store is needed. One object answers synchronously
    and, in threads, asynchronously. The layout is that of `llama_index.vector_stores.qdrant.QdrantVectorStore` with
    `enable_hybrid=True`, which can read it, as can `Collection.attach`. An id that is no UUID is kept in the node, and
    the point gets one that is made of it.

    Modes: `default` (cosine), `sparse` and `text_search` (BM25), `hybrid` and `semantic_hybrid` (both, fused by rank in
    the engine; `alpha` weighs the embeddings against the words), `mmr` (`mmr_threshold`: 1 for relevance alone, 0 for
    variety). An additional `qdrant_filters=` of a query is a `qdrant_client.models.Filter`.

    :param collection_name: Made at the first `add`, for embeddings of that length.
    :param at: A folder (embedded engine), a server's URL, `:memory:`, or a `QdrantClient` or `Engine` of yours. The
        key of a server is read from the environment variable `QDRANT_API_KEY`, and stands in no field.
    :param language: Language of the BM25 word stems and stop words, `multilingual` for neither; left out, what the
        collection was made with, and English for a new one.
    :param batch_size: Points that are written at once.
    """

    stores_text: bool = True
    collection_name: str
    location: str | None = Field(default=None, description="The folder or URL; None where an engine was handed in.")
    language: str = ""
    batch_size: int = Field(default=256, gt=0)
    _at: Any = PrivateAttr(default=None)
    _engine: Engine | None = PrivateAttr(default=None)
    _vectors: NodeVectors | None = PrivateAttr(default=None)

    def __init__(self, collection_name: str, at: Any = None, **more: Any) -> None:
        if unknown := sorted(more.keys() - type(self).model_fields.keys()):
            raise ConfigurationError(
                f"unknown: {', '.join(unknown)}. A folder, a URL, ':memory:', a QdrantClient or an Engine is given as "
                "at=."
            )
        given = more.pop("location", None) if at is None else at
        place = "./qdrant_data" if given is None else given
        named = None if not isinstance(place, str) and hasattr(place, "get_collections") else str(place)
        super().__init__(collection_name=collection_name, location=named, **more)  # type: ignore[call-arg]
        self._at = place
        if self.language:
            Bm25Encoder(self.language)  # to refuse one that is not known

    @classmethod
    def class_name(cls) -> str:
        """Return the name that LlamaIndex knows it by."""
        return "QdrantEmbedVectorStore"

    @property
    def engine(self) -> Engine:
        """What holds the points; opened when it is first needed."""
        with _OPENING:  # asynchronous calls come in threads, the first ones at once
            if self._engine is None:
                self._engine = open_engine(self._at)
            return self._engine

    @property
    def client(self) -> EngineClient:
        """A `QdrantClient` over the same location."""
        return EngineClient(self.engine)

    def close(self) -> None:
        """Let go of the location; a folder can then be opened by another process. The next call opens it again."""
        if self._engine is not None:
            self._engine.close()
        self._engine = self._vectors = None

    def __getstate__(self) -> dict[str, Any]:
        if self.location in (None, ":memory:"):
            raise pickle.PicklingError(
                "what is in memory, or behind an engine of yours, stays in its process; give a folder or a URL as at=."
            )
        return {"collection_name": self.collection_name, "at": self.location, **self._settings()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    def _settings(self) -> dict[str, Any]:
        return {"language": self.language, "batch_size": self.batch_size}

    # Nodes in

    def add(self, nodes: Sequence[BaseNode], **_: Any) -> list[str]:
        """Store nodes with embeddings, those of the same ids replaced; return their ids.

        :raises ConfigurationError: A node has no embedding, or one of another size than those that are stored.
        """
        without = next((node.node_id for node in nodes if node.embedding is None), None)
        if without is not None:
            raise ConfigurationError(f"node {without} has no embedding; VectorStoreIndex(nodes) embeds and adds them.")
        if nodes:
            vectors = self._create(len(nodes[0].get_embedding()))
            for node in nodes:
                vectors.require(node.get_embedding())
        for start in range(0, len(nodes), self.batch_size):
            batch = nodes[start : start + self.batch_size]
            self.engine.upsert(self.collection_name, [point_of(node, vectors) for node in batch])
        return [node.node_id for node in nodes]

    async def async_add(self, nodes: Sequence[BaseNode], **more: Any) -> list[str]:
        """Do as `add`, in a thread."""
        return await asyncio.to_thread(self.add, nodes, **more)

    def _create(self, size: int) -> NodeVectors:
        if (found := self._found()) is not None:
            return found
        self._vectors = create_vectors(self.engine, self.collection_name, size, self.language)
        self.engine.create_payload_index(self.collection_name, DOCUMENT_KEY, models.PayloadSchemaType.KEYWORD)
        return self._vectors

    def _found(self) -> NodeVectors | None:
        """Return the vectors of the collection, None where there is none.

        :raises ConfigurationError: It holds something else than nodes, or words of another language.
        """
        if not self.engine.collection_exists(self.collection_name):
            self._vectors = None
        elif self._vectors is None:
            self._vectors = vectors_in(self.engine, self.collection_name, self.language)
        return self._vectors

    # Nodes away

    def delete(self, ref_doc_id: str, **_: Any) -> None:
        """Remove the nodes of a document."""
        if self._found():
            self.engine.delete(self.collection_name, of_documents([ref_doc_id]))

    async def adelete(self, ref_doc_id: str, **more: Any) -> None:
        """Do as `delete`, in a thread."""
        await asyncio.to_thread(self.delete, ref_doc_id, **more)

    def delete_nodes(self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None, **_: Any) -> None:
        """Remove nodes that have one of the ids, if ids are given, and pass the filters, if there are any.

        :raises ConfigurationError: Neither is given; `clear` removes all.
        """
        if node_ids is None and filters is None:
            raise ConfigurationError("give node_ids or filters; clear() removes all nodes.")
        if self._found():
            self.engine.delete(self.collection_name, self._chosen(node_ids, filters))

    async def adelete_nodes(
        self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None, **more: Any
    ) -> None:
        """Do as `delete_nodes`, in a thread."""
        await asyncio.to_thread(self.delete_nodes, node_ids, filters, **more)

    def clear(self) -> None:
        """Remove the collection; the next `add` makes it again."""
        if self._found():
            self.engine.delete_collection(self.collection_name)

    async def aclear(self) -> None:
        """Do as `clear`, in a thread."""
        await asyncio.to_thread(self.clear)

    # Nodes out

    def get_nodes(
        self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None, limit: int | None = None
    ) -> list[BaseNode]:
        """Return nodes with their embeddings: all, those of some ids, or those that pass filters."""
        if (vectors := self._found()) is None:
            return []
        found: list[BaseNode] = []
        for point in self._points(
            self._chosen(node_ids, filters), with_vectors=[vectors.dense] if vectors.dense else True
        ):
            if limit is not None and len(found) == limit:
                break
            node = node_of(point)
            node.embedding = vectors.embedding(point.vector)
            found.append(node)
        return found

    async def aget_nodes(
        self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None, limit: int | None = None
    ) -> list[BaseNode]:
        """Do as `get_nodes`, in a thread."""
        return await asyncio.to_thread(self.get_nodes, node_ids, filters, limit)

    def query(self, query: VectorStoreQuery, **more: Any) -> VectorStoreQueryResult:
        """Return the nodes nearest to a query, by its mode; see the class.

        :raises ConfigurationError: The mode is none of ours, or the query or the collection lacks what it needs.
        """
        if (vectors := self._found()) is None or query.doc_ids == []:
            return VectorStoreQueryResult(nodes=[], similarities=[], ids=[])
        # An index that keeps no list of its nodes asks with an empty one.
        chosen = self._chosen(query.node_ids or None, query.filters, query.doc_ids, more.get("qdrant_filters"))
        found = self.engine.query_points(
            self.collection_name, **engine_query(query, chosen, vectors, more), query_filter=chosen
        ).points
        nodes = [node_of(point) for point in found]
        return VectorStoreQueryResult(
            nodes=nodes, similarities=[point.score for point in found], ids=[node.node_id for node in nodes]
        )

    async def aquery(self, query: VectorStoreQuery, **more: Any) -> VectorStoreQueryResult:
        """Do as `query`, in a thread."""
        return await asyncio.to_thread(self.query, query, **more)

    def _chosen(
        self,
        node_ids: list[str] | None,
        filters: MetadataFilters | None,
        documents: list[str] | None = None,
        stated: models.Filter | None = None,
    ) -> models.Filter:
        conditions: list[Any] = [] if stated is None else [stated]
        if node_ids is not None:
            conditions.append(models.HasIdCondition(has_id=[point_id(one) for one in node_ids]))
        if documents:
            conditions.append(of_documents(documents))
        metadata = to_payload_filter(filters, self._values_of)
        return models.Filter(must=[*conditions, *([] if metadata is None else [metadata])])

    def _values_of(self, key: str) -> Iterator[Any]:
        """Yield the values that a metadata field has anywhere."""
        field = key.strip('"')
        for point in self._points(models.Filter(), with_payload=[key]):
            value: Any = point.payload or {}
            for name in [field] if field in value else field.split("."):
                value = value.get(name) if isinstance(value, dict) else None
            yield from value if isinstance(value, list) else [value]

    def _points(self, chosen: models.Filter, **what: Any) -> Iterator[models.Record]:
        following: Any = None
        while True:
            found, following = self.engine.scroll(self.collection_name, chosen, limit=PAGE, offset=following, **what)
            yield from found
            if following is None:
                return
