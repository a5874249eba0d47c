"""The postprocessor: nodes in, the same nodes in a better order out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from llama_index.core.bridge.pydantic import Field, PrivateAttr
from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.schema import MetadataMode, NodeWithScore, QueryBundle

from qdrant_embed import Collection, Hit
from qdrant_embed.errors import ConfigurationError
from qdrant_embed.reranking import Rerank


class QdrantEmbedRerank(BaseNodePostprocessor):
    """Rank nodes again by the rerankers of a collection; for nodes of its own retriever `rerank=` there does the same.

    Nodes of other retrievers are read by their text, with what was embedded of their metadata; a reranker that needs
    what the collection stores of them, such as `mmr`, refuses them.

    :param collection: An open collection, whose model and vectors are used.
    :param rerank: A word such as `mmr:0.3`, a `Reranker`, or a list of these.
    :param top_n: How many nodes are kept; None for all.
    """

    top_n: int | None = Field(default=None, description="How many nodes are kept; None for all.")
    _collection: Collection = PrivateAttr()
    _rerank: Rerank = PrivateAttr()

    def __init__(self, collection: Collection, rerank: Rerank, *, top_n: int | None = None, **more: Any) -> None:
        super().__init__(top_n=top_n, **more)  # type: ignore[call-arg]
        self._collection, self._rerank = collection, rerank

    @classmethod
    def class_name(cls) -> str:
        """Return the name that LlamaIndex knows it by."""
        return "QdrantEmbedRerank"

    def _postprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None
    ) -> list[NodeWithScore]:
        if query_bundle is None:
            raise ConfigurationError("nodes are ranked by a question; give query_str='…' or query_bundle=….")
        places = {node.node_id: place for place, node in reversed(list(enumerate(nodes)))}
        hits = self._hits([nodes[place] for place in sorted(places.values())])
        ranked = self._collection.parts.reranker(self._rerank).rerank(query_bundle.query_str, hits)
        kept = ranked if self.top_n is None else ranked[: self.top_n]
        return [NodeWithScore(node=nodes[places[hit.id]].node, score=hit.score) for hit in kept]

    def _hits(self, nodes: Sequence[NodeWithScore]) -> list[Hit]:
        """Return the chunks of the collection that nodes are made of; the nodes' own texts if these are of another."""
        try:
            stored = {hit.id: hit for hit in self._collection.get([node.node_id for node in nodes])}
        except ConfigurationError:
            stored = {}
        return [_with_score(stored.get(node.node_id) or _hit(node), node, rank) for rank, node in enumerate(nodes, 1)]


def _hit(node: NodeWithScore) -> Hit:
    text = node.node.get_content(MetadataMode.EMBED)
    source = str(node.node.metadata.get("file_name", ""))
    return Hit(id=node.node_id, score=0.0, text=text, source=source, start=0, end=len(text))


def _with_score(hit: Hit, node: NodeWithScore, rank: int) -> Hit:
    return replace(hit, score=node.score or 0.0, first_rank=rank, first_score=node.score)
