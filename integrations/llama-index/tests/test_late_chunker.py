"""Late chunking in a pipeline: nodes that are embedded in their document, with exact places and neighbors."""

import asyncio
import pickle
from itertools import pairwise

import numpy as np
import pytest
from llama_index.core import VectorStoreIndex
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.ingestion.pipeline import get_transformation_hash
from llama_index.core.schema import Document, NodeRelationship
from llama_index.core.vector_stores import SimpleVectorStore
from llama_index.embeddings.qdrant_embed import QdrantEmbedEmbedding
from llama_index.node_parser.qdrant_embed import QdrantEmbedLateChunker
from pydantic import ValidationError

from qdrant_embed import load_embedder
from tests.support.tiny_models import save_tiny_model

KEYS = "Master keys are rotated every ninety days. They hang in the watch house.\n\n"
TEXTS = [KEYS * 6 + "Eels are sold by the basket.", "Crane four lifts at most twelve tons.", " \n"]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return str(save_tiny_model(tmp_path_factory.mktemp("tiny"), "bert", max_tokens=64))


@pytest.fixture
def chunker(model):
    return QdrantEmbedLateChunker(model_name=model, chunk_tokens=24)


@pytest.fixture
def documents():
    return [Document(text=text, id_=str(number), metadata={"team": "watch"}) for number, text in enumerate(TEXTS)]


def test_nodes_of_a_pipeline_hold_the_vectors_of_their_document(chunker, model, documents):
    store = SimpleVectorStore()
    nodes = IngestionPipeline(transformations=[chunker], vector_store=store).run(documents=documents)
    embedder = load_embedder(model, window="late")
    for number, text in enumerate(TEXTS[:2]):
        own = [node for node in nodes if node.ref_doc_id == str(number)]
        spans = [(node.start_char_idx, node.end_char_idx) for node in own]
        assert [text[start:end] for start, end in spans] == [node.text for node in own]
        np.testing.assert_allclose(
            [node.embedding for node in own], embedder.encode_late(text, spans).vectors, atol=1e-5
        )
    assert {node.ref_doc_id for node in nodes} == {"0", "1"}, "a document without text has no node"
    assert set(store.data.embedding_dict) == {node.node_id for node in nodes}


def test_equal_chunks_stand_at_their_own_places_in_order(chunker, documents):
    nodes = chunker(documents[:1])
    starts = [node.start_char_idx for node in nodes]
    assert starts == sorted(set(starts)) and len(starts) > 4
    covered = "".join(TEXTS[0][node.start_char_idx : node.end_char_idx] for node in nodes)
    assert "".join(covered.split()) == "".join(TEXTS[0].split())


def test_nodes_know_their_document_and_the_nodes_beside_them(chunker, documents):
    nodes = chunker(documents)
    own = [node for node in nodes if node.ref_doc_id == "0"]
    for before, after in pairwise(own):
        assert before.relationships[NodeRelationship.NEXT].node_id == after.node_id
        assert after.relationships[NodeRelationship.PREVIOUS].node_id == before.node_id
    assert NodeRelationship.PREVIOUS not in own[0].relationships
    assert NodeRelationship.NEXT not in own[-1].relationships
    assert all(node.relationships[NodeRelationship.SOURCE].node_id == node.ref_doc_id for node in nodes)
    assert {node.metadata["team"] for node in nodes} == {"watch"}


def test_an_index_takes_the_vectors_as_they_are_and_is_asked_by_the_same_model(chunker, model, documents):
    embedding = QdrantEmbedEmbedding(model_name=model)
    nodes = chunker(documents)
    index = VectorStoreIndex(nodes=nodes, embed_model=embedding)
    kept = index.vector_store.data.embedding_dict
    assert all(kept[node.node_id] == node.embedding for node in nodes)
    found = index.as_retriever(similarity_top_k=1).retrieve("Crane four lifts at most twelve tons.")
    assert found[0].node.node_id in {node.node_id for node in nodes}


def test_it_takes_the_same_way_when_awaited_and_as_a_copy(chunker, documents):
    expected = [node.embedding for node in chunker(documents)]
    again = pickle.loads(pickle.dumps(chunker))
    np.testing.assert_allclose([node.embedding for node in again(documents)], expected, atol=1e-6)
    awaited = asyncio.run(chunker.acall(documents))
    np.testing.assert_allclose([node.embedding for node in awaited], expected, atol=1e-6)
    assert get_transformation_hash(documents, again) == get_transformation_hash(documents, chunker)


def test_what_cannot_be_read_late_is_refused_at_once(model):
    with pytest.raises(ValidationError, match=r"is for the window strategy 'late', you gave 'pcw'\. Leave window out"):
        QdrantEmbedLateChunker(model_name=model, window="pcw")
    with pytest.raises(ValidationError, match="does not suit 'hashing'"):
        QdrantEmbedLateChunker(model_name="hashing")


def test_the_embedding_model_alone_refuses_to_read_late(model):
    with pytest.raises(ValidationError, match=r"without the document around it.*QdrantEmbedLateChunker"):
        QdrantEmbedEmbedding(model_name=model, window="late")


@pytest.mark.parametrize(
    ("keyword", "near"),
    [("model", "model_name"), ("modelname", "model_name"), ("windows", "window"), ("device", ""), ("cache_folder", "")],
)
def test_a_keyword_that_nothing_is_done_with_is_refused(keyword, near):
    with pytest.raises(
        ValueError, match=f"unknown keyword of QdrantEmbedLateChunker '{keyword}'.*{near}.*Known: .*model_name"
    ):
        QdrantEmbedLateChunker(**{"model_name": "minilm", keyword: "bge-small-en"})
