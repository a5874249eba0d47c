"""A collection of this library as a vector store: `Collection` and an index of LlamaIndex over the same points."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.schema import BaseNode
from llama_index.core.vector_stores.types import (
    BasePydanticVectorStore,
    MetadataFilters,
    VectorStoreQuery,
    VectorStoreQueryMode,
    VectorStoreQueryResult,
)
from llama_index.retrievers.qdrant_embed.filters import to_plain_filter
from llama_index.retrievers.qdrant_embed.nodes import to_node
from qdrant_client import models

from qdrant_embed import Collection, Hit
from qdrant_embed.errors import ConfigurationError
from qdrant_embed.retrieval import Mode
from qdrant_embed.stock_client import EngineClient
from qdrant_embed.store import to_filter

_MODES: dict[VectorStoreQueryMode, Mode] = {
    VectorStoreQueryMode.DEFAULT: "dense",
    VectorStoreQueryMode.SPARSE: "bm25",
    VectorStoreQueryMode.TEXT_SEARCH: "bm25",
    VectorStoreQueryMode.HYBRID: "hybrid",
    VectorStoreQueryMode.SEMANTIC_HYBRID: "hybrid",
    VectorStoreQueryMode.MMR: "dense",
}
PAGE = 256


class QdrantEmbedCollectionStore(BasePydanticVectorStore):
    """The chunks of an open collection as nodes, for `VectorStoreIndex.from_vector_store`.

    The collection embeds the questions, with the model that embedded its chunks; the `embed_model` of the index is not
    asked. Documents come in by `Collection.ingest`, which also takes those of LlamaIndex, and may go either way. Nodes
    are those of `Collection.as_retriever`: without embeddings, with exact places in their documents.

    Modes: `default` (by the dense vectors), `sparse` and `text_search` (BM25), `hybrid` and `semantic_hybrid` (as the
    collection fuses them, so `alpha` is None, 0 or 1), `mmr` (`mmr_threshold`: 1 for relevance alone).

    :param collection: One of this library, or an attached one. It is closed by whoever opened it.
    """

    stores_text: bool = True
    is_embedding_query: bool = False
    _collection: Collection = PrivateAttr()

    def __init__(self, collection: Collection) -> None:
        super().__init__()
        self._collection = collection

    @classmethod
    def class_name(cls) -> str:
        """Return the name that LlamaIndex knows it by."""
        return "QdrantEmbedCollectionStore"

    @property
    def collection(self) -> Collection:
        """The collection."""
        return self._collection

    @property
    def client(self) -> EngineClient:
        """A `QdrantClient` over the location of the collection."""
        return self._collection.client

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise pickle.PicklingError(
            f"it holds an open collection, which stays in its process. Type there: "
            f"QdrantEmbedCollectionStore(Collection.open({self._collection.name!r}, at=…))."
        )

    # Nodes in and away

    def add(self, nodes: Sequence[BaseNode], **_: Any) -> list[str]:
        """Refuse nodes: chunks and vectors are made as the collection's recipe says.

        :raises ConfigurationError: There are any.
        """
        if nodes:
            raise ConfigurationError(
                f"collection {self._collection.name!r} cuts and embeds its documents itself: type "
                "store.collection.ingest(documents), which takes those of LlamaIndex. Nodes with embeddings of "
                "LlamaIndex go into a QdrantEmbedVectorStore."
            )
        return []

    def delete(self, ref_doc_id: str, **_: Any) -> None:
        """Remove the chunks of a document, by the id that its nodes name."""
        self._collection.delete(filter=_of_documents([ref_doc_id]))

    async def adelete(self, ref_doc_id: str, **more: Any) -> None:
        """Do as `delete`, in a thread."""
        await asyncio.to_thread(self.delete, ref_doc_id, **more)

    def delete_nodes(self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None, **_: Any) -> None:
        """Remove nodes that have one of the ids, if ids are given, and pass the filters, if there are any.

        :raises ConfigurationError: Neither is given.
        """
        if node_ids is None and filters is None:
            raise ConfigurationError("give node_ids or filters; Collection.drop(NAME, at=…) removes all there is.")
        self._collection.delete(filter=_chosen(node_ids, filters))

    async def adelete_nodes(
        self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None, **more: Any
    ) -> None:
        """Do as `delete_nodes`, in a thread."""
        await asyncio.to_thread(self.delete_nodes, node_ids, filters, **more)

    # Nodes out

    def get_nodes(
        self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None, limit: int | None = None
    ) -> list[BaseNode]:
        """Return nodes: all, those of some ids, or those that pass filters."""
        found: list[Hit] = []
        for hit in self._hits(_chosen(node_ids, filters)):
            if limit is not None and len(found) == limit:
                break
            found.append(hit)
        return self._nodes(found)

    async def aget_nodes(
        self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None, limit: int | None = None
    ) -> list[BaseNode]:
        """Do as `get_nodes`, in a thread."""
        return await asyncio.to_thread(self.get_nodes, node_ids, filters, limit)

    def query(self, query: VectorStoreQuery, **more: Any) -> VectorStoreQueryResult:
        """Return the nodes that answer a query best, by its mode; see the class.

        :raises ConfigurationError: The mode or `alpha` is none of ours, or the query has neither text nor embedding.
        """
        hits = [] if query.doc_ids == [] else self._found(query, more)
        nodes = self._nodes(hits)
        return VectorStoreQueryResult(
            nodes=nodes, similarities=[hit.score for hit in hits], ids=[node.node_id for node in nodes]
        )

    async def aquery(self, query: VectorStoreQuery, **more: Any) -> VectorStoreQueryResult:
        """Do as `query`, in a thread."""
        return await asyncio.to_thread(self.query, query, **more)

    def _found(self, query: VectorStoreQuery, more: dict[str, Any]) -> Sequence[Hit]:
        where = _chosen(query.node_ids or None, query.filters, query.doc_ids, more.get("qdrant_filters"))
        mode, k = _mode(query)
        if query.query_str is not None:
            return self._collection.search(query.query_str, k, filter=where, mode=mode, rerank=_rerank(query, more))
        if query.query_embedding is None or query.mode != VectorStoreQueryMode.DEFAULT:
            raise ConfigurationError(f"the mode {query.mode.value!r} needs query_str, which is None.")
        return self._collection.search_vector(query.query_embedding, k, filter=where)

    def _hits(self, where: models.Filter) -> Iterator[Hit]:
        points, following = self._collection.parts.points, None
        while True:
            found, following = points.scroll(self._collection.name, where, limit=PAGE, offset=following)
            yield from map(Hit.from_point, found)
            if following is None:
                return

    def _nodes(self, hits: Sequence[Hit]) -> list[BaseNode]:
        around = self._collection.neighborhoods(hits) if hits else []
        return [to_node(hit, near) for hit, near in zip(hits, around, strict=True)]


def _mode(query: VectorStoreQuery) -> tuple[Mode, int]:
    """Return the mode of `Collection.search` that a query means, and how many hits it wants."""
    mode = _MODES.get(query.mode)
    if mode is None:
        known = ", ".join(one.value for one in _MODES)
        raise ConfigurationError(f"the mode {query.mode.value!r} has no counterpart here; known: {known}.")
    if mode == "bm25":
        return mode, query.sparse_top_k or query.similarity_top_k
    if mode != "hybrid":
        return mode, query.similarity_top_k
    if query.alpha not in (None, 0, 1):
        raise ConfigurationError(
            f"alpha={query.alpha} weighs two lists, and the collection weighs its lists by the question. Leave it out, "
            "or give 0 (words alone) or 1 (embeddings alone)."
        )
    chosen: Mode = "hybrid" if query.alpha is None else "dense" if query.alpha else "bm25"
    return chosen, query.hybrid_top_k or query.similarity_top_k


def _rerank(query: VectorStoreQuery, more: dict[str, Any]) -> str | None:
    if query.mode != VectorStoreQueryMode.MMR:
        return None
    relevance = more.get("mmr_threshold", query.mmr_threshold)
    return "mmr" if relevance is None else f"mmr:{1 - relevance:g}"


def _chosen(
    node_ids: list[str] | None,
    filters: MetadataFilters | None,
    documents: list[str] | None = None,
    stated: models.Filter | None = None,
) -> models.Filter:
    conditions: list[Any] = [] if stated is None else [stated]
    if node_ids is not None:
        conditions.append(models.HasIdCondition(has_id=[int(one) if one.isdecimal() else one for one in node_ids]))
    if documents:
        conditions.append(_of_documents(documents))
    plain = to_plain_filter(filters) if filters is not None else {}
    return models.Filter(must=[*conditions, *([to_filter(plain)] if plain else [])])


def _of_documents(ids: list[str]) -> models.Filter:
    return models.Filter(must=[models.FieldCondition(key="document_id", match=models.MatchAny(any=ids))])
