from dataclasses import fields, replace

import pytest

from qdrant_embed.errors import ConfigurationError, RecipeMismatchError
from qdrant_embed.recipe import Recipe, fingerprint, require_equal

MODEL = {"dim": 8, "pooling": "mean"}
OTHER = {"chunk_tokens": 64, "overlap": 7, "compression": "float16", "layers": 4, "payload": "langchain"}


@pytest.mark.parametrize("name", [field.name for field in fields(Recipe) if field.name not in ("index", "model_at")])
def test_every_field_changes_the_fingerprint(name):
    changed = replace(Recipe(), **{name: OTHER.get(name, "other")})
    assert fingerprint(changed, MODEL) != fingerprint(Recipe(), MODEL)


def test_the_model_changes_the_fingerprint():
    assert fingerprint(Recipe(), {**MODEL, "pooling": "cls"}) != fingerprint(Recipe(), MODEL)


def test_a_recipe_comes_back_from_its_dict():
    recipe = Recipe(model="hashing", chunk_tokens=64)
    assert Recipe.from_dict(recipe.as_dict()) == recipe


def test_fields_with_an_index_are_kept_and_change_no_point():
    indexed = Recipe(model="hashing", index={"team": "keyword", "year": "integer"})
    assert Recipe.from_dict(indexed.as_dict()) == indexed
    assert "index" not in Recipe().as_dict()
    assert fingerprint(indexed, MODEL) == fingerprint(Recipe(model="hashing"), MODEL)
    require_equal("notes", Recipe(model="hashing").as_dict(), indexed.as_dict())
    with pytest.raises(ConfigurationError, match="cannot index 'team' as 'words'; expected one of keyword, integer"):
        Recipe(index={"team": "words"})


def test_an_unknown_entry_is_refused():
    with pytest.raises(ConfigurationError, match="unknown recipe entries \\['color'\\]"):
        Recipe.from_dict({"color": "red"})


@pytest.mark.parametrize("wrong", [{"chunk_tokens": 2}, {"overlap": -1}])
def test_impossible_numbers_are_refused(wrong):
    with pytest.raises(ConfigurationError):
        Recipe(**wrong)


def test_a_mismatch_shows_the_differing_lines_and_the_ways_out():
    given = Recipe(model="hashing", overlap=8).as_dict()
    with pytest.raises(RecipeMismatchError) as caught:
        require_equal("notes", Recipe(model="hashing").as_dict(), given)
    message = str(caught.value)
    assert "overlap: the collection has 0, you gave 8" in message
    assert "model:" not in message
    assert "Collection.open('notes'" in message
    assert "Collection.drop('notes'" in message


def test_codes_that_are_switched_in_place_leave_the_fingerprint_as_it_is():
    coded = replace(Recipe(), compression="float32+int8+rescore2")
    assert fingerprint(coded, MODEL) == fingerprint(Recipe(), MODEL)
