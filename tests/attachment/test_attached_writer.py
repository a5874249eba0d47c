"""What is added to another program's collection, that program reads as its own."""

import warnings

import pytest
from qdrant_client import QdrantClient

from qdrant_embed import Collection, Document, Recipe
from qdrant_embed.errors import ConfigurationError
from tests.support.foreign_writers import TEXTS, WRITERS, embedding_of_llama_index, hashing

ADDED = {"text": "The tide turns at noon, and the pilots leave.", "source": "tide.md", "author": "Eve"}
QUESTION = "when does the tide turn"


@pytest.fixture
def client():
    made = QdrantClient(":memory:")
    yield made
    made.close()


def attached(client, name="notes", **settings):
    return Collection.attach(name, at=client, model="hashing", writable=True, **settings)


@pytest.mark.parametrize("writer", [name for name in WRITERS if name != "llama-index hybrid of old"])
def test_what_is_added_is_found_changed_and_removed(client, writer):
    WRITERS[writer](client, "notes")
    with attached(client) as docs:
        before = docs.layout
        (added,) = docs.attachment.add(ADDED)
        assert docs.attachment.add(ADDED) == [added] and docs.count() == len(TEXTS) + 1
        (hit,) = docs.search(QUESTION, k=1)
        assert (hit.id, hit.text, hit.metadata["author"]) == (added, ADDED["text"], "Eve")
        assert docs.count(filter={"author": "Eve"}) == 1
    with attached(client) as docs:  # detected and proved again, the new point among those that are looked at
        assert docs.layout.as_dict() == {**before.as_dict(), "points": 5, "fields": docs.layout.fields}
        assert docs.delete(ids=[added]) == 1
        assert docs.count() == len(TEXTS)


def test_llama_index_reads_its_new_nodes(client):
    store = WRITERS["llama-index"](client, "notes")
    with attached(client) as docs:
        (added,) = docs.attachment.add(ADDED)
        source = docs.get(added).document_id
    from llama_index.core import VectorStoreIndex

    index = VectorStoreIndex.from_vector_store(store, embed_model=embedding_of_llama_index())
    (found,) = index.as_retriever(similarity_top_k=1).retrieve(QUESTION)
    assert (found.node.node_id, found.node.text) == (added, ADDED["text"])
    assert found.node.metadata == {"file_path": "tide.md", "author": "Eve"}
    assert (found.node.ref_doc_id, found.node.end_char_idx) == (source, len(ADDED["text"]))
    store.delete(source)
    with attached(client) as docs:
        assert docs.count() == len(TEXTS)


def test_llama_index_ranks_its_new_nodes_by_words(client):
    store = WRITERS["llama-index hybrid"](client, "notes")
    with attached(client) as docs:
        docs.attachment.add(ADDED)
        assert docs.search("pilots", k=1, mode="bm25")[0].text == ADDED["text"]
    from llama_index.core import VectorStoreIndex

    index = VectorStoreIndex.from_vector_store(store, embed_model=embedding_of_llama_index())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (found,) = index.as_retriever(
            similarity_top_k=1, sparse_top_k=1, hybrid_top_k=1, vector_store_query_mode="hybrid", alpha=0.0
        ).retrieve("pilots")
    assert found.node.text == ADDED["text"]


@pytest.mark.parametrize("writer", ["langchain", "langchain named", "langchain hybrid"])
def test_langchain_reads_its_new_documents(client, writer):
    store = WRITERS[writer](client, "notes")
    with attached(client) as docs:
        docs.attachment.add(ADDED)
    (found,) = store.similarity_search(QUESTION, k=1)
    assert found.page_content == ADDED["text"]
    assert found.metadata.items() >= {"source": "tide.md", "author": "Eve", "start_index": 0}.items()


def test_haystack_reads_its_new_documents(client):
    store = WRITERS["haystack"](client, "notes")
    with attached(client) as docs:
        (added,) = docs.attachment.add(ADDED)
    found = store._query_by_embedding(query_embedding=hashing().embed_queries([QUESTION])[0].tolist(), top_k=1)
    assert (found[0].content, found[0].meta["author"]) == (ADDED["text"], "Eve")
    assert found[0].meta["file_path"] == "tide.md"
    assert added.replace("-", "")


def test_long_documents_are_cut_and_say_where_each_piece_stands(client):
    WRITERS["haystack"](client, "notes")
    text = "\n\n".join(f"Rule {number}. " + "Nobody moors at the pier of the pilots. " * 12 for number in range(12))
    with attached(client) as docs:
        added = docs.attachment.add(Document(text=text, source="rules.md"))
        pieces = docs.chunks("rules.md")
        assert [piece.id for piece in pieces] == added and len(added) > 2
        assert all(text[piece.start : piece.end] == piece.text for piece in pieces)
        assert docs.delete("rules.md") == len(added)


def test_texts_have_no_source(client):
    WRITERS["mcp-server-qdrant"](client, "notes")
    with attached(client) as docs:
        added = docs.attachment.add(["One more thing to remember.", "And another thing to remember."])
        assert client.retrieve("notes", added[:1])[0].payload == {
            "document": "One more thing to remember.",
            "metadata": {},
        }


def test_sparse_vectors_of_an_unknown_model_are_not_left_out(client):
    WRITERS["llama-index hybrid of old"](client, "notes")
    with attached(client) as docs, pytest.raises(ConfigurationError, match=r"sparse vectors.*Name it.*sparse='…'"):
        docs.attachment.add(ADDED)


def test_nothing_is_written_unless_it_was_allowed(client):
    WRITERS["plain"](client, "notes")
    with Collection.attach("notes", at=client, model="hashing") as docs:
        for change in (
            lambda: docs.attachment.add("a text"), docs.attachment.adopt, lambda: docs.delete("k.md"),
            lambda: docs.delete(ids=["7"]), lambda: docs.index_field("author"), lambda: docs.ingest([ADDED]),
        ):  # fmt: skip
            with pytest.raises(ConfigurationError, match=r"attached to be read.*writable=True"):
                change()
        assert docs.delete("k.md", dry_run=True) == 1
    with attached(client) as docs:
        with pytest.raises(ConfigurationError, match=r"no room for what an ingest.*collection\.attachment\.add"):
            docs.ingest([ADDED])
        with pytest.raises(ConfigurationError, match="its compression stays as it is"):
            docs.recompress("float16")
        with pytest.raises(ConfigurationError, match="settings and metadata stay"):
            docs.delete(root="a root")
        assert docs.count() == len(TEXTS) and not client.get_collection("notes").config.metadata


def test_what_is_no_document_is_refused(client):
    WRITERS["plain"](client, "notes")
    with attached(client) as docs:
        with pytest.raises(ConfigurationError, match="item 1"):
            docs.attachment.add([ADDED, 5])
        assert docs.count() == len(TEXTS)
        with pytest.raises(ConfigurationError, match="bytes"):
            docs.attachment.add(b"text")
        assert docs.attachment.add([]) == []


def test_a_model_given_twice_is_refused(client):
    WRITERS["plain"](client, "notes")
    with pytest.raises(ConfigurationError, match="both name a model"):
        Collection.attach("notes", at=client, model="hashing", recipe=Recipe(model="hashing"))
