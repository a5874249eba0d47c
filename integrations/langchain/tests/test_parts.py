import asyncio
import pickle

import pytest
from langchain_core.documents import Document
from langchain_qdrant_embed import (
    QdrantEmbedEmbeddings,
    QdrantEmbedLoader,
    QdrantEmbedRetriever,
    QdrantEmbedTextSplitter,
    QdrantEmbedVectorStore,
)
from pydantic import ValidationError

from qdrant_embed import ReadOptions
from qdrant_embed.errors import ConfigurationError, UnknownNameError


def test_passages_say_where_they_stand(docs):
    (found,) = QdrantEmbedRetriever(collection=docs, k=1).invoke("when are the cables inspected?")
    assert found.page_content == "## Cables\n\nInspected every Tuesday."
    assert found.metadata["source"] == "cranes.md"
    assert found.metadata["headings"] == ["Cranes", "Cables"]
    whole = docs.chunks("cranes.md")
    hit = next(hit for hit in whole if hit.id == found.id)
    assert (found.metadata["start_index"], found.metadata["end_index"]) == (hit.start, hit.end)
    assert 0 <= found.metadata["confidence"] <= 1


def test_fields_and_one_questions_changes(docs):
    retriever = QdrantEmbedRetriever(collection=docs, k=9, mode="bm25", filter={"source": "fish.txt"})
    assert {document.metadata["source"] for document in retriever.invoke("pier")} == {"fish.txt"}
    assert len(retriever.invoke("pier", k=1)) == 1
    assert len(asyncio.run(retriever.ainvoke("pier", filter=None, mode="dense"))) == docs.count()
    with pytest.raises(ConfigurationError):
        retriever.invoke("pier", mode="sideways")
    with pytest.raises(ValidationError):
        QdrantEmbedRetriever(collection=docs, top=3)
    assert "harbour" not in repr(retriever)


def test_embeddings_are_copied_as_their_settings():
    made = QdrantEmbedEmbeddings("hashing")
    copy = pickle.loads(pickle.dumps(made))
    assert copy.embed_query("cod") == made.embed_query("cod")
    assert len(made.embed_documents(["cod", "eel"])) == 2
    assert made.embed_documents([]) == []
    with pytest.raises(ConfigurationError, match="one vector"):
        QdrantEmbedEmbeddings("hashing", window="windows")
    with pytest.raises(UnknownNameError):
        QdrantEmbedEmbeddings("minlm")


def test_chunks_are_cut_out_of_the_text():
    splitter = QdrantEmbedTextSplitter("hashing", chunk_tokens=16, media_type="text/markdown")
    text = (
        "# Keys\n\nKeys rotate every ninety days, all of them, always.\n\n## Loss\n\nReport a lost key to the watch.\n"
    )
    chunks = splitter.split_documents([Document(page_content=text, metadata={"source": "keys.md", "tags": ["a"]})])
    assert len(chunks) > 1
    for chunk in chunks:
        assert text[chunk.metadata["start_index"] :].startswith(chunk.page_content)
        assert chunk.metadata["source"] == "keys.md"
    assert chunks[-1].metadata["headings"] == ["Keys", "Loss"]
    chunks[0].metadata["tags"].append("b")
    assert chunks[1].metadata["tags"] == ["a"]
    assert splitter.split_text(text) == [chunk.page_content for chunk in chunks]
    assert [chunk.metadata["n"] for chunk in splitter.create_documents(["Cod.", "Eel."], [{"n": 1}, {"n": 2}])] == [
        1,
        2,
    ]
    assert splitter.transform_documents([Document(page_content="Cod.")])[0].page_content == "Cod."


def test_files_are_loaded_and_what_cannot_be_read_is_told(harbour):
    (harbour / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    loader = QdrantEmbedLoader(harbour)
    found = {document.metadata["source"]: document for document in loader.lazy_load()}
    assert set(found) == {"cranes.md", "fish.txt", "keys.md"}
    assert found["cranes.md"].page_content.startswith("# Cranes")
    assert found["cranes.md"].metadata["title"] == "Cranes"
    assert [source for source, _ in loader.failed] == ["broken.pdf"]
    some = QdrantEmbedLoader(harbour, reading=ReadOptions(include=("*.md",)))
    assert len(some.load()) == 2 and some.failed == []
    with pytest.raises(ConfigurationError, match="there is no file or folder"):
        QdrantEmbedLoader(harbour / "gone").load()


def test_loaded_cut_and_stored(harbour):
    splitter = QdrantEmbedTextSplitter("hashing", chunk_tokens=24)
    chunks = splitter.split_documents(QdrantEmbedLoader(harbour).lazy_load())
    store = QdrantEmbedVectorStore.from_documents(chunks, QdrantEmbedEmbeddings("hashing"), at=":memory:")
    (best,) = store.similarity_search("where is herring landed?", k=1)
    assert best.metadata["source"] == "fish.txt"
    store.collection.close()
