"""Several handles on one collection: what one learns or changes, the others go by."""

import threading

import pytest

from qdrant_embed import Collection, Document
from qdrant_embed.compression import Compression, VectorCodec
from qdrant_embed.errors import RecipeMismatchError, StoreError
from qdrant_embed.store import collection_codec
from qdrant_embed.store.metadata import METADATA_KEY, read_metadata
from tests.store.test_collection_codec import documents, stored, texts


@pytest.fixture
def handles(collection, make_collection):
    """Return a function that opens handles on one collection, on each local engine."""
    at = collection.engine.client if "memory" in repr(collection.engine) else None
    return lambda compression: make_collection("shared", at=at, compression=compression)


def best(docs, number):
    return docs.search(texts()[number], k=1, mode="dense")[0].source


@pytest.mark.parametrize("compression", ["rotate", "float16+itq", "64d!"])
def test_a_change_of_compression_by_another_handle_is_followed(handles, compression):
    ours, theirs = handles("float32"), handles("float32")
    ours.ingest(documents(60))
    assert best(ours, 7) == "0007.txt"
    theirs.recompress(compression)
    assert [best(ours, number) for number in (3, 44)] == ["0003.txt", "0044.txt"]
    assert ours.recipe.compression == compression
    ours.ingest(documents(90))
    assert theirs.ingest(documents(90)).embedded == 0
    assert [best(docs, 77) for docs in (ours, theirs)] == ["0077.txt"] * 2


@pytest.mark.parametrize("compression", ["itq", "uint8", "rotate", "bits+center+rotate"])
def test_what_another_handle_learned_is_taken_over(handles, compression):
    ours, theirs = handles(compression), handles(compression)
    assert len(ours.search("crane", mode="dense")) == 0
    theirs.ingest(documents(60))
    before = stored(theirs)
    assert best(ours, 7) == "0007.txt"
    ours.ingest(documents(90))
    after = stored(ours)
    for key, vectors in before.items():
        assert after[key]["dense"] == pytest.approx(vectors["dense"], abs=1e-6)
    assert [best(docs, number) for docs in (ours, theirs) for number in (7, 77)] == ["0007.txt", "0077.txt"] * 2


def test_two_first_ingests_code_alike(handles, monkeypatch):
    ours, theirs = handles("itq"), handles("itq")
    at_once, learn = threading.Barrier(2), collection_codec.CollectionCodec.fit

    def fit(self, vectors):
        at_once.wait(60)  # both have found that nothing was learned yet
        learn(self, vectors)

    monkeypatch.setattr(collection_codec.CollectionCodec, "fit", fit)
    other = threading.Thread(target=theirs.ingest, args=(documents(100, start=50),))
    other.start()
    ours.ingest(documents(50))
    other.join(60)
    assert [best(docs, number) for docs in (ours, theirs) for number in (7, 77)] == ["0007.txt", "0077.txt"] * 2


def test_of_two_processes_that_learn_at_once_the_last_to_keep_is_right(handles, monkeypatch):
    ours, theirs = handles("itq"), handles("itq")
    engine = ours.engine
    save = engine.save_attachment

    def overtaken(*given):
        save(*given)
        monkeypatch.setattr(engine, "save_attachment", save)
        rows = theirs.embedder.embed_documents(texts()[100:200])
        theirs.parts.codec.keep(theirs.parts.codec.vector_codec.fit(rows))

    monkeypatch.setattr(engine, "save_attachment", overtaken)
    ours.ingest(documents(60))
    digests = [docs.parts.codec.vector_codec.transform.digest for docs in (ours, theirs, handles("itq"))]
    assert digests == digests[:1] * 3
    assert best(theirs, 7) == "0007.txt"


def test_an_ingest_by_another_transform_than_the_one_that_is_kept_says_so(handles, monkeypatch):
    ours = handles("itq")
    upsert = type(ours.engine).upsert

    def overtaken(self, *given, **named):
        self.update_collection("shared", metadata={collection_codec.DIGEST_KEY: "of another program's"})
        return upsert(self, *given, **named)

    monkeypatch.setattr(type(ours.engine), "upsert", overtaken)
    with pytest.raises(StoreError, match="another program has learned the compression of collection 'shared'"):
        ours.ingest(documents(60))


def test_a_root_that_is_noted_by_what_was_read_before_loses_no_rotation(handles):
    ours, theirs = handles("itq"), handles("itq")
    read = read_metadata(ours.engine, "shared")
    theirs.ingest(documents(60))
    ours.engine.update_collection("shared", metadata={METADATA_KEY: {**read, "roots": {"docs": "there"}}})
    ours.ingest(documents(90))
    assert [best(docs, number) for docs in (ours, theirs) for number in (7, 77)] == ["0007.txt", "0077.txt"] * 2


@pytest.mark.folder
def test_a_collection_made_anew_is_not_written_to_by_an_old_handle(make_collection, tmp_path):
    old = make_collection()
    old.ingest(documents(20))
    Collection.drop("harbour", at=tmp_path / "qdrant_data")
    make_collection(chunk_tokens=24)
    with pytest.raises(RecipeMismatchError, match="chunk_tokens"):
        old.ingest([Document(text="Crane four.", source="crane.txt")])


@pytest.mark.folder
def test_a_drawn_rotation_is_kept_with_the_collection(make_collection, monkeypatch):
    docs = make_collection(compression="rotate+float16")
    docs.ingest(documents(60))
    before = stored(docs)
    kept = docs.parts.codec.vector_codec.transform
    docs.close()
    monkeypatch.setattr("qdrant_embed.compression.transform.random_rotation", None)  # a numpy that draws otherwise
    again = make_collection(compression="rotate+float16")
    assert best(again, 7) == "0007.txt"
    again.ingest(documents(90))
    assert {key: stored(again)[key] for key in before} == before
    assert best(again, 77) == "0077.txt"
    assert again.parts.codec.vector_codec.transform.digest == kept.digest


def test_nothing_is_drawn_before_there_is_something_to_rotate():
    assert not VectorCodec.start(Compression.parse("rotate"), 64, "cosine").ready
    assert VectorCodec.start(Compression.parse("float16"), 64, "cosine").ready
