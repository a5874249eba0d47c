"""One collection by every way in: `Collection`, its retriever, and an index of LlamaIndex over it."""

import asyncio
import pickle

import pytest
from llama_index.core import Document, MockEmbedding, StorageContext, VectorStoreIndex, load_index_from_storage
from llama_index.core.chat_engine import CondenseQuestionChatEngine
from llama_index.core.llms import MockLLM
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.schema import NodeRelationship, RelatedNodeInfo, TextNode
from llama_index.core.vector_stores.types import (
    FilterCondition,
    FilterOperator,
    MetadataFilter,
    MetadataFilters,
    VectorStoreQuery,
    VectorStoreQueryMode,
)
from llama_index.vector_stores.qdrant import QdrantVectorStore
from llama_index.vector_stores.qdrant_embed import QdrantEmbedCollectionStore, QdrantEmbedVectorStore
from qdrant_client import models

from qdrant_embed import Collection
from qdrant_embed.errors import ConfigurationError

QUESTION = "how often are the master keys rotated?"


class Unasked(MockEmbedding):
    """Fails where it is asked for a vector."""

    def _get_query_embedding(self, query):
        raise AssertionError("the collection embeds its questions itself")


@pytest.fixture
def store(harbour):
    return QdrantEmbedCollectionStore(harbour)


@pytest.fixture
def index(store):
    return VectorStoreIndex.from_vector_store(store, embed_model=Unasked(embed_dim=3))


@pytest.mark.parametrize("mode", ["default", "sparse", "text_search", "hybrid", "semantic_hybrid", "mmr"])
def test_every_way_in_leads_to_the_same_points(harbour, index, mode):
    search = {"default": "dense", "mmr": "dense", "sparse": "bm25", "text_search": "bm25"}.get(mode, "hybrid")
    hits = harbour.search(QUESTION, 3, mode=search, rerank="mmr" if mode == "mmr" else None)
    found = index.as_retriever(similarity_top_k=3, vector_store_query_mode=mode).retrieve(QUESTION)
    assert [one.node_id for one in found] == [hit.id for hit in hits]
    assert [one.score for one in found] == pytest.approx([hit.score for hit in hits], abs=1e-6)
    assert found[0].node.metadata["source"] == hits[0].source
    other = harbour.as_retriever(k=3, mode=search, rerank="mmr" if mode == "mmr" else None)
    assert {one.node_id for one in other.retrieve(QUESTION)} == {hit.id for hit in hits}


def test_filters_documents_and_ids_limit_what_is_found(harbour, store, index):
    of_cranes = MetadataFilters(filters=[MetadataFilter(key="source", value="guide/cranes.md")])
    others = MetadataFilters(filters=[of_cranes], condition=FilterCondition.NOT)
    found = asyncio.run(index.as_retriever(similarity_top_k=9, filters=of_cranes).aretrieve(QUESTION))
    assert {one.metadata["source"] for one in found} == {"guide/cranes.md"}
    assert len(store.get_nodes(filters=others)) == harbour.count() - len(store.get_nodes(filters=of_cranes))
    one = found[0].node
    asked = VectorStoreQuery(query_str=QUESTION, similarity_top_k=99, doc_ids=[one.ref_doc_id])
    assert {node.ref_doc_id for node in store.query(asked).nodes} == {one.ref_doc_id}
    asked.doc_ids = []
    assert store.query(asked).nodes == []
    asked.doc_ids, asked.node_ids = None, [one.node_id]
    assert store.query(asked).ids == [one.node_id]
    asked.query_str, asked.query_embedding = None, harbour.embedder.embed_queries([QUESTION])[0].tolist()
    assert store.query(asked).ids == [one.node_id]
    (again,) = asyncio.run(store.aget_nodes([one.node_id]))
    assert (again.text, again.metadata, again.prev_node) == (one.text, one.metadata, one.prev_node)
    assert len(store.get_nodes(limit=2)) == 2


def test_documents_come_in_by_the_collection_and_go_either_way(harbour, store, index):
    without = harbour.count()
    harbour.ingest([Document(text="Oysters are counted on Fridays.", id_="oysters", metadata={"team": "pier"})])
    (found,) = index.as_retriever(similarity_top_k=1, vector_store_query_mode="text_search").retrieve("oysters")
    assert found.metadata["team"] == "pier"
    index.delete_ref_doc(found.node.ref_doc_id)
    assert harbour.count() == without
    asyncio.run(store.adelete_nodes([store.get_nodes(limit=1)[0].node_id]))
    store.delete_nodes(
        filters=MetadataFilters(filters=[MetadataFilter(key="source", value="x", operator=FilterOperator.EQ)])
    )
    assert harbour.count() == without - 1
    with pytest.raises(ConfigurationError, match="ingest"):
        index.insert_nodes([TextNode(text="a", embedding=[1.0])])
    with pytest.raises(ConfigurationError, match=r"Collection\.drop"):
        store.delete_nodes()
    for wrong in ({"mode": VectorStoreQueryMode.SVM}, {"mode": VectorStoreQueryMode.HYBRID, "alpha": 0.5}):
        with pytest.raises(ConfigurationError):
            store.query(VectorStoreQuery(query_str="a", **wrong))
    with pytest.raises(ConfigurationError, match="query_str"):
        store.query(VectorStoreQuery())
    with pytest.raises(pickle.PicklingError, match=r"Collection\.open\('harbour'"):
        pickle.dumps(store)


def test_engines_answer_over_it_and_a_storage_context_leads_back_to_it(index, store, tmp_path):
    llm = MockLLM()
    engine = index.as_query_engine(llm=llm, similarity_top_k=2)
    assert len(engine.query(QUESTION).source_nodes) == 2
    chat = CondenseQuestionChatEngine.from_defaults(
        query_engine=engine, llm=llm, memory=ChatMemoryBuffer.from_defaults(llm=llm)
    )
    chat.chat("who keeps the keys?")
    assert asyncio.run(chat.achat("and how often are they rotated?")).source_nodes
    index.storage_context.persist(tmp_path / "kept")
    context = StorageContext.from_defaults(persist_dir=str(tmp_path / "kept"), vector_store=store)
    again = load_index_from_storage(context, embed_model=Unasked(embed_dim=3))
    assert again.as_retriever(similarity_top_k=1).retrieve(QUESTION)[0].metadata["source"] == "guide/keys.md"


def test_a_collection_of_ours_is_no_store_of_nodes_and_says_which_is(harbour):
    nodes = QdrantEmbedVectorStore("harbour", at=harbour.engine)
    for use in (nodes.clear, nodes.get_nodes, lambda: nodes.query(VectorStoreQuery(query_embedding=[1.0]))):
        with pytest.raises(ConfigurationError, match=r"QdrantEmbedCollectionStore\(Collection.open\('harbour'"):
            use()
    assert harbour.count()


def test_nodes_that_llama_indexs_own_store_wrote_without_words_are_read_and_added_to(tmp_path):
    mine = QdrantEmbedVectorStore("plain", at=tmp_path / "data")
    related = {NodeRelationship.SOURCE: RelatedNodeInfo(node_id="fish")}
    QdrantVectorStore("plain", client=mine.client).add(
        [TextNode(text="herring", embedding=[1.0, 0.0], relationships=related)]
    )
    mine.add([TextNode(text="cod", embedding=[0.0, 1.0])])
    query = VectorStoreQuery(query_embedding=[0.0, 1.0], query_str="cod", similarity_top_k=2)
    assert [node.text for node in mine.query(query).nodes] == ["cod", "herring"]
    assert sorted(node.embedding for node in mine.get_nodes()) == [[0.0, 1.0], [1.0, 0.0]]
    query.mode = VectorStoreQueryMode.HYBRID
    with pytest.raises(ConfigurationError, match="BM25"):
        mine.query(query)
    mine.client.upsert("plain", [models.PointStruct(id=7, vector=[0.0, -1.0], payload={"text": "tar", "of": "a"})])
    query.mode, query.query_embedding, query.similarity_top_k = VectorStoreQueryMode.DEFAULT, [0.0, -1.0], 1
    (other,) = mine.query(query).nodes
    assert (other.node_id, other.text, other.metadata) == ("7", "tar", {"of": "a"})
    assert mine.get_nodes(["7"])[0].text == "tar"
    mine.delete_nodes(["7"])
    mine.delete("fish")
    assert [node.text for node in mine.get_nodes()] == ["cod"]
    with Collection.attach("plain", at=mine.engine, model="none") as attached:
        through = QdrantEmbedCollectionStore(attached)
        assert [node.text for node in through.get_nodes()] == ["cod"]
    mine.close()
