"""The vector store, in the scope of llama-index-core's own tests of `SimpleVectorStore`, and what else it promises."""

import asyncio
import pickle
import threading

import pytest
from llama_index.core import StorageContext, VectorStoreIndex
from llama_index.core.chat_engine import CondenseQuestionChatEngine
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.llms import MockLLM
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.node_parser import MarkdownNodeParser
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.schema import Document, ImageNode, IndexNode, NodeRelationship, RelatedNodeInfo, TextNode
from llama_index.core.storage.docstore import SimpleDocumentStore
from llama_index.core.vector_stores.types import (
    FilterCondition,
    FilterOperator,
    MetadataFilter,
    MetadataFilters,
    VectorStoreQuery,
    VectorStoreQueryMode,
)
from llama_index.embeddings.qdrant_embed import QdrantEmbedEmbedding
from llama_index.node_parser.qdrant_embed import QdrantEmbedLateChunker
from llama_index.postprocessor.qdrant_embed import QdrantEmbedRerank
from llama_index.vector_stores.qdrant import QdrantVectorStore
from llama_index.vector_stores.qdrant_embed import QdrantEmbedVectorStore

from qdrant_embed import Collection
from qdrant_embed.errors import ConfigurationError
from qdrant_embed.store import open_engine
from tests.support.tiny_models import save_tiny_model

TEXTS = {"a": "red herring on ice", "b": "green cod in salt", "c": "red crab with lemon", "d": "eels, smoked"}
METADATA = {
    "a": {"rank": 1, "weight": 0.5, "color": "red", "at": "2026-01-01T00:00:00Z", "tags": ["x", "y"]},
    "b": {"rank": 2, "weight": 1.0, "color": "Green", "at": "2026-02-01T12:00:00Z", "tags": ["y"]},
    "c": {"rank": 3, "weight": 2.0, "color": "dark red", "at": "2026-03-01T00:00:00+02:00", "tags": [], "odd key!": 1},
    "d": {"rank": 4, "weight": 2.5},
}
EMBEDDINGS = {"a": [1.0, 0.0, 0.0], "b": [0.0, 1.0, 0.0], "c": [0.9, 0.1, 0.0], "d": [0.5, 0.5, 0.7]}


@pytest.fixture(params=["folder", "memory"])
def store(request, tmp_path):
    """Return a store of four nodes, one after the other on a folder and in memory."""
    made = QdrantEmbedVectorStore("fish", at=tmp_path / "data" if request.param == "folder" else ":memory:")
    made.add(
        [
            TextNode(
                id_=name, text=text, metadata=METADATA[name], embedding=EMBEDDINGS[name],
                relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id="first" if name < "c" else "second")},
                excluded_embed_metadata_keys=list(METADATA[name]),
            )
            for name, text in TEXTS.items()
        ]
    )  # fmt: skip
    yield made
    made.close()


def ids(nodes):
    return "".join(sorted(node.node_id for node in nodes))


def of(key, value, operator=FilterOperator.EQ):
    return MetadataFilter(key=key, value=value, operator=operator)


OPERATORS = [
    (of("rank", 2), "b"),
    (of("weight", 1), "b"),
    (of("rank", 2, FilterOperator.NE), "acd"),
    (of("color", "red", FilterOperator.NE), "bcd"),
    (of("rank", 2, FilterOperator.GT), "cd"),
    (of("rank", 2, FilterOperator.GTE), "bcd"),
    (of("weight", 1.0, FilterOperator.LT), "a"),
    (of("weight", 1.0, FilterOperator.LTE), "ab"),
    (of("at", "2026-02-01T12:00:00Z", FilterOperator.GTE), "bc"),
    (of("at", "2026-02-28T22:30:00+00:00", FilterOperator.LT), "abc"),
    (of("at", "2026-02-28", FilterOperator.GT), "c"),
    (of("rank", [1, 4, 9], FilterOperator.IN), "ad"),
    (of("color", ["red", "Green"], FilterOperator.NIN), "cd"),
    (of("tags", ["x", "z"], FilterOperator.ANY), "a"),
    (of("tags", ["x", "y"], FilterOperator.ALL), "a"),
    (of("tags", "y", FilterOperator.CONTAINS), "ab"),
    (of("tags", None, FilterOperator.IS_EMPTY), "cd"),
    (of("color", "red", FilterOperator.TEXT_MATCH), "ac"),
    (of("color", "green", FilterOperator.TEXT_MATCH), ""),
    (of("color", "GREEN", FilterOperator.TEXT_MATCH_INSENSITIVE), "b"),
    (of("odd key!", 1), "c"),
    (of("rank", [], FilterOperator.IN), ""),
]


def test_every_operator_lets_the_right_nodes_through(store):
    for condition, expected in OPERATORS:
        assert ids(store.get_nodes(filters=MetadataFilters(filters=[condition]))) == expected, condition
    red, second, last = of("color", "red"), of("rank", 2), of("rank", 4)
    nested = [
        (MetadataFilters(filters=[red, second], condition=FilterCondition.OR), "ab"),
        (MetadataFilters(filters=[red, second]), ""),
        (MetadataFilters(filters=[red, second], condition=FilterCondition.NOT), "cd"),
        (MetadataFilters(filters=[]), "abcd"),
    ]
    inner = MetadataFilters(filters=[red, second, last], condition=FilterCondition.OR)
    without = MetadataFilters(filters=[last], condition=FilterCondition.NOT)
    nested.append((MetadataFilters(filters=[inner, without]), "ab"))
    for filters, expected in nested:
        assert ids(store.get_nodes(filters=filters)) == expected, filters
    for wrong in (of("rank", "soon", FilterOperator.GT), of("rank", 1, FilterOperator.IN), of("rank", [1])):
        with pytest.raises(ConfigurationError):
            store.get_nodes(filters=MetadataFilters(filters=[wrong]))


MODES = [("default", "ac"), ("sparse", "bd"), ("text_search", "bd"), ("hybrid", None), ("semantic_hybrid", None)]


@pytest.mark.parametrize(("mode", "expected"), MODES)
def test_modes_find_by_embedding_by_words_and_by_both(store, mode, expected):
    query = VectorStoreQuery(
        query_embedding=[1.0, 0.0, 0.0], query_str="cod, or smoked eels", similarity_top_k=2, mode=mode
    )
    query.mode = VectorStoreQueryMode(mode)
    found = store.query(query)
    assert len(found.ids) == len(found.similarities) == 2
    assert found.similarities == sorted(found.similarities, reverse=True)
    assert [node.node_id for node in found.nodes] == found.ids
    if expected:
        assert ids(found.nodes) == expected
    assert asyncio.run(store.aquery(query)) == found
    query.filters = MetadataFilters(filters=[of("rank", 4)])
    assert store.query(query).ids == ["d"]
    query.filters, query.doc_ids = None, ["second"]
    assert set(store.query(query).ids) <= {"c", "d"}
    query.doc_ids, query.node_ids = None, ["a", "d"]
    assert set(store.query(query).ids) <= {"a", "d"}


def test_hybrid_is_weighed_by_alpha_and_mmr_by_its_threshold(store):
    query = VectorStoreQuery(query_embedding=[1.0, 0.0, 0.0], query_str="cod", similarity_top_k=2)
    query.mode = VectorStoreQueryMode.HYBRID
    first = []
    for query.alpha in (0.0, 0.1, 0.9, 1.0):
        first.append(store.query(query).ids[0])
    assert first == ["b", "b", "a", "a"]
    query.mode, query.mmr_threshold = VectorStoreQueryMode.MMR, 1.0
    assert store.query(query).ids == ["a", "c"]
    assert "c" not in store.query(query, mmr_threshold=0.1).ids
    query.mode = VectorStoreQueryMode.SVM
    with pytest.raises(ConfigurationError, match="svm"):
        store.query(query)
    with pytest.raises(ConfigurationError, match="query_str"):
        store.query(VectorStoreQuery(query_embedding=[1.0, 0, 0], mode=VectorStoreQueryMode.HYBRID))


def test_nodes_come_back_whole_and_go(store):
    node = store.get_nodes(["a"])[0]
    assert (node.text, node.metadata, node.ref_doc_id) == (TEXTS["a"], METADATA["a"], "first")
    assert node.embedding == pytest.approx(EMBEDDINGS["a"])
    store.add([node.model_copy(update={"metadata": {"rank": 9}})])
    assert store.get_nodes(["a"])[0].metadata == {"rank": 9}
    assert len(store.get_nodes()) == 4
    store.delete("first")
    assert ids(store.get_nodes()) == "cd"
    store.delete_nodes(["c"], filters=MetadataFilters(filters=[of("rank", 4)]))
    assert ids(store.get_nodes()) == "cd"
    store.delete_nodes(filters=MetadataFilters(filters=[of("rank", 4)]))
    assert ids(asyncio.run(store.aget_nodes())) == "c"
    with pytest.raises(ConfigurationError, match="clear"):
        store.delete_nodes()
    with pytest.raises(ConfigurationError, match="embedding"):
        store.add([TextNode(text="bare")])
    asyncio.run(store.aclear())
    assert store.get_nodes() == store.query(VectorStoreQuery(query_embedding=[1.0, 0, 0])).nodes == []
    asyncio.run(store.async_add([node]))
    asyncio.run(store.adelete_nodes(["a"]))
    asyncio.run(store.adelete("first"))
    assert asyncio.run(store.aget_nodes(["a"])) == []


def test_embeddings_of_another_size_are_refused_before_anything_is_written(store):
    for use in (
        lambda: store.add([TextNode(text="x", embedding=[1.0])]),
        lambda: store.query(VectorStoreQuery(query_embedding=[1.0], similarity_top_k=1)),
    ):
        with pytest.raises(ConfigurationError, match=r"has 1 dimensions, those of collection 'fish' 3"):
            use()
    assert len(store.get_nodes()) == 4


@pytest.mark.parametrize("place", ["folder", "memory"])
def test_a_collection_remembers_the_language_of_its_words(tmp_path, place):
    at = open_engine(":memory:" if place == "memory" else tmp_path / "data")
    made = QdrantEmbedVectorStore("fisch", at=at, language="german")
    made.add([TextNode(text="Die Heringe wurden geliefert", embedding=[1.0, 0.0])])
    query = VectorStoreQuery(query_str="Hering liefern", mode=VectorStoreQueryMode.SPARSE)
    (score,) = made.query(query).similarities
    assert QdrantEmbedVectorStore("fisch", at=at).query(query).similarities == [score]
    with pytest.raises(ConfigurationError, match="stemmed as 'german'"):
        QdrantEmbedVectorStore("fisch", at=at, language="english").query(query)
    at.close()


def test_llama_indexs_own_store_reads_it(store):
    stock = QdrantVectorStore("fish", client=store.client)
    found = stock.query(VectorStoreQuery(query_embedding=[1.0, 0.0, 0.0], similarity_top_k=1))
    assert [(node.node_id, node.text, node.metadata) for node in found.nodes] == [("a", TEXTS["a"], METADATA["a"])]


def test_it_persists_and_travels_without_what_is_open(tmp_path, monkeypatch):
    monkeypatch.setenv("QDRANT_API_KEY", "hush")
    store = QdrantEmbedVectorStore("fish", at=tmp_path / "data", language="german")
    store.add([TextNode(id_="a", text="Hering", embedding=[1.0, 0.0])])
    again = pickle.loads(pickle.dumps(store))
    assert (again.get_nodes()[0].text, again.language) == ("Hering", "german")
    read = QdrantEmbedVectorStore.from_dict(store.to_dict())
    assert read.get_nodes()[0].text == "Hering"
    assert "hush" not in store.to_json() + repr(store)
    for one in (store, again, read):
        one.close()
    for odd in ("path", "url", "client"):
        with pytest.raises(ConfigurationError, match=rf"unknown: {odd}\..*given as at="):
            QdrantEmbedVectorStore("fish", **{odd: "x"})
    with pytest.raises(pickle.PicklingError, match="memory"):
        pickle.dumps(QdrantEmbedVectorStore("fish", at=":memory:"))


def test_the_first_calls_at_once_open_the_location_once(tmp_path, monkeypatch):
    opened, second = [], threading.Event()

    def slowly(at):
        opened.append(open_engine(at))
        second.wait(0.05)  # for another call to come in between
        return opened[-1]

    monkeypatch.setattr("llama_index.vector_stores.qdrant_embed.base.open_engine", slowly)
    store = QdrantEmbedVectorStore("fish", at=tmp_path / "data")

    async def ask():
        return await asyncio.gather(*(store.aget_nodes() for _ in range(4)))

    assert asyncio.run(ask()) == [[], [], [], []]
    assert len(opened) == 1
    store.close()


@pytest.fixture
def index(store):
    """Return an index over the store, without any other storage, filled by LlamaIndex."""
    store.clear()
    documents = [Document(text=text, id_=name, metadata={"of": name}) for name, text in TEXTS.items()]
    embedding = QdrantEmbedEmbedding(model_name="hashing")
    context = StorageContext.from_defaults(vector_store=store)
    VectorStoreIndex.from_documents(documents, storage_context=context, embed_model=embedding)
    return VectorStoreIndex.from_vector_store(store, embed_model=embedding)


def test_an_index_needs_no_docstore(index, store):
    retriever = index.as_retriever(similarity_top_k=2, vector_store_query_mode="hybrid")
    assert retriever.retrieve("smoked eels")[0].text == TEXTS["d"]
    assert asyncio.run(retriever.aretrieve("smoked eels"))[0].text == TEXTS["d"]
    varied = index.as_retriever(
        similarity_top_k=2, vector_store_query_mode="mmr", vector_store_kwargs={"mmr_threshold": 0.9}
    )
    assert len(varied.retrieve("red crab")) == 2
    index.delete_ref_doc("d")
    assert len(store.get_nodes()) == 3
    index.insert(Document(text="a late oyster", id_="e"))
    assert (
        index.as_retriever(similarity_top_k=1, vector_store_query_mode="sparse").retrieve("oyster")[0].node.ref_doc_id
        == "e"
    )


@pytest.mark.parametrize(("strategy", "left"), [("upserts", 4), ("upserts_and_delete", 2), ("duplicates_only", 5)])
def test_a_pipeline_with_a_docstore_brings_it_up_to_date(store, strategy, left):
    store.clear()
    documents = [Document(text=text, id_=name) for name, text in TEXTS.items()]
    embedding, docstore = QdrantEmbedEmbedding(model_name="hashing"), SimpleDocumentStore()
    pipeline = IngestionPipeline(
        transformations=[MarkdownNodeParser(), embedding],
        vector_store=store,
        docstore=docstore,
        docstore_strategy=strategy,
    )
    assert len(pipeline.run(documents=documents)) == 4
    assert pipeline.run(documents=documents) == []
    changed = [documents[0], Document(text="green cod, dried", id_="b")]
    assert len(asyncio.run(pipeline.arun(documents=changed))) == 1
    texts = [node.text for node in store.get_nodes()]
    assert len(texts) == left
    assert "green cod, dried" in texts
    assert (TEXTS["b"] in texts) == (strategy == "duplicates_only")


def test_nodes_of_every_kind_come_back_as_they_were(store):
    nodes = [
        ImageNode(image="aGk=", embedding=[1.0, 0, 0]),
        IndexNode(text="to d", index_id="d", embedding=[0, 1.0, 0]),
    ]
    store.add(nodes)
    image, leads = (store.get_nodes([node.node_id])[0] for node in nodes)
    assert (type(image), image.image) == (ImageNode, "aGk=")
    assert (type(leads), leads.index_id) == (IndexNode, "d")
    deep = TextNode(text="x", embedding=[0, 0, 1.0], metadata={"a": {"b": [1, {"c": None}]}, "text": "own"})
    store.add([deep])
    assert store.get_nodes([deep.node_id])[0].metadata == deep.metadata


def test_engines_answer_over_it(index):
    llm = MockLLM()
    retriever = index.as_retriever(similarity_top_k=2, vector_store_query_mode="hybrid")
    engine = RetrieverQueryEngine.from_args(retriever, llm=llm)
    assert "red crab with lemon" in str(engine.query("crab"))
    chat = CondenseQuestionChatEngine.from_defaults(
        query_engine=engine, llm=llm, memory=ChatMemoryBuffer.from_defaults(llm=llm)
    )
    chat.chat("What is red?")
    answer = chat.chat("And what comes with lemon?")
    assert len(answer.source_nodes) == 2
    assert asyncio.run(chat.achat("red crab")).source_nodes


def test_chunker_embedding_and_reranker_work_together_over_it(tmp_path):
    model = str(save_tiny_model(tmp_path / "model", "bert", max_tokens=64))
    store = QdrantEmbedVectorStore("keys", at=tmp_path / "data")
    chunker = QdrantEmbedLateChunker(model_name=model, chunk_tokens=24)
    text = "Master keys are rotated every ninety days. They hang in the watch house.\n\n" * 4
    nodes = IngestionPipeline(transformations=[chunker], vector_store=store).run(documents=[Document(text=text)])
    kept = {node.node_id: node for node in store.get_nodes()}
    assert {node.node_id: (node.start_char_idx, node.next_node) for node in nodes} == {
        name: (node.start_char_idx, node.next_node) for name, node in kept.items()
    }
    index = VectorStoreIndex.from_vector_store(store, embed_model=QdrantEmbedEmbedding(model_name=model))
    assert len(index.as_retriever(similarity_top_k=2).retrieve("keys")) == 2
    store.close()


def test_the_library_reads_it_and_ranks_its_nodes_again(index, store):
    with Collection.attach("fish", at=store.engine, model="hashing") as attached:
        assert attached.search("smoked eels", 1)[0].text == TEXTS["d"]
        rerank = QdrantEmbedRerank(attached, "mmr:0.3", top_n=2)
        engine = RetrieverQueryEngine.from_args(
            index.as_retriever(similarity_top_k=4), llm=MockLLM(), node_postprocessors=[rerank]
        )
        assert len(engine.query("red crab with lemon").source_nodes) == 2
