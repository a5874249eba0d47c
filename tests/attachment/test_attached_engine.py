"""The same on a folder, in memory and on a server: modes, words, ids that are numbers, odd payloads."""

import pytest
from qdrant_client import QdrantClient, models

from qdrant_embed import Collection, Recipe
from qdrant_embed.attachment.model_proof import Way
from qdrant_embed.attachment.surface_terms import words_index
from qdrant_embed.errors import ConfigurationError, RecipeMismatchError, StoreError, UnsupportedByEngineError
from qdrant_embed.store.location import open_engine
from tests.support.foreign_writers import TEXTS, WRITERS, hashing, plain, vectors
from tests.support.tiny_encoders import save_splade

QUESTION = "which cables are inspected every Tuesday"


@pytest.fixture
def client():
    made = QdrantClient(":memory:")
    yield made
    made.close()


@pytest.fixture(params=["folder", "memory", "server"])
def place(request, tmp_path):
    """Return where a program of one's own has written a collection `notes`."""
    if request.param == "memory":
        client = QdrantClient(":memory:")
        plain(client, "notes")
        yield client
        client.close()
        return
    place = tmp_path / "data" if request.param == "folder" else request.getfixturevalue("server_url")
    write(place)
    yield place


def write(place):
    engine = open_engine(place)
    plain(engine, "notes")
    engine.close()


@pytest.mark.parametrize("server_version", ["1.20.0"])
def test_everything_that_reads_works_anywhere(place, server_version):
    with Collection.attach("notes", at=place, model="hashing", writable=True) as docs:
        (hit,) = docs.search(QUESTION, k=1)
        assert (hit.text, hit.id, hit.source) == (TEXTS[2], "9", "crane.md")
        assert docs.get("9").text == TEXTS[2] and [one.id for one in docs.get(["10", "7"])] == ["10", "7"]
        assert "9" not in {one.id for one in docs.similar("9", k=3)}
        assert docs.search(QUESTION, k=1, filter={"source": "k*"})[0].source == "k.md"
        assert docs.search(QUESTION, k=4, filter={"text": {"words": "harbour"}, "author": "Ann"})
        assert [one.text for one in docs.search(QUESTION, k=2, rerank="mmr:0.5")][:1] == [TEXTS[2]]
        assert docs.search(QUESTION, mode="dense", k=1)[0].score == pytest.approx(
            float(hashing().embed_queries([QUESTION])[0] @ hashing().embed_documents([TEXTS[2]])[0]), abs=1e-3
        )
        with pytest.raises(ConfigurationError, match=r"index_field\('text', 'text'\)"):
            docs.search("crane", mode="bm25")
        if docs.engine.shared:  # the stand-in ranks by engine in memory, which knows no stems
            docs.engine.create_payload_index("notes", "text", words_index("english", stems=False))
        else:
            docs.index_field("text", "text")
        docs.index_field("author")
        assert {one.text for one in docs.search("crane", mode="bm25")} == set(TEXTS[1:3])
        (best, *_) = found = docs.search("master keys in May", k=2, explain=True)
        assert best.text == TEXTS[3] and {one.name for one in best.explain().lists} == {"dense", "bm25"}
        assert found.confidence is not None
        assert [one.chunks for one in docs.documents(filter={"author": "Bob"})] == [2]


@pytest.mark.parametrize("server_version", ["1.18.3"])
def test_an_older_server_ranks_no_words(server_url, server_version):
    write(server_url)
    with Collection.attach("notes", at=server_url, model="hashing") as docs:
        assert docs.search(QUESTION, k=1)[0].text == TEXTS[2]
        with pytest.raises(ConfigurationError, match="words cannot be ranked here: text ranking came with Qdrant"):
            docs.search("crane", mode="bm25")


def test_an_open_of_what_is_foreign_writes_nothing(tmp_path):
    write(tmp_path)
    with pytest.raises(StoreError, match=r"Collection\.attach\('notes'"):
        Collection.open("notes", at=tmp_path)
    engine = open_engine(tmp_path)
    assert engine.get_collection("notes").payload_schema == {}
    engine.close()


def test_sparse_vectors_that_are_bm25s_rank_words(client):
    WRITERS["langchain hybrid"](client, "notes")
    with Collection.attach("notes", at=client, model="hashing") as docs:
        (hit,) = docs.search("cables", k=1, mode="bm25", explain=True)
        assert hit.text == TEXTS[2] and [one.word for one in hit.explain().terms] == ["cables"]
    with Collection.attach("notes", at=client, model="none") as docs:
        assert docs.search("cables", k=1)[0].text == TEXTS[2]
        with pytest.raises(ConfigurationError, match=r"mode='dense'.*Modes that it has: hybrid, bm25\."):
            docs.search("cables", mode="dense")


def test_a_sparse_model_is_asked_where_it_is_named(client, tmp_path):
    folder = str(save_splade(tmp_path / "splade"))
    recipe = Recipe(model="hashing", sparse=folder)
    from qdrant_embed import load_sparse

    params = models.VectorParams(size=hashing().dim, distance=models.Distance.COSINE)
    client.create_collection("notes", {"": params}, sparse_vectors_config={"words": models.SparseVectorParams()})
    weights = load_sparse(folder).embed_documents(list(TEXTS))
    for number, (text, dense, weight) in enumerate(zip(TEXTS, vectors(TEXTS), weights, strict=True)):
        sparse = models.SparseVector(indices=weight.indices.tolist(), values=weight.values.tolist())
        client.upsert(
            "notes", [models.PointStruct(id=number, payload={"text": text}, vector={"": dense, "words": sparse})]
        )
    with Collection.attach("notes", at=client, recipe=recipe, writable=True) as docs:
        (added,) = docs.attachment.add("The tide turns at noon.")
        (asked,) = load_sparse(folder).embed_queries(["cables"])
        kept = load_sparse(folder).embed_documents([*TEXTS, "The tide turns at noon."])
        scores = [sum(dict(zip(one.indices, one.values, strict=True)).get(term, 0.0) * weight
                      for term, weight in zip(asked.indices, asked.values, strict=True)) for one in kept]  # fmt: skip
        found = {hit.id: hit.score for hit in docs.search("cables", k=5, mode="sparse")}
        assert found == pytest.approx(dict(zip(["0", "1", "2", "3", added], scores, strict=True)), rel=1e-3)
    other = Recipe(model="hashing", sparse=str(save_splade(tmp_path / "other", architecture="distilbert")))
    wrong = pytest.raises(RecipeMismatchError, match=r"the sparse model .* did not make the vectors 'words'")
    with Collection.attach("notes", at=client, recipe=other) as docs, wrong:
        docs.search("cables", mode="sparse")
    unknown = pytest.raises(ConfigurationError, match=r"sparse vectors is not known.*sparse='…'")
    with Collection.attach("notes", at=client, model="hashing") as docs, unknown:
        docs.search("cables", mode="sparse")


@pytest.mark.parametrize("prompt", ["document", "none", "query"])
def test_the_prompt_that_was_used_is_found_and_used(client, prompted_folder, prompt):
    from qdrant_embed import load_embedder

    model = load_embedder(prompted_folder)
    before = {"document": "passage : ", "none": "", "query": "query : "}[prompt]
    rows = model.embed_documents(list(TEXTS)) if prompt == "document" else None
    if rows is None:
        from sentence_transformers import SentenceTransformer

        rows = SentenceTransformer(str(prompted_folder), device="cpu").encode([before + text for text in TEXTS])
    client.create_collection("notes", models.VectorParams(size=model.dim, distance=models.Distance.COSINE))
    points = [
        models.PointStruct(id=number, payload={"text": text}, vector=row.tolist())
        for number, (text, row) in enumerate(zip(TEXTS, rows, strict=True))
    ]
    client.upsert("notes", points)
    with Collection.attach("notes", at=client, model=str(prompted_folder), writable=True) as docs:
        assert docs.embedder.proof.way == Way(prompt) and docs.embedder.proof.least > 0.999
        (again,) = docs.attachment.add(TEXTS[0])
        found = docs.to_pandas(vectors=True).set_index("id")["vector"]
        assert found[again] @ found["0"] == pytest.approx(1.0, abs=1e-4)
        if prompt != "document":  # questions are asked as texts were embedded
            assert docs.search(TEXTS[1], k=1)[0].score == pytest.approx(1.0, abs=1e-4)


def test_texts_that_their_writer_cut_off(client, prompted_folder):
    from sentence_transformers import SentenceTransformer

    long = [f"{text} " * 20 for text in TEXTS]
    rows = SentenceTransformer(str(prompted_folder), device="cpu").encode(long, prompt_name="document")
    client.create_collection("notes", models.VectorParams(size=len(rows[0]), distance=models.Distance.COSINE))
    points = [
        models.PointStruct(id=number, payload={"text": text}, vector=row.tolist())
        for number, (text, row) in enumerate(zip(long, rows, strict=True))
    ]
    client.upsert("notes", points)
    with Collection.attach("notes", at=client, model=str(prompted_folder)) as docs:
        assert docs.embedder.proof.way == Way("document", cut_off=True)
        assert "long ones cut off" in docs.info()["model"]["proof"]


def test_lengths_count_where_distances_are_compared(client):
    client.create_collection("notes", models.VectorParams(size=hashing().dim, distance=models.Distance.EUCLID))
    twice = [[2 * one for one in row] for row in vectors(TEXTS)]
    points = [models.PointStruct(id=n, payload={"text": TEXTS[n]}, vector=twice[n]) for n in range(4)]
    client.upsert("notes", points)
    with pytest.raises(RecipeMismatchError, match=r"cosine 0\.5000 at the least"):
        Collection.attach("notes", at=client, model="hashing")


ODD = (
    {}, {"text": None}, {"text": 5}, {"text": ["a"]},
    {"_node_content": "{"}, {"_node_content": 7}, {"_node_content": "[]"},
    {"_node_content": '{"text": "short of metadata", "metadata": 5, "excluded_embed_metadata_keys": 7}'},
    {"metadata": "no dict"}, {"text": "\x1b[31m<script>", "source": ["x"], "page": True, "chunk_index": "0x1"},
    {"text": "a" * 10, "source": "", "title": {"a": 1}},
)  # fmt: skip


@pytest.mark.parametrize("writer", ["plain", "llama-index", "langchain"])
def test_odd_payloads_stay_readable(client, writer):
    WRITERS[writer](client, "notes")
    unit = vectors(["something else entirely"])[0]
    points = [models.PointStruct(id=1000 + number, payload=odd, vector=unit) for number, odd in enumerate(ODD)]
    client.upsert("notes", points[: len(TEXTS)])
    with Collection.attach("notes", at=client, model="hashing") as docs:
        client.upsert("notes", points)
        found = docs.search("something else entirely", k=20)
        assert len(found) == len(ODD) + len(TEXTS) and all(isinstance(hit.text, str) for hit in found)
        assert str(found) and found.to_pandas() is not None and docs.documents() is not None
        assert "\x1b" not in str(found) and "<script>" not in found._repr_html_()
        assert docs.neighbors(found[0]) and docs.count() == len(found)


def test_texts_within_json_are_not_filtered_by(client):
    WRITERS["llama-index"](client, "notes")
    with Collection.attach("notes", at=client, model="hashing") as docs:
        with pytest.raises(UnsupportedByEngineError, match="stand in the JSON texts"):
            docs.search(QUESTION, filter={"text": {"words": "crane"}})
        with pytest.raises(ConfigurationError, match="no engine makes an index"):
            docs.search(QUESTION, mode="bm25")


def test_an_empty_collection_shows_nothing(client):
    client.create_collection("notes", models.VectorParams(size=hashing().dim, distance=models.Distance.COSINE))
    with pytest.raises(ConfigurationError, match=r"holds no points.*Name its keys"):
        Collection.attach("notes", at=client, model="hashing")
    with pytest.raises(RecipeMismatchError, match="nothing proves which model"):
        Collection.attach("notes", at=client, model="hashing", text="text")
    with Collection.attach("notes", at=client, model="none", text="text") as docs:
        assert docs.count() == 0 and docs.documents() == []


def test_distances_that_cannot_be_asked_for(client):
    client.create_collection("notes", models.VectorParams(size=hashing().dim, distance=models.Distance.MANHATTAN))
    client.upsert("notes", [models.PointStruct(id=1, payload={"text": TEXTS[0]}, vector=vectors(TEXTS[:1])[0])])
    with Collection.attach("notes", at=client) as docs, pytest.raises(ConfigurationError, match="by a distance that"):
        docs.search("gates", mode="dense")


def test_euclidean_vectors_are_searched(client):
    client.create_collection("notes", models.VectorParams(size=hashing().dim, distance=models.Distance.EUCLID))
    points = [
        models.PointStruct(id=number, payload={"text": text}, vector=row)
        for number, (text, row) in enumerate(zip(TEXTS, vectors(TEXTS), strict=True))
    ]
    client.upsert("notes", points)
    with Collection.attach("notes", at=client, model="hashing") as docs:
        found = docs.search(TEXTS[1], k=4)
        assert found[0].text == TEXTS[1] and found[0].score == pytest.approx(0.0, abs=1e-3) and found[1].score < -0.5


def test_documents_are_counted_by_an_index_or_from_few_points(client, monkeypatch):
    client.create_collection("notes", vectors_config=models.VectorParams(size=2, distance=models.Distance.COSINE))
    payloads = [{"text": f"Note {n} of the harbour.", "metadata": {"source": f"{n % 3}.md"}} for n in range(9)]
    client.upsert("notes", [models.PointStruct(id=n, vector=[1, n], payload=one) for n, one in enumerate(payloads)])
    with Collection.attach("notes", at=client, model="none") as docs:
        assert docs.info()["documents"] == 3
        monkeypatch.setattr("qdrant_embed.attachment.attached_browser.MOST_READ", 8)
        assert docs.info()["documents"] == 3  # memory counts without an index
    with monkeypatch.context() as patched, Collection.attach("notes", at=client, model="none") as docs:
        patched.setattr(type(docs.engine), "facet", refuse)
        assert docs.info()["documents"] is None
        patched.setattr("qdrant_embed.attachment.attached_browser.MOST_READ", 9)
        assert docs.info()["documents"] == 3


def refuse(*_, **__):
    raise StoreError("no index")
