import pytest
from qdrant_client import models

from qdrant_embed import Collection, Document, Recipe
from qdrant_embed.errors import ConfigurationError

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


def test_codes_are_switched_in_place_and_back(filled):
    before, ids = answers(filled), {hit.id for hit in filled.chunks("12.txt")}
    done = filled.recompress("float32+int8+rescore4")
    assert (done.in_place, filled.recipe.compression) == (True, "int8+rescore4")
    config = filled._engine.get_collection("cranes").config.params.vectors["dense"].quantization_config
    assert isinstance(config, models.ScalarQuantization)
    assert answers(filled) == before
    filled.recompress("binary+rescore50")
    assert answers(filled) == before
    filled.recompress("float32")
    assert answers(filled) == before
    assert filled._engine.get_collection("cranes").config.params.vectors["dense"].quantization_config is None
    assert {hit.id for hit in filled.chunks("12.txt")} == ids


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
        assert again.recipe.compression == compression or str(again.recipe.compression)
        assert answers(again)[0] == before[0]
    assert Collection.drop("cranes", at=tmp_path / "qdrant_data")
    assert not Collection.drop("cranes", at=tmp_path / "qdrant_data")


def test_a_second_copy_replaces_the_first(filled):
    filled.recompress("rotate")
    filled.recompress("rotate+float16")
    assert len(filled._engine.get_collections().collections) == 1
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
