"""Collections of ours, read by the stock stores of LlamaIndex and LangChain."""

import pytest
from langchain_core.embeddings import Embeddings
from langchain_qdrant import QdrantVectorStore
from llama_index.core.vector_stores.types import VectorStoreQuery
from llama_index.vector_stores.qdrant import QdrantVectorStore as LlamaIndexStore

from qdrant_embed import Collection, Document, Recipe
from qdrant_embed.errors import ConfigurationError, RecipeMismatchError
from qdrant_embed.types import DENSE

DOCUMENTS = [
    Document(text="The gates open at six.", source="gates.md", metadata={"team": "pilots"}),
    Document(text="Crane four lifts twelve tons.", source="cranes.md", metadata={"team": "docks"}),
]
QUESTION = "when do the gates open?"


class Ours(Embeddings):
    """The embedder of a collection, for LangChain."""

    def __init__(self, collection):
        self._embedder = collection.embedder

    def embed_documents(self, texts):
        return self._embedder.embed_documents(texts).tolist()

    def embed_query(self, text):
        return self._embedder.embed_queries([text])[0].tolist()


@pytest.fixture(params=["folder", "memory"])
def make(request, tmp_path):
    """Return a function that fills a collection with a profile."""
    opened = []

    def fill(payload):
        at = tmp_path / "data" if request.param == "folder" else ":memory:"
        collection = Collection.open("notes", at=at, recipe=Recipe(model="hashing", payload=payload))
        opened.append(collection)
        assert collection.ingest(DOCUMENTS).embedded == 2
        again = collection.ingest(DOCUMENTS)
        assert (again.embedded, again.reused) == (0, 2)
        return collection

    yield fill
    for collection in opened:
        collection.close()


def test_llama_indexs_own_store_reads_text_metadata_and_source(make):
    collection = make("llama-index")
    store = LlamaIndexStore("notes", client=collection.client, dense_vector_name=DENSE)
    question = collection.embedder.embed_queries([QUESTION])[0].tolist()
    node = store.query(VectorStoreQuery(query_embedding=question, similarity_top_k=1)).nodes[0]
    hit = collection.search(QUESTION, 1)[0]
    assert (node.text, node.node_id, node.ref_doc_id) == (hit.text, hit.id, hit.document_id)
    assert node.metadata == {"team": "pilots", "source": "gates.md"}
    assert hit.metadata == {"team": "pilots"}
    store.delete(node.ref_doc_id)
    assert collection.count() == 1


def test_langchains_own_store_reads_text_metadata_and_source(make):
    collection = make("langchain")
    store = QdrantVectorStore(collection.client, "notes", Ours(collection), vector_name=DENSE)
    found = store.similarity_search(QUESTION, k=1)[0]
    assert found.page_content == "The gates open at six."
    assert found.metadata["source"] == "gates.md"
    assert found.metadata["team"] == "pilots"
    assert collection.search(QUESTION, 1)[0].metadata == {"team": "pilots"}
    collection.ingest([Document(text="Eels are sold by the basket.", source="eels.md", metadata={"source": "a book"})])
    assert collection.search("eels", 1)[0].metadata == {"source": "a book"}
    assert store.similarity_search("eels", k=1)[0].metadata["source"] == "a book"


@pytest.mark.parametrize(("payload", "field"), [("llama-index", "doc_id"), ("langchain", "metadata.source"), ("", "")])
def test_what_the_other_store_filters_by_is_indexed(tmp_path, payload, field):
    with Collection.open("notes", at=tmp_path, recipe=Recipe(model="hashing", payload=payload)) as collection:
        indexed = set(collection.engine.get_collection("notes").payload_schema)
    assert {"doc_id", "metadata.source"} & indexed == ({field} if field else set())


def test_nodes_are_renamed_with_their_points(tmp_path):
    recipe = Recipe(model="hashing", payload="llama-index")
    with Collection.open("notes", at=tmp_path, recipe=recipe) as collection:
        collection.ingest(DOCUMENTS)
        before = {hit.id for document in DOCUMENTS for hit in collection.chunks(document.source)}
        collection.recompress("float16")
        after = {hit.id for document in DOCUMENTS for hit in collection.chunks(document.source)}
        store = LlamaIndexStore("notes", client=collection.client, dense_vector_name=DENSE)
        assert before.isdisjoint(after)
        question = collection.embedder.embed_queries([QUESTION])[0].tolist()
        found = store.query(VectorStoreQuery(query_embedding=question, similarity_top_k=9))
        assert {node.node_id for node in found.nodes} == set(found.ids) == after
        assert "doc_id" in collection.engine.get_collection("notes").payload_schema
        again = collection.ingest(DOCUMENTS)
        assert (again.embedded, again.reused) == (0, 2)


def test_the_profile_is_part_of_the_recipe(tmp_path):
    with Collection.open("notes", at=tmp_path, recipe=Recipe(model="hashing", payload="langchain")) as collection:
        collection.ingest(DOCUMENTS)
        collection.recompress("float16")
    with Collection.open("notes", at=tmp_path) as collection:
        assert collection.recipe.payload == "langchain"
        points, _ = collection.client.scroll("notes")
        assert {point.payload["page_content"] for point in points} == {document.text for document in DOCUMENTS}
    with pytest.raises(RecipeMismatchError, match="payload"):
        Collection.open("notes", at=tmp_path, recipe=Recipe(model="hashing", compression="float16"))
    with pytest.raises(ConfigurationError, match="llama-index"):
        Recipe(payload="haystack")
    assert Recipe(payload="plain") == Recipe()
