"""Stores that were written for `QdrantClient`, over engines of this library."""

import asyncio
from uuid import uuid4

import numpy as np
import pytest
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_qdrant import QdrantVectorStore, RetrievalMode, SparseEmbeddings, SparseVector
from llama_index.core.schema import NodeRelationship, RelatedNodeInfo, TextNode
from llama_index.core.vector_stores.types import (
    FilterOperator,
    MetadataFilter,
    MetadataFilters,
    VectorStoreQuery,
    VectorStoreQueryMode,
)
from llama_index.vector_stores.qdrant import QdrantVectorStore as LlamaIndexStore
from qdrant_client import AsyncQdrantClient, QdrantClient, models

from qdrant_embed import Collection, Recipe
from qdrant_embed.errors import ConfigurationError, StoreError, UnsupportedByEngineError
from qdrant_embed.stock_client import open_client

PLANE = models.VectorParams(size=2, distance=models.Distance.COSINE)


@pytest.fixture(params=["folder", "memory"])
def client(request, tmp_path):
    """Return a client over a folder, then one over memory."""
    opened = open_client(tmp_path / "data" if request.param == "folder" else ":memory:")
    yield opened
    opened.close()


def by_length(texts):
    return [[len(text) % 7, 9] for text in texts], [[1.0, 0.5] for _ in texts]


@pytest.fixture
def nodes():
    """Return six nodes of two documents."""
    related = [{NodeRelationship.SOURCE: RelatedNodeInfo(node_id=f"document {i % 2}")} for i in range(6)]
    return [
        TextNode(text="x" * i, embedding=[1.0, float(i)], metadata={"n": i}, relationships=related[i]) for i in range(6)
    ]


def test_llama_indexs_store_works_whole_in_both_ways_of_calling(client, nodes):
    store = LlamaIndexStore(
        "notes", client=client, aclient=client.to_async(), enable_hybrid=True,
        sparse_doc_fn=by_length, sparse_query_fn=by_length,
    )  # fmt: skip
    asyncio.run(store.async_add(nodes[:3]))
    store.add(nodes[3:])
    above = MetadataFilters(filters=[MetadataFilter(key="n", value=3, operator=FilterOperator.GT)])
    assert [node.metadata["n"] for node in store.get_nodes(filters=above)] in ([4, 5], [5, 4])
    for mode in (VectorStoreQueryMode.DEFAULT, VectorStoreQueryMode.SPARSE, VectorStoreQueryMode.HYBRID):
        query = VectorStoreQuery(query_embedding=[1.0, 0.0], query_str="x", similarity_top_k=2, mode=mode)
        found = store.query(query)
        assert len(found.ids) == 2
        assert asyncio.run(store.aquery(query)).similarities == found.similarities
    store.delete("document 0")
    assert len(asyncio.run(store.aget_nodes())) == 3
    store.delete_nodes([nodes[1].node_id])
    assert {node.node_id for node in store.get_nodes()} == {nodes[3].node_id, nodes[5].node_id}
    store.clear()
    assert not client.collection_exists("notes")


class LengthEmbedding(SparseEmbeddings):
    """Says how long a text is."""

    def embed_documents(self, texts):
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text):
        return SparseVector(indices=[len(text) % 7], values=[1.0])


def test_langchains_store_works_whole(client):
    embedding = DeterministicFakeEmbedding(size=8)
    client.create_collection(
        "notes", {"": models.VectorParams(size=8, distance="Cosine")},
        sparse_vectors_config={"langchain-sparse": models.SparseVectorParams()},
    )  # fmt: skip
    store = QdrantVectorStore(
        client, "notes", embedding, retrieval_mode=RetrievalMode.HYBRID, sparse_embedding=LengthEmbedding()
    )
    ids = [str(uuid4()) for _ in range(3)]
    store.add_texts(["a", "bb", "ccc"], [{"n": 1}, {"n": 2}, {"n": 3}], ids=ids)
    assert store.similarity_search("bb", k=1)[0].page_content == "bb"
    only = models.Filter(must=[models.FieldCondition(key="metadata.n", match=models.MatchValue(value=3))])
    assert [found.page_content for found in store.similarity_search("bb", k=3, filter=only)] == ["ccc"]
    dense = QdrantVectorStore(client, "notes", embedding)
    assert {found.page_content for found in dense.max_marginal_relevance_search("a", k=3)} == {"a", "bb", "ccc"}
    assert [found.page_content for found in asyncio.run(store.asimilarity_search("a", k=1))] == ["a"]
    assert [found.metadata["n"] for found in store.get_by_ids(ids[:1])] == [1]
    store.delete(ids[:2])
    assert client.count("notes").count == 1


def test_it_is_a_client_to_whoever_asks(client):
    assert isinstance(client, QdrantClient)
    assert isinstance(client.to_async(), AsyncQdrantClient)
    client.create_collection("notes", PLANE)
    client.upsert("notes", models.Batch(ids=[1, 2], vectors=[[1, 0], [0, 1]], payloads=[{"of": "a"}, {"of": "b"}]))
    client.upload_collection("notes", np.array([[1.0, 1.0]]), [{"of": "a"}], ids=[3])
    client.upload_collection("notes", [[1.0, 0.5]])
    assert client.count("notes").count == 4
    groups = client.query_points_groups("notes", "of", [1.0, 0.1], limit=2).groups
    assert [(group.id, [hit.id for hit in group.hits]) for group in groups] == [("a", [1, 3]), ("b", [2])]
    assert client.retrieve("notes", ["no id", 7]) == []
    client.delete("notes", ["no id"])
    client.delete("notes", models.PointIdsList(points=["no id", 4]))
    assert client.count("notes").count == 4
    client.set_payload("notes", {"seen": True}, [1])
    assert client.retrieve("notes", [1])[0].payload == {"of": "a", "seen": True}
    client.update_collection_aliases(
        [models.CreateAliasOperation(create_alias=models.CreateAlias(collection_name="notes", alias_name="other"))]
    )
    assert [alias.alias_name for alias in client.get_aliases().aliases] == ["other"]
    with pytest.raises(ValueError, match="already"):
        client.create_collection("notes", PLANE)
    with pytest.raises(ValueError, match=r"Collection lost not found"):
        client.get_collection("lost")
    with pytest.warns(DeprecationWarning):
        client.recreate_collection("notes", vectors_config=PLANE)
    assert client.count("notes").count == 0
    with pytest.raises(UnsupportedByEngineError, match="to_async"):
        _ = client.init_options


def test_what_a_folder_lacks_is_said(tmp_path):
    client = open_client(tmp_path / "data")
    client.create_collection("notes", PLANE)
    with pytest.raises(UnsupportedByEngineError, match="create_snapshot"):
        client.create_snapshot("notes")
    with pytest.raises(UnsupportedByEngineError, match="shard_key_selector"):
        client.scroll("notes", shard_key_selector="a")
    client.close()
    with pytest.raises(StoreError, match="closed"):
        client.get_collections()


def test_a_collections_client_writes_only_where_the_collection_may_be_written_to(tmp_path):
    with Collection.open("own", at=tmp_path / "data", recipe=Recipe(model="hashing")) as own:
        own.client.create_collection("theirs", PLANE)
        own.client.upsert("theirs", [models.PointStruct(id=1, vector=[1, 0], payload={"text": "a"})])
        assert own.client.count("theirs").count == 1
    with Collection.attach("theirs", at=tmp_path / "data", model="none") as theirs:
        for write in (
            lambda: theirs.client.upsert("theirs", [models.PointStruct(id=2, vector=[1, 0])]),
            lambda: theirs.client.delete_collection("theirs"),
            lambda: asyncio.run(theirs.client.to_async().delete("theirs", [1])),
        ):
            with pytest.raises(ConfigurationError, match="writable"):
                write()
        assert [point.id for point in theirs.client.scroll("theirs")[0]] == [1]
        theirs.client.close()
        assert theirs.count() == 1
