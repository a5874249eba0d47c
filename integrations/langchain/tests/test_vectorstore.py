import asyncio
import pickle
from datetime import UTC, datetime

import numpy as np
import pytest
from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.example_selectors import SemanticSimilarityExampleSelector
from langchain_core.indexing import InMemoryRecordManager, index
from langchain_core.language_models import FakeListChatModel
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda, RunnablePassthrough
from langchain_core.tools import create_retriever_tool
from langchain_qdrant_embed import QdrantEmbedEmbeddings, QdrantEmbedRetriever, QdrantEmbedVectorStore
from qdrant_client import models

from qdrant_embed import Collection, Recipe
from qdrant_embed.errors import ConfigurationError, ModelError, RecipeMismatchError

TEXTS = {
    "keys#1": "Master keys are rotated every ninety days.",
    "fish/cod": "Cod is landed at pier seven.",
    "a b": "Crane four lifts twelve tons.",
}
FIELDS = [{"team": "watch", "n": 1, "source": "keys.md"}, {"team": "pier", "n": 2, "deep": {"a": [1, 2]}}, {"n": 3}]


@pytest.fixture
def store(open_store):
    store = open_store()
    store.add_texts(list(TEXTS.values()), FIELDS, ids=list(TEXTS))
    return store


def test_ids_and_metadata_of_any_kind_come_back_as_they_were(store):
    (found,) = store.similarity_search("where is cod landed?", k=1)
    assert found == Document(id="fish/cod", page_content=TEXTS["fish/cod"], metadata=FIELDS[1])
    assert [document.id for document in store.get_by_ids(["a b", "gone", "keys#1", "a b"])] == ["a b", "keys#1"]
    assert store.get_by_ids(["keys#1"])[0].metadata["source"] == "keys.md"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"team": "pier"}, {"fish/cod"}),
        ({"n": {"gte": 2}}, {"fish/cod", "a b"}),
        ({"metadata.source": "keys.md"}, {"keys#1"}),
        ({"source": "keys.md"}, {"keys#1"}),
        ({"any": [{"source": ["keys.md", "x"]}, {"deep.a": 2}]}, {"keys#1", "fish/cod"}),
        ({"not": {"source": "keys.md"}, "n": {"lt": 3}}, {"fish/cod"}),
        (models.Filter(must=[models.FieldCondition(key="metadata.n", match=models.MatchValue(value=3))]), {"a b"}),
    ],
)
def test_filters(store, given, expected):
    assert {document.id for document in store.similarity_search("pier", k=9, filter=given)} == expected


def test_words_of_search_are_handed_on(store):
    assert store.similarity_search("twelve", k=1, mode="bm25")[0].id == "a b"
    assert store.similarity_search("cod", k=9, min_score=2.0) == []
    with pytest.raises(ConfigurationError, match="sideways"):
        store.similarity_search("cod", mode="sideways")


def test_scores_are_from_0_to_1(store):
    for mode in ("hybrid", "dense"):
        scored = store.similarity_search_with_relevance_scores("ninety days", k=3, mode=mode)
        assert all(0 <= score <= 1 for _, score in scored)
    best = store.as_retriever(search_type="similarity_score_threshold", search_kwargs={"k": 3, "score_threshold": 0.5})
    assert [document.id for document in best.invoke("keys rotated every ninety days")] == ["keys#1"]


def test_diversity_leaves_out_what_was_said(open_store):
    store = open_store()
    store.add_texts(["Cod at pier seven.", "Cod at pier seven!", "Herring at pier two."], ids=["1", "2", "3"])
    plain = store.max_marginal_relevance_search("cod at pier seven", k=2, lambda_mult=1.0)
    diverse = store.max_marginal_relevance_search("cod at pier seven", k=2, lambda_mult=0.2)
    assert {document.id for document in plain} == {"1", "2"}
    assert "3" in {document.id for document in diverse}
    near = store.embeddings.embed_query("Herring at pier two.")
    assert store.max_marginal_relevance_search_by_vector(near, k=1)[0].id == "3"
    assert store.similarity_search_by_vector(near, k=1)[0].id == "3"
    assert store.max_marginal_relevance_search("cod", k=3, fetch_k=1, lambda_mult=0.5)


def test_what_cannot_be_stored_is_named_and_all_else_is_stored(open_store):
    store = open_store()
    with pytest.raises(ConfigurationError, match=r"1 of 2 texts were not stored: '2' \(it has no text\)"):
        store.add_texts(["Cod.", "  "], ids=["1", "2"])
    assert [document.id for document in store.get_by_ids(["1", "2"])] == ["1"]
    with pytest.raises(ConfigurationError, match="2 texts came with 1 ids"):
        store.add_texts(["Cod.", "Eel."], ids=["1"])
    assert store.add_texts([]) == []
    assert store.add_texts(["Old.", "New."], ids=["x", "x"]) == ["x", "x"]
    assert store.get_by_ids(["x"])[0].page_content == "New."


def test_texts_come_back_to_the_last_space_and_ids_that_could_not_are_refused(open_store):
    store = open_store()
    store.add_texts(["  Cod. \n"], ids=["1"])
    assert store.get_by_ids(["1", "\ud800"])[0].page_content == "  Cod. \n"
    with pytest.raises(ConfigurationError, match="no Unicode; nothing was"):
        store.add_texts(["Eel.", "Ray."], ids=["2", "\ud800"])
    assert store.delete(["\ud800"]) and store.collection.count() == 1
    with pytest.raises(ConfigurationError, match="lambda_mult=-1"):
        store.max_marginal_relevance_search("cod", lambda_mult=-1)


def test_deleting_takes_ids_or_a_filter_and_all_only_where_that_is_said(store):
    assert store.delete(["gone"]) and store.delete([]) and store.collection.count() == 3
    for nothing in ({}, {"ids": None}, {"filter": {}}):
        with pytest.raises(ConfigurationError, match="everything=True"):
            store.delete(**nothing)
    store.delete(["keys#1", "a b"], filter={"n": {"gte": 2}})
    assert {document.id for document in store.get_by_ids(list(TEXTS))} == {"keys#1", "fish/cod"}
    store.delete(filter={"team": "pier"})
    assert store.collection.count() == 1
    assert store.delete(everything=True) and store.collection.count() == 0


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (datetime(2026, 1, 1, tzinfo=UTC), "'at' is of the type datetime.*isoformat"),
        ({"deep": [1, {2, 3}]}, r"'at.deep\[1\]' is of the type set.*list"),
        (float("nan"), "'at' is nan.*None"),
        (b"raw", "bytes"),
        ({1: "a"}, "the key 1 of metadata under 'at'"),
    ],
)
def test_metadata_that_would_come_back_as_something_else_are_refused(open_store, value, told):
    store = open_store()
    with pytest.raises(ConfigurationError, match=f"1 of 2 texts were not stored: 'bad' .*{told}"):
        store.add_texts(["Cod.", "Eel."], [{"at": value}, {"at": np.float32(1.5)}], ids=["bad", "good"])
    assert [(document.id, document.metadata) for document in store.get_by_ids(["bad", "good"])] == [
        ("good", {"at": 1.5})
    ]


def test_scores_without_a_scale_are_no_relevance(store):
    for given in ({"mode": "bm25"}, {"mode": "rrf"}, {"rerank": "mmr"}):
        with pytest.raises(ConfigurationError, match="no threshold of relevance"):
            store.similarity_search_with_relevance_scores("cod", **given)
        with pytest.raises(ConfigurationError, match="min_score="):
            asyncio.run(store.asimilarity_search_with_relevance_scores("cod", **given))


def test_what_is_changed_takes_the_place_of_what_was(store):
    store.add_documents([Document(id="a b", page_content="Crane four is gone.", metadata={"n": 4})])
    assert store.collection.count() == 3
    assert store.get_by_ids(["a b"]) == [Document(id="a b", page_content="Crane four is gone.", metadata={"n": 4})]


def test_what_is_no_collection_and_what_is_to_be_pickled_say_what_to_type(store, docs):
    with pytest.raises(ConfigurationError, match=r"QdrantEmbedVectorStore\.open\(NAME, at=…, embedding=…\)"):
        QdrantEmbedVectorStore(QdrantEmbedEmbeddings("hashing"))
    with pytest.raises(pickle.PicklingError, match=r"QdrantEmbedVectorStore\.open\('notes', at=…\)"):
        pickle.dumps(store)
    with pytest.raises(pickle.PicklingError, match=r"Retriever\(collection=Collection\.open\('harbour', at=…\)\)"):
        pickle.dumps(QdrantEmbedRetriever(collection=docs))


def test_a_collection_that_cuts_its_documents_is_for_the_retriever(docs):
    with pytest.raises(ConfigurationError, match=r"QdrantEmbedRetriever\(collection=…\)"):
        QdrantEmbedVectorStore(docs)


def test_a_store_is_opened_again(tmp_path):
    for count in (1, 2):
        store = QdrantEmbedVectorStore.open("notes", at=tmp_path / "data", model="hashing")
        store.add_texts([f"Note {count}."], ids=[str(count)])
        assert store.collection.count() == count
        store.collection.close()
    with pytest.raises(RecipeMismatchError):
        QdrantEmbedVectorStore.open("notes", at=tmp_path / "data", embedding=DeterministicFakeEmbedding(size=8))
    with pytest.raises(ConfigurationError, match="give one of them"):
        QdrantEmbedVectorStore.open("a", embedding=QdrantEmbedEmbeddings("hashing"), recipe=Recipe(model="hashing"))


def test_from_documents_with_embeddings_of_ours():
    embedding = QdrantEmbedEmbeddings("hashing")
    store = QdrantEmbedVectorStore.from_documents([Document(page_content="Cod.")], embedding, at=":memory:")
    assert store.collection.recipe.model == "hashing"
    assert store.similarity_search("cod")[0].page_content == "Cod."
    store.collection.close()


class Sides(DeterministicFakeEmbedding):
    """Embeds questions on another side than texts."""

    def embed_query(self, text):
        return [-value for value in super().embed_query(text)]


def test_given_embeddings_make_the_vectors(open_store):
    embedding = Sides(size=16)
    store = open_store("sides", embedding=embedding)
    store.add_texts(["Cod.", "Eel."], ids=["1", "2"])
    assert store.collection.recipe.model == "langchain:Sides"
    scored = dict((document.id, score) for document, score in store.similarity_search_with_score("Cod.", mode="dense"))
    assert scored["1"] == pytest.approx(-1.0, abs=1e-4)  # the opposite of its own vector

    class Broken(Sides):
        def embed_query(self, text):
            raise RuntimeError("no quota")

    with pytest.raises(ModelError, match="no quota"):
        open_store("broken", embedding=Broken(size=16))


class Turned(DeterministicFakeEmbedding):
    """Has the name of other embeddings, and gives other vectors."""

    turned: bool = False

    def embed_documents(self, texts):
        found = super().embed_documents(texts)
        return [vector[::-1] for vector in found] if self.turned else found

    def embed_query(self, text):
        return self.embed_documents([text])[0]


@pytest.mark.parametrize("compression", ["float32", "float16+binary"])
def test_other_embeddings_of_the_same_name_are_refused(tmp_path, monkeypatch, compression):
    one, other = Turned(size=64), Turned(size=64, turned=True)
    store = QdrantEmbedVectorStore.open("turned", at=tmp_path / "data", embedding=one)
    store.add_texts(["Cod is landed at pier seven.", "Eels are sold by the basket.", "A", "B"])
    if compression != "float32":
        store.collection.recompress(compression)
    store.collection.close()
    with pytest.raises(ModelError, match=r"cosine of -?0\.\d+.*embedding_name"):
        QdrantEmbedVectorStore.open("beside", at=tmp_path / "data", embedding=other)
    named = QdrantEmbedVectorStore.open("beside", at=":memory:", embedding=other, embedding_name="turned")
    assert named.collection.recipe.model == "langchain:turned"
    named.collection.close()
    monkeypatch.setattr("langchain_qdrant_embed.runtime._given", {})
    recipe = Recipe(model="langchain:Turned", chunker="document", compression=compression)
    with pytest.raises(RecipeMismatchError, match="stored texts, embedded again"):
        QdrantEmbedVectorStore.open("turned", at=tmp_path / "data", embedding=other)
    monkeypatch.setattr("langchain_qdrant_embed.runtime._given", {})
    with QdrantEmbedVectorStore.open("turned", at=tmp_path / "data", embedding=Turned(size=64)).collection as again:
        assert again.recipe == recipe
        assert again.count() == 4


def test_given_embeddings_are_asked_for_where_they_are_missing(tmp_path, monkeypatch):
    embedding = DeterministicFakeEmbedding(size=16)
    store = QdrantEmbedVectorStore.open("fakes", at=tmp_path / "data", embedding=embedding)
    store.collection.close()
    monkeypatch.setattr("langchain_qdrant_embed.runtime._given", {})
    with pytest.raises(ModelError, match=r"QdrantEmbedVectorStore.open\(…, embedding=…\)"):
        Collection.open("fakes", at=tmp_path / "data").search("cod")


def test_langchains_index_adds_skips_and_deletes(open_store):
    store, records = open_store(), InMemoryRecordManager("notes")
    records.create_schema()
    pages = [Document(page_content=text, metadata={"source": name}) for name, text in TEXTS.items()]

    def run(documents):
        return index(documents, records, store, cleanup="full", source_id_key="source", key_encoder="blake2b")

    assert run(pages)["num_added"] == 3
    assert run(pages)["num_skipped"] == 3
    done = run(pages[1:])
    assert (done["num_deleted"], store.collection.count()) == (1, 2)


def test_examples_are_chosen_by_it_and_asynchronous_calls_are_the_same():
    examples = [{"input": "cod", "output": "pier seven"}, {"input": "keys", "output": "ninety days"}]
    embedding = QdrantEmbedEmbeddings("hashing")
    chosen = SemanticSimilarityExampleSelector.from_examples(
        examples, embedding, QdrantEmbedVectorStore, k=1, at=":memory:"
    )
    chosen.add_example({"input": "eels", "output": "the northern steps"})
    assert chosen.select_examples({"input": "the eels"}) == [{"input": "eels", "output": "the northern steps"}]
    assert asyncio.run(chosen.aselect_examples({"input": "the cod"})) == examples[:1]
    chosen.vectorstore.collection.close()

    async def run():
        store = await QdrantEmbedVectorStore.afrom_texts(["a cod", "an eel"], embedding, at=":memory:", ids=["1", "2"])
        await store.aadd_documents([Document(id="3", page_content="a ray")])
        await store.adelete(["1"])
        found = await store.as_retriever(search_type="mmr", search_kwargs={"k": 2}).abatch(["ray", "eel"])
        there = await store.aget_by_ids(["1", "2", "3"])
        store.collection.close()
        return [documents[0].id for documents in found], [document.id for document in there]

    assert asyncio.run(run()) == (["3", "2"], ["2", "3"])


def test_a_chain_and_a_tool(store):
    retriever = store.as_retriever(search_kwargs={"k": 1})
    prompt = ChatPromptTemplate.from_template("{context}\n{question}")
    texts = RunnableLambda(lambda found: "\n".join(document.page_content for document in found))
    seen = []
    spy = RunnableLambda(lambda value: seen.append(value.to_string()) or value)
    model = FakeListChatModel(responses=["Every ninety days."])
    given = {"context": retriever | texts, "question": RunnablePassthrough()}
    chain = given | prompt | spy | model | StrOutputParser()
    assert chain.invoke("how often are keys rotated?") == "Every ninety days."
    assert TEXTS["keys#1"] in seen[0]
    tool = create_retriever_tool(retriever, "harbour", "Searches the handbook.")
    assert TEXTS["fish/cod"] in tool.invoke({"query": "where is cod landed?"})
