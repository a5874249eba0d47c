"""Nodes ranked again: by the retriever, and by a postprocessor over nodes of any retriever."""

import pytest
from llama_index.core.schema import NodeWithScore, TextNode
from llama_index.postprocessor.qdrant_embed import QdrantEmbedRerank

from qdrant_embed.errors import ConfigurationError

QUESTION = "who rotates the master keys?"


def found(nodes):
    return [(node.node_id, node.score) for node in nodes]


def test_the_retriever_ranks_as_the_search_does(harbour):
    hits = harbour.search(QUESTION, k=4, rerank="mmr:0.6")
    assert found(harbour.as_retriever(k=4, rerank="mmr:0.6").retrieve(QUESTION)) == [
        (hit.id, hit.score) for hit in hits
    ]


def test_the_postprocessor_does_the_same_to_nodes_of_the_retriever(harbour):
    nodes = harbour.as_retriever(k=100).retrieve(QUESTION)
    ranked = QdrantEmbedRerank(harbour, "mmr:0.6").postprocess_nodes(nodes, query_str=QUESTION)
    hits = harbour.search(QUESTION, k=100, rerank="mmr:0.6")
    assert found(ranked) == [(hit.id, pytest.approx(hit.score, abs=1e-6)) for hit in hits]
    assert {node.node_id: node.node for node in ranked} == {node.node_id: node.node for node in nodes}
    few = QdrantEmbedRerank(harbour, ["mmr:0.6"], top_n=2).postprocess_nodes(nodes, query_str=QUESTION)
    assert found(few) == found(ranked)[:2]


def test_foreign_nodes_are_refused_where_their_vectors_are_needed(harbour):
    nodes = [NodeWithScore(node=TextNode(text=f"Node {number}."), score=0.5) for number in range(3)]
    with pytest.raises(ConfigurationError, match="has none of these 3 passages"):
        QdrantEmbedRerank(harbour, "mmr").postprocess_nodes(nodes, query_str=QUESTION)


def test_it_needs_a_question_and_takes_no_nodes(harbour):
    postprocessor = QdrantEmbedRerank(harbour, "mmr")
    assert postprocessor.postprocess_nodes([], query_str=QUESTION) == []
    with pytest.raises(ConfigurationError, match="nodes are ranked by a question"):
        postprocessor.postprocess_nodes(harbour.as_retriever(k=2).retrieve(QUESTION))
    with pytest.raises(ConfigurationError, match="unknown reranker 'mrr'"):
        QdrantEmbedRerank(harbour, "mrr").postprocess_nodes([], query_str=QUESTION)
