"""Compressed collections from end to end: what is stored, what is found, what is refused."""

import numpy as np
import pytest
from qdrant_client import models

from qdrant_embed import Collection, Document, Recipe
from qdrant_embed.compression import Compression
from qdrant_embed.compression.binary_codes import hamming, pack_signs
from qdrant_embed.errors import ConfigurationError, RecipeMismatchError, UnsupportedByEngineError
from tests.compression.samples import WORDS

EXACT = (
    "float32",
    "float16",
    "uint8",
    "rotate",
    "itq",
    "center",
    "center+itq",
    "center+float16",
    "uint8+center+rotate",
)
CODED = ("int8+rescore2", "rotate+binary+rescore20", "center+itq+binary+query8+rescore8", "opq+pq16+rescore8",
         "turbo8", "float32+turbo4+rescore2", "128d!+full+rescore8",
         "64d!+full+float16+rescore20", "full+bits+rotate+rescore20")  # fmt: skip


def texts(count=300):
    rng = np.random.default_rng(4)
    return [" ".join(rng.choice(WORDS, 12)) for _ in range(count)]


def documents(count=300, start=0):
    return [Document(text=text, source=f"{place:04}.txt") for place, text in enumerate(texts(count)) if place >= start]


QUERIES = ["crane dock fish", "quay rope sail tide", "lamp mast net", "iron jetty keel gate"]


@pytest.fixture(scope="module")
def reference():
    """Return sources and scores that a collection without compression answers with."""
    with Collection.open("plain", at=":memory:", recipe=Recipe(model="hashing")) as plain:
        plain.ingest(documents())
        return [[(hit.source, hit.score) for hit in hits] for hits in plain.search(QUERIES, k=10, mode="dense")]


def overlap(found, reference):
    return np.mean(
        [len({h.source for h in a} & {s for s, _ in b}) / len(b) for a, b in zip(found, reference, strict=True)]
    )


@pytest.mark.parametrize("compression", EXACT)
def test_what_is_stored_otherwise_is_found_and_scored_as_before(make_collection, reference, compression):
    collection = make_collection("other", compression=compression)
    collection.ingest(documents())
    found = collection.search(QUERIES, k=10, mode="dense")
    assert overlap(found, reference) > 0.9
    for hits, wanted in zip(found, reference, strict=True):
        assert [h.score for h in hits] == pytest.approx([s for _, s in wanted], abs=0.02)


@pytest.mark.folder
@pytest.mark.parametrize("compression", CODED)
def test_codes_with_rescoring_find_nearly_all(make_collection, reference, compression):
    collection = make_collection("other", compression=compression)
    collection.ingest(documents())
    assert overlap(collection.search(QUERIES, k=10, mode="dense"), reference) > 0.8
    assert len(collection.search(QUERIES[0], k=5)) == 5


@pytest.mark.folder
@pytest.mark.parametrize("compression", ["itq", "uint8", "bits+itq+median", "128d!+full+bits+itq+rescore4"])
def test_a_second_ingest_and_a_reopening_code_as_the_first(make_collection, compression):
    collection = make_collection("other", compression=compression)
    collection.ingest(documents(150))
    before = stored(collection)
    report = collection.ingest(documents(150))
    assert (report.embedded, stored(collection)) == (0, before)
    collection.close()
    again = make_collection("other", compression=compression)
    again.ingest(documents(200))
    after = stored(again)
    assert len(after) == 200
    assert {key: after[key] for key in before} == before
    assert again.search(texts()[180], k=1, mode="dense")[0].source == "0180.txt"


def stored(collection):
    records, _ = collection.engine.scroll(collection.name, limit=1000, with_vectors=True)
    return {record.id: {name: vector for name, vector in record.vector.items() if name != "bm25"} for record in records}


def test_bits_rank_as_the_slow_twin_does_with_and_without_a_filter(collection, make_collection):
    at = ":memory:" if "memory" in repr(collection.engine) else None
    bits = make_collection("bits", at=at, compression="bits+rotate")
    bits.ingest(documents())
    vectors = everything(bits)
    assert len(vectors) == 300
    query = bits.embedder.embed_queries(["crane dock fish"])
    code = bits.parts.codec.vector_codec.codes(query)[0]
    assert all(np.array_equal(v, pack_signs(bits.parts.codec.vector_codec.transform.rotate(
        bits.embedder.embed_documents([texts()[int(s[:4])]])))[0]) for s, v in list(vectors.items())[:5])  # fmt: skip
    distances = {source: int(hamming(code, vector[None])[0]) for source, vector in vectors.items()}
    for where in (None, {"source": [f"{n:04}.txt" for n in range(0, 300, 50)]}):
        pool = distances if where is None else {s: distances[s] for s in where["source"]}
        found = bits.search("crane dock fish", k=5, mode="dense", filter=where)
        assert [round((1 - h.score) / 2 * 256) for h in found] == sorted(pool.values())[:5]
        assert [pool[h.source] for h in found] == sorted(pool.values())[:5]
    bits.delete("0000.txt")
    assert "0000.txt" not in {h.source for h in bits.search(texts()[0], k=5)}
    assert bits.search(texts()[7], k=1)[0].source == "0007.txt"


def everything(collection):
    records, _ = collection.engine.scroll(collection.name, limit=1000, with_vectors=["dense"])
    return {record.payload["source"]: np.array(record.vector["dense"], np.uint8) for record in records}


def test_bits_take_a_thirty_second_of_the_numbers(make_collection):
    bits = make_collection("bits", compression="bits")
    params = bits.engine.get_collection("bits").config.params.vectors["dense"]
    assert (params.size, params.datatype) == (256 // 8, models.Datatype.UINT8)


@pytest.mark.folder
def test_a_rotation_of_another_collection_is_refused(make_collection):
    first, second = make_collection("first", compression="itq"), make_collection("second", compression="itq")
    first.ingest(documents(100))
    second.ingest(documents(200, start=100))
    folder = first.engine.folder()
    folder.attach("second", folder.attachment("first"))
    second.close()
    broken = make_collection("second", compression="itq")
    with pytest.raises(ConfigurationError, match="does not belong to it"):
        broken.search("crane")


@pytest.mark.folder
def test_the_rotation_goes_with_its_collection(make_collection, tmp_path):
    collection = make_collection("first", compression="itq")
    collection.ingest(documents(50))
    kept = list((tmp_path / "qdrant_data" / "attachments").iterdir())
    assert len(kept) == 1
    Collection.drop("first", at=tmp_path / "qdrant_data")
    assert not kept[0].exists()


def test_a_server_keeps_the_rotation_in_the_metadata(make_collection):
    collection = make_collection(at=":memory:", compression="itq")
    collection.ingest(documents(50))
    assert collection.engine.get_collection("harbour").config.metadata["qdrant_embed_transform"]
    assert "qdrant_embed_transform" not in collection.info()


@pytest.mark.folder
@pytest.mark.parametrize(
    ("compression", "said"),
    [("32d!+binary", "needs 64 or more"), ("30d!+pq16", "choose a product code"), ("2d!+pq8", "two or more whole")],
)
def test_codes_on_too_few_dimensions_are_refused(make_collection, compression, said):
    with pytest.raises(ConfigurationError, match=said):
        make_collection("few", compression=compression)


@pytest.mark.parametrize("compression", ["float32+turbo4", "turbo8", "binary+rescore2"])
def test_the_engine_in_memory_refuses_what_it_would_ignore(make_collection, compression):
    with pytest.raises(UnsupportedByEngineError, match="in memory has no"):
        make_collection("turbo", at=":memory:", compression=compression)


def test_nothing_is_found_before_anything_is_learned(make_collection):
    assert len(make_collection(compression="itq").search("crane")) == 0


@pytest.mark.folder
def test_another_compression_is_refused_with_what_must_be_done(make_collection):
    make_collection("plain")
    with pytest.raises(RecipeMismatchError, match=r"in place.*recompress\('int8"):
        make_collection("plain", compression="float32+int8")
    with pytest.raises(RecipeMismatchError, match=r"every point.*recompress\('64d!"):
        make_collection("plain", compression="64d!")


def test_layout_follows_the_compression():
    assert Compression.parse("128d!+full+rescore4").points != Compression.parse("128d!").points
    assert Recipe(compression="float32").compression == "float32"
