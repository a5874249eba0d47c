import numpy as np
import pytest
from qdrant_client import models

from qdrant_embed import Collection, Document, Recipe
from qdrant_embed.compression import Compression, Transform
from qdrant_embed.errors import ConfigurationError

pytestmark = pytest.mark.anywhere

TEXTS = [
    f"Crane {n} lifts {n * 7} tons of {['herring', 'cod', 'eel', 'hull', 'rope', 'sail'][n % 6]} at pier {n}."
    for n in range(220)
]


@pytest.fixture
def filled(make_collection):
    collection = make_collection("cranes")
    collection.ingest([Document(text=text, source=f"{n}.txt") for n, text in enumerate(TEXTS)])
    return collection


def answers(collection):
    return [hit.source for hit in collection.search("herring at pier 12", k=5, mode="dense")]


@pytest.mark.folder
def test_codes_are_switched_in_place_and_back(filled):
    before, ids = answers(filled), {hit.id for hit in filled.chunks("12.txt")}
    done = filled.recompress("float32+int8+rescore4")
    assert (done.in_place, filled.recipe.compression) == (True, "int8+rescore4")
    config = filled.engine.get_collection("cranes").config.params.vectors["dense"].quantization_config
    assert isinstance(config, models.ScalarQuantization)
    assert answers(filled) == before
    filled.recompress("binary+rescore50")
    assert answers(filled) == before
    filled.recompress("float32")
    assert answers(filled) == before
    assert filled.engine.get_collection("cranes").config.params.vectors["dense"].quantization_config is None
    assert {hit.id for hit in filled.chunks("12.txt")} == ids


@pytest.mark.folder
@pytest.mark.parametrize("compression", ["itq+float16", "128d!+full+rescore8", "uint8"])
def test_anything_else_is_a_copy_behind_the_name_that_an_ingest_knows(filled, tmp_path, compression):
    before = answers(filled)
    done = filled.recompress(compression)
    assert not done.in_place
    assert answers(filled)[0] == before[0]
    assert filled.count() == len(TEXTS)
    report = filled.ingest([Document(text=text, source=f"{n}.txt") for n, text in enumerate(TEXTS)])
    assert (report.embedded, filled.count()) == (0, len(TEXTS))
    filled.close()
    with Collection.open("cranes", at=tmp_path / "qdrant_data") as again:
        assert Compression.parse(again.recipe.compression) == Compression.parse(compression)
        assert answers(again)[0] == before[0]
    assert Collection.drop("cranes", at=tmp_path / "qdrant_data")
    assert not Collection.drop("cranes", at=tmp_path / "qdrant_data")


def test_a_second_copy_replaces_the_first(filled):
    filled.recompress("rotate")
    filled.recompress("rotate+float16")
    assert len(filled.engine.get_collections().collections) == 1
    assert filled.count() == len(TEXTS)


@pytest.mark.parametrize(("first", "second"), [("bits", "float32"), ("64d!", "128d!"), ("float16", "float32")])
def test_numbers_that_were_not_kept_do_not_come_back(filled, first, second):
    filled.recompress(first)
    with pytest.raises(ConfigurationError, match="does not hold the numbers"):
        filled.recompress(second)


def test_an_equal_compression_written_otherwise_opens(make_collection):
    make_collection("cranes", compression="float16+64d!")
    make_collection("cranes", compression="64d!+float16")
    assert Recipe(compression="float16+64d!") != Recipe(compression="64d!+float16")


@pytest.mark.folder
def test_a_rotation_for_other_parts_is_learned_again(filled):
    filled.recompress("opq+pq16+rescore8")
    digest = kept(filled)
    assert filled.recompress("opq+pq16+rescore4").in_place
    assert not filled.recompress("opq+pq64+rescore8").in_place
    assert kept(filled) != digest


def code(bits, seed, dim=256):
    return Transform(dim=dim, matrix=np.random.default_rng(seed).standard_normal((bits, dim)).astype(np.float32))


def kept(collection):
    """Return the digest of what a collection's vectors are coded by, as a new handle finds it."""
    with Collection.open(collection.name, at=collection.engine.path) as again:
        return again.parts.codec.vector_codec.transform.digest


@pytest.mark.folder
def test_a_code_that_was_trained_again_replaces_the_one_there_was(filled):
    before, first, second = answers(filled), code(16, 1), code(16, 2)
    setting = "full+bits+learned16+rescore200"
    for trained, in_place in ((first, False), (first, True), (second, False), (None, True)):
        assert filled.recompress(setting, trained=trained).in_place is in_place
        assert kept(filled) == (trained or second).digest
        assert answers(filled)[0] == before[0]
    assert filled.recompress("full+bits+learned16+rescore4").in_place
    assert not filled.recompress("bits+learned16").in_place
    assert kept(filled) == second.digest
    assert len(filled.engine.get_collections().collections) == 1


@pytest.mark.parametrize(
    ("setting", "trained", "said"),
    [
        ("bits+learned16", code(24, 1), "24 bits of 256 dimensions.*16 bits of 256"),
        ("64d!+bits+learned16", code(16, 1), "16 bits of 256 dimensions.*16 bits of 64"),
        ("bits+learned16", None, "must be trained first"),
        ("itq", code(16, 1), "has none. Name it: 'full"),
    ],
)
def test_a_code_that_does_not_fit_is_refused_before_anything_is_written(filled, setting, trained, said):
    with pytest.raises(ConfigurationError, match=said):
        filled.recompress(setting, trained=trained)
    assert [found.name for found in filled.engine.get_collections().collections] == ["cranes--1"]


@pytest.mark.folder
@pytest.mark.parametrize("compression", ["itq", "center+uint8"])
def test_what_was_learned_is_learned_again_on_request(make_collection, compression):
    collection = make_collection("cranes", compression=compression)
    collection.ingest([Document(text=TEXTS[n], source=f"{n}.txt") for n in range(40)])
    collection.ingest([Document(text=text, source=f"{n}.txt") for n, text in enumerate(TEXTS)])
    before, digest = answers(collection), kept(collection)
    assert collection.recompress(compression).in_place
    assert not collection.recompress(compression, refit=True).in_place
    assert kept(collection) != digest
    assert collection.parts.codec.vector_codec.transform.sample == len(TEXTS)
    assert answers(collection)[0] == before[0]


@pytest.mark.parametrize(
    ("compression", "said"),
    [("float16", "learns nothing"), ("full+bits+learned16+rescore4", "not refitted but")],
)
def test_nothing_is_learned_again_where_nothing_can_be(filled, compression, said):
    with pytest.raises(ConfigurationError, match=said):
        filled.recompress(compression, refit=True)
