"""Collections that stock packages wrote are read as they are, by the model that is proved to have made them."""

import json

import pytest
from qdrant_client import QdrantClient, models

from qdrant_embed import Collection
from qdrant_embed.errors import ConfigurationError, FilterWarning, RecipeMismatchError, UnknownNameError
from qdrant_embed.explore.explorer_session import ExplorerSession
from tests.support.foreign_writers import ENTRIES, TEXTS, WRITERS, hashing, plain, vectors
from tests.support.tiny_models import save_static_model

QUESTION = "when do the gates of the harbour open"


@pytest.fixture
def client():
    made = QdrantClient(":memory:")
    yield made
    made.close()


@pytest.fixture(scope="session")
def other_model(tmp_path_factory):
    """Return the folder of a model whose vectors are as wide as those that are stored."""
    return save_static_model(tmp_path_factory.mktemp("static"), dim=256)


@pytest.fixture(scope="module", params=WRITERS)
def written(request):
    """Return a client with the collection `notes` of one writer after the other, and its name; they are only read."""
    client = QdrantClient(":memory:")
    WRITERS[request.param](client, "notes")
    yield client, request.param
    client.close()


EXPECTED = {
    "llama-index": ("LlamaIndex", "_node_content", "", "", "", "uuid"),
    "llama-index hybrid": ("LlamaIndex", "_node_content", "", "text-dense", "text-sparse-new", "uuid"),
    "llama-index hybrid of old": ("LlamaIndex", "_node_content", "", "text-dense", "text-sparse", "uuid"),
    "langchain": ("LangChain", "page_content", "metadata", "", "", "uuid"),
    "langchain named": ("LangChain", "page_content", "metadata", "content", "", "uuid"),
    "langchain hybrid": ("LangChain", "page_content", "metadata", "", "langchain-sparse", "uuid"),
    "haystack": ("Haystack", "content", "meta", "", "", "uuid"),
    "mcp-server-qdrant": ("mcp-server-qdrant", "document", "metadata", "fast-hashing", "", "uuid"),
    "qdrant-client mixin": ("the mixin of qdrant-client and fastembed", "document", "", "fast-hashing", "", "int"),
    "cocoindex": ("not known", "text", "", "embedding", "", "int"),
    "plain": ("not known", "text", "", "", "", "int"),
}


def test_what_wrote_a_collection_is_read(written):
    client, writer = written
    with Collection.attach("notes", at=client, model="hashing") as docs:
        found = docs.layout
        assert (found.writer, found.text, found.metadata, found.vector, found.sparse, found.ids) == EXPECTED[writer]
        assert (found.dim, found.points) == (hashing().dim, 4)
        assert found.distance == ("dot" if writer == "plain" else "cosine")
        assert f"{found.text}" in str(found)

        (best, *_) = docs.search(QUESTION, k=4)
        assert best.text == TEXTS[0]
        assert best.metadata["author"] == "Ann"
        assert docs.count() == len(docs.to_pandas()) == 4
        assert docs.get(best.id).text == best.text
        assert docs.similar(best, k=1)[0].text != best.text
        assert len(docs.to_pandas(vectors=True)["vector"][0]) == hashing().dim


def test_filters_go_by_fields_of_its_own(written):
    client, _ = written
    with Collection.attach("notes", at=client, model="hashing") as docs:
        found = docs.search(QUESTION, k=4, filter={"year": {"gte": 2025}})
        assert {hit.metadata["year"] for hit in found} <= {2025, 2026} and found
        assert docs.count(filter={"author": "Ann"}) == 2
        assert docs.count(filter={"not": {"author": "Ann"}}) == 2
        raw = models.Filter(must=[models.HasIdCondition(has_id=[found[0].id])])
        assert [hit.id for hit in docs.search(QUESTION, filter=raw)] == [found[0].id]


def test_explanations_and_frames_are_those_of_own_collections(written):
    client, _ = written
    with Collection.attach("notes", at=client, model="hashing") as docs:
        (hit,) = docs.search(QUESTION, k=1, explain=True)
        assert "gates" in [term.word for term in hit.explain().terms]
        assert hit.explain().sentence == TEXTS[0]
        assert list(docs.search(QUESTION, k=2).to_pandas()["rank"]) == [1, 2]


def test_a_wrong_model_is_refused_with_the_figures(written, other_model):
    client, _ = written
    with pytest.raises(RecipeMismatchError, match=r"should have a cosine of 0\.99(.|\n)*cosine 0\.|cosine -0\."):
        Collection.attach("notes", at=client, model=str(other_model))
    with pytest.raises(RecipeMismatchError, match=r"256 dimensions, those of 'minilm' 384. Models with 256: "):
        Collection.attach("notes", at=client, model="minilm")


def test_no_model_is_guessed(client):
    plain(client, "notes")
    with pytest.raises(ConfigurationError, match=r"none is guessed. Models with as many: .*; it is proved"):
        Collection.attach("notes", at=client)


def test_a_model_that_the_vector_names_is_taken_and_proved(client):
    WRITERS["qdrant-client mixin"](client, "notes")
    with Collection.attach("notes", at=client) as docs:
        assert docs.embedder.preset.name == "hashing"
        assert docs.info()["model"]["proof"].startswith("the prompt for documents before them: cosine 1.0000")
    WRITERS["plain"](client, "others")
    plain(client, "mistaken", named="fast-hashing", text="text")
    client.update_vectors("mistaken", [models.PointVectors(id=7, vector={"fast-hashing": vectors(["else"])[0]})])
    with pytest.raises(RecipeMismatchError, match=r"'hashing' did not make the vectors of collection 'mistaken'"):
        Collection.attach("mistaken", at=client)


def test_a_model_that_the_metadata_name_is_taken(client):
    plain(client, "notes")
    client.update_collection("notes", metadata={"embedding_model": "hashing"})
    with Collection.attach("notes", at=client) as docs:
        assert docs.search(QUESTION, k=1)[0].text == TEXTS[0]


@pytest.mark.parametrize("said", [{"model": "none"}, {"embedder": "none"}])
def test_without_a_model_there_are_filters_and_vectors(client, said):
    plain(client, "notes")
    with Collection.attach("notes", at=client, **said) as docs:
        with pytest.raises(ConfigurationError, match=r"no model is known.*Or by words: "):
            docs.search(QUESTION)
        assert docs.count(filter={"text": {"words": "crane"}}) == 2
        assert [one.source for one in docs.documents()] == ["crane.md", "gates.md", "k.md"]
        assert docs.search_vector(vectors([TEXTS[3]])[0], k=1)[0].text == TEXTS[3]
        assert docs.similar("7", k=1)[0].id != "7"
        with pytest.raises(ConfigurationError, match=r"attached without a model"):
            docs.embedder  # noqa: B018


def test_keys_can_be_given(client):
    plain(client, "notes", named="a", text="wording")
    with pytest.raises(ConfigurationError, match=r"no usual key holds it; keys with texts: .*'wording'.*text='…'"):
        Collection.attach("notes", at=client, model="hashing")
    with Collection.attach("notes", at=client, model="hashing", text="wording", source="author") as docs:
        assert docs.search(QUESTION, k=1)[0].source == "Ann"
        assert [len(docs.chunks("Ann")), docs.layout.signs["source"]] == [2, "given"]
    with pytest.raises(UnknownNameError, match=r"part of a layout.*words"):
        Collection.attach("notes", at=client, model="hashing", words="wording")
    with pytest.raises(UnknownNameError, match=r"dense vector.*'b'"):
        Collection.attach("notes", at=client, model="hashing", text="wording", vector="b")


def test_several_dense_vectors_have_to_be_told_apart(client):
    params = models.VectorParams(size=hashing().dim, distance=models.Distance.COSINE)
    client.create_collection("notes", vectors_config={"old": params, "new": params})
    row = vectors([TEXTS[0]])[0]
    client.upsert(
        "notes", [models.PointStruct(id=1, payload={"text": TEXTS[0]}, vector={"old": row[::-1], "new": row})]
    )
    with pytest.raises(ConfigurationError, match=r"several dense vectors: 'old', 'new'"):
        Collection.attach("notes", at=client, model="hashing")
    with Collection.attach("notes", at=client, model="hashing", vector="new") as docs:
        assert docs.search(QUESTION)[0].text == TEXTS[0]
    with pytest.raises(RecipeMismatchError, match=r"did not make"):
        Collection.attach("notes", at=client, model="hashing", vector="old")


def test_documents_and_neighbors_as_far_as_the_payload_tells(client):
    WRITERS["llama-index"](client, "nodes")
    WRITERS["haystack"](client, "pieces")
    WRITERS["mcp-server-qdrant"](client, "memories")
    for name in ("nodes", "pieces"):
        with Collection.attach(name, at=client, model="hashing") as docs:
            assert [(one.source, one.chunks) for one in docs.documents()] == [
                ("crane.md", 2),
                ("gates.md", 1),
                ("k.md", 1),
            ]
            assert [hit.text for hit in docs.chunks("crane.md")] == list(TEXTS[1:3])
            (hit,) = docs.search("which cables are inspected every Tuesday", k=1)
            assert [near.text for near in docs.neighbors(hit)] == list(TEXTS[1:3])
            (longer,) = docs.search("which cables are inspected every Tuesday", k=1, expand=1)
            assert TEXTS[1] in longer.text and TEXTS[2] in longer.text
            (first, *_) = docs.search("crane", k=4, group_by="document", filter={"source": "crane.md"})
            assert first.source == "crane.md"
    with Collection.attach("memories", at=client, model="hashing") as docs:
        (hit,) = docs.search(QUESTION, k=1)
        assert docs.neighbors(hit) == [hit] and len(docs.documents()) == 4


def test_a_retriever_goes_over_it(written):
    client, _ = written
    with Collection.attach("notes", at=client, model="hashing") as docs:
        (found,) = docs.as_retriever(k=1).retrieve(QUESTION)
        assert found.node.text == TEXTS[0] and found.node.metadata["author"] == ENTRIES[0][1]["author"]


def test_what_opens_it_says_how_to_attach(client):
    plain(client, "notes")
    with pytest.raises(Exception, match=r"something else made it. To read it, type: Collection.attach\('notes'"):
        Collection.open("notes", at=client)


def test_an_own_collection_is_opened_and_not_attached(make_collection):
    docs = make_collection()
    assert docs.layout.writer == "qdrant_embed"
    with pytest.raises(ConfigurationError, match=r"made by this library"):
        Collection.attach(docs.name, at=docs.engine, model="hashing")
    with pytest.raises(ConfigurationError, match=r"this library's own: bring documents into it by ingest"):
        docs.attachment.add("a text")


@pytest.mark.parametrize(
    "stated", ["somebody/some-model", "/etc", "openai-small", "bge-small-en", "http://127.0.0.1:9"]
)
def test_nothing_is_fetched_because_a_collection_says_so(client, stated):
    plain(client, "notes")
    client.update_collection("notes", metadata={"model": stated})
    with pytest.raises(
        ConfigurationError, match=r"nothing is fetched because a collection says so\. Where you trust it"
    ):
        Collection.attach("notes", at=client)


def test_nodes_with_a_text_resource_and_texts_beside_them(client):
    WRITERS["llama-index"](client, "notes")
    params = client.get_collection("notes").config.params.vectors
    records, _ = client.scroll("notes", limit=10, with_vectors=True)
    client.create_collection("others", params)
    for record in records:
        node = json.loads(record.payload["_node_content"])
        node["text_resource"] = {"text": node.pop("text")}
        payload = {**record.payload, "_node_content": json.dumps(node)}
        client.upsert("others", [models.PointStruct(id=record.id, payload=payload, vector=record.vector)])
    with Collection.attach("others", at=client, model="hashing") as docs:
        assert docs.search(QUESTION, k=1)[0].text == TEXTS[0]


def test_langchain_in_javascript_has_keys_of_its_own(client):
    params = models.VectorParams(size=hashing().dim, distance=models.Distance.COSINE)
    client.create_collection("notes", params)
    payloads = [
        {"content": text, "metadata": {**metadata, "loc": {"lines": {"from": 1}}}} for text, metadata in ENTRIES
    ]
    points = [
        models.PointStruct(id=number, payload=payload, vector=row)
        for number, (payload, row) in enumerate(zip(payloads, vectors(TEXTS), strict=True))
    ]
    client.upsert("notes", points)
    with Collection.attach("notes", at=client, model="hashing") as docs:
        assert "JavaScript" in docs.layout.writer
        assert docs.count(filter={"loc.lines.from": 1, "author": "Bob"}) == 2


def test_fields_beside_nested_metadata_are_filtered_by(client):
    params = models.VectorParams(size=hashing().dim, distance=models.Distance.COSINE)
    client.create_collection("notes", params)
    points = [
        models.PointStruct(
            id=number, payload={"text": text, "meta": metadata, "lang": "en", "page": number}, vector=vectors([text])[0]
        )
        for number, (text, metadata) in enumerate(ENTRIES)
    ]
    client.upsert("notes", points)
    with Collection.attach("notes", at=client, model="hashing") as docs:
        assert docs.count(filter={"lang": "en", "author": "Ann"}) == 2
        (hit,) = docs.search(TEXTS[2], k=1, filter={"page": 2})
        assert (hit.page, hit.metadata["lang"], hit.metadata["author"]) == (2, "en", "Bob")
        with pytest.warns(FilterWarning, match=r"no field|has a field 'langs'"):
            assert docs.count(filter={"langs": "en"}) == 0


def test_numbers_tell_documents_apart_too(client):
    params = models.VectorParams(size=hashing().dim, distance=models.Distance.COSINE)
    client.create_collection("notes", params)
    points = [
        models.PointStruct(
            id=number, payload={"text": text, "doc_id": 40 + number // 2, "chunk_index": number % 2}, vector=row
        )
        for number, (text, row) in enumerate(zip(TEXTS, vectors(TEXTS), strict=True))
    ]
    client.upsert("notes", points)
    with Collection.attach("notes", at=client, model="hashing") as docs:
        assert [(one.source, one.chunks) for one in docs.documents()] == [("40", 2), ("41", 2)]
        (hit,) = docs.search(TEXTS[1], k=1, expand=1)
        assert hit.text == f"{TEXTS[0]}\n{TEXTS[1]}"
        assert [near.text for near in docs.neighbors(docs.get("1"))] == list(TEXTS[:2])
        assert [one.text for one in docs.chunks("41")] == list(TEXTS[2:])
        assert len(docs.search("the", k=4, group_by="document")) == 2


def test_metadata_filters_of_llama_index_go_by_its_fields(client):
    from llama_index.core.vector_stores import FilterOperator, MetadataFilter, MetadataFilters

    WRITERS["llama-index"](client, "nodes")
    WRITERS["langchain"](client, "documents")
    asked = (("author", "Bob", "=="), ("year", 2025, "=="), ("year", 2024, ">"), ("author", ["Bob", "Eve"], "in"))
    for name, (key, value, operator) in ((name, one) for name in ("nodes", "documents") for one in asked):
        wanted = MetadataFilter(key=key, value=value, operator=FilterOperator(operator))
        with Collection.attach(name, at=client, model="hashing") as docs:
            found = docs.as_retriever(k=4, filter=MetadataFilters(filters=[wanted])).retrieve("crane")
            assert {one.node.metadata["author"] for one in found} >= {"Bob"} and len(found) in (2, 3)


def test_a_page_shows_it(written):
    client, writer = written
    with Collection.attach("notes", at=client, model="hashing") as docs:
        session = ExplorerSession(docs._handle)
        about = session.ask("about", {})
        assert (about["chunks"], about["layout"]["points"]) == (4, 4)
        (best, *_) = session.ask("search", {"query": QUESTION})["hits"]
        assert best["text"] == TEXTS[0]
        shown = session.ask("document", {"source": best["source"], "root": "", "around": best["chunk_index"]})
        assert [one["text"] for one in shown["chunks"]] == [TEXTS[0]], writer
        assert session.ask("document", {"source": best["source"], "root": "another"})["error"]
        session.close()
