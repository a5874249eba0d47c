"""The retriever: questions in, nodes of a collection out."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from llama_index.core.callbacks import CallbackManager
from llama_index.core.retrievers import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode
from llama_index.core.vector_stores import MetadataFilters
from llama_index.retrievers.qdrant_embed.filters import to_plain_filter
from llama_index.retrievers.qdrant_embed.nodes import to_node

from qdrant_embed import Hit
from qdrant_embed.errors import ConfigurationError

if TYPE_CHECKING:
    from qdrant_client import models

    from qdrant_embed import Collection
    from qdrant_embed.reranking import Rerank
    from qdrant_embed.retrieval import Expansion, GroupBy, Mode
    from qdrant_embed.store import PlainFilter


class QdrantEmbedRetriever(BaseRetriever):
    """Retrieve the best `k` passages of a collection; usually made by `collection.as_retriever(k=…)`.

    Nodes carry the passage's exact text and character positions, its document (`ref_doc_id`) and the passages before
    and after it, its score and metadata. The asynchronous methods search in a thread, so the event loop stays free.

    Of a `QueryBundle`, `query_str` is searched for, or each of `custom_embedding_strs` where a query transform such as
    HyDE set them; a passage found by several keeps its best score. An `embedding` in the bundle is not used: nothing
    says which model made it, and comparing vectors of two models gives wrong answers without any error.

    :param k: How many passages; LlamaIndex's word for it, `similarity_top_k`, is read too. 5 if neither is given.
    :param filter: A plain dict, a `qdrant_client.models.Filter`, or LlamaIndex's `MetadataFilters`.
    :param mode: `hybrid`, `rrf`, `dense`, `bm25`, `sparse` or `multivector`; scores are on that mode's scale.
    :param group_by: `document` for the best passage of each document.
    :param expand: Chunks that are joined with each passage on each side, or `section`.
    :param rerank: What ranks the first passages again, such as `mmr:0.3`; scores are then its own.
    :param min_confidence: No nodes where it is more doubtful that the collection holds an answer (mode `hybrid`); nodes
        carry the confidence, 0 to 1, in their metadata, unless the document has a field of that name.
    """

    def __init__(  # noqa: PLR0913 - those of `search`, and LlamaIndex's own
        self,
        collection: Collection,
        *,
        k: int | None = None,
        similarity_top_k: int | None = None,
        filter: PlainFilter | models.Filter | MetadataFilters | None = None,
        mode: Mode = "hybrid",
        group_by: GroupBy | None = None,
        expand: Expansion = 0,
        rerank: Rerank | None = None,
        min_confidence: float = 0.0,
        callback_manager: CallbackManager | None = None,
        verbose: bool = False,
    ) -> None:
        super().__init__(callback_manager=callback_manager, verbose=verbose)
        self._collection = collection
        self._k = _one_of(k, similarity_top_k)
        self._filter = to_plain_filter(filter) if isinstance(filter, MetadataFilters) else filter
        self._mode: Mode = mode
        self._group_by, self._expand, self._rerank = group_by, expand, rerank
        self._min_confidence = min_confidence

    @property
    def similarity_top_k(self) -> int:
        """How many passages a question gets; can be set, as on LlamaIndex's own retrievers."""
        return self._k

    @similarity_top_k.setter
    def similarity_top_k(self, k: int) -> None:
        self._k = k

    def __copy__(self) -> QdrantEmbedRetriever:
        made: QdrantEmbedRetriever = type(self).__new__(type(self))
        made.__dict__.update(self.__dict__)
        return made

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise pickle.PicklingError(
            "a retriever holds an open collection, which stays in its process. Open it where it is needed: "
            f"Collection.open({self._collection.name!r}, at=…).as_retriever(k={self._k}). A folder can be open in one "
            "process at a time; for several, use a Qdrant server."
        )

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return self._search(query_bundle)

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return await asyncio.to_thread(self._search, query_bundle)

    def _search(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        queries = query_bundle.embedding_strs or [query_bundle.query_str]
        found = self._collection.search(
            queries, self._k, filter=self._filter, mode=self._mode, group_by=self._group_by, expand=self._expand,
            rerank=self._rerank, min_confidence=self._min_confidence,
        )  # fmt: skip
        best: dict[str, tuple[Hit, float | None]] = {}
        sure = [(hit, hits.confidence) for hits in found for hit in hits]
        for hit, confidence in sorted(sure, key=lambda one: -one[0].score):
            best.setdefault(hit.document_id if self._group_by else hit.id, (hit, confidence))
        chosen = list(best.values())[: self._k]
        around = self._collection.neighborhoods([hit for hit, _ in chosen])
        nodes = [_node(hit, near, confidence) for (hit, confidence), near in zip(chosen, around, strict=True)]
        return [NodeWithScore(node=node, score=hit.score) for node, (hit, _) in zip(nodes, chosen, strict=True)]


def _node(hit: Hit, around: Sequence[Hit], confidence: float | None) -> TextNode:
    """Return a passage as a node that also says how sure its question was to have an answer."""
    node = to_node(hit, around)
    if confidence is not None and "confidence" not in node.metadata:  # which may be a field of the document's own
        node.metadata["confidence"] = round(confidence, 4)
        for left_out in (node.excluded_embed_metadata_keys, node.excluded_llm_metadata_keys):
            left_out.append("confidence")
    return node


def _one_of(k: int | None, similarity_top_k: int | None) -> int:
    if k is not None and similarity_top_k is not None and k != similarity_top_k:
        raise ConfigurationError(f"k={k} and similarity_top_k={similarity_top_k} mean the same; give one of them.")
    return next((given for given in (k, similarity_top_k) if given is not None), 5)
