"""Indexes of payload fields are those that every collection has, and those that its owner declares."""

import warnings

import pytest

from qdrant_embed import Collection, Document, Recipe
from qdrant_embed.errors import ConfigurationError, IndexWarning
from qdrant_embed.store.filters.fields import INDEXED_FIELDS, NEEDED_FIELDS
from tests.support.server_stand_in import StandIn

DOCUMENTS = [
    Document(text=f"words about rope {n}", source=f"{n}.md", metadata={"team": "ab"[n % 2], "year": 2020 + n})
    for n in range(4)
]


def indexed(docs):
    """Return the kinds of the user's own fields that have an index."""
    found = docs.engine.get_collection(docs.name).payload_schema
    return {field: info.data_type.value for field, info in found.items() if field.startswith("metadata.")}


@pytest.fixture
def strict():
    """Return a server whose collections are made with limits."""
    with StandIn("1.19.0") as server:
        limits = {"unindexed_filtering_retrieve": False, "unindexed_filtering_update": False}

        def limit(asked):
            if asked.method == "PUT" and asked.path.count("/") == 2:
                asked.body["strict_mode_config"] = {"enabled": True, **limits}

        server.before.append(limit)
        server.limits = limits
        yield server


@pytest.mark.parametrize("place", ["folder", "server"])
def test_declared_fields_are_indexed_when_a_collection_is_made(place, strict, tmp_path):
    at = strict.url if place == "server" else tmp_path / "data"
    recipe = Recipe(model="hashing", index={"team": "keyword", "year": "integer"})
    with Collection.open("docs", at=at, recipe=recipe) as docs:
        docs.ingest(DOCUMENTS)
        assert indexed(docs) == {"metadata.team": "keyword", "metadata.year": "integer"}
        assert {hit.source for hit in docs.search("rope", filter={"team": "a", "year": {"gte": 2021}})} == {"2.md"}
        assert docs.recompress("float16").recipe.index == recipe.index
        assert indexed(docs) == {"metadata.team": "keyword", "metadata.year": "integer"}
    with Collection.open("docs", at=at) as docs:
        assert docs.recipe.index == recipe.index


def test_a_collection_is_opened_with_more_of_them(tmp_path):
    at, plain = tmp_path / "data", Recipe(model="hashing")
    with Collection.open("docs", at=at, recipe=plain) as docs:
        docs.ingest(DOCUMENTS)
        embedded = docs.search("rope")[0].id
    with pytest.warns(IndexWarning, match="made without an index of team, and has it from now on"):
        more = Collection.open("docs", at=at, recipe=Recipe(model="hashing", index={"team": "keyword"}))
    with more as docs:
        assert docs.recipe.index == {"team": "keyword"}
        assert indexed(docs) == {"metadata.team": "keyword"}
        docs.index_field("year", "integer")
        assert docs.search("rope")[0].id == embedded
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with Collection.open("docs", at=at, recipe=plain) as docs:
            assert docs.recipe.index == {"team": "keyword", "year": "integer"}
            assert docs.ingest(DOCUMENTS).embedded == 0


def test_the_most_needed_fields_come_first_and_the_others_are_named(strict):
    strict.limits |= {"max_payload_index_count": len(NEEDED_FIELDS) + 1}
    strict.limits["unindexed_filtering_retrieve"] = True
    recipe = Recipe(model="hashing", index={"team": "keyword"})
    allowed = f"max_payload_index_count={len(NEEDED_FIELDS) + 1}"
    with pytest.warns(UserWarning, match=f"no index of page, headings, .*{allowed}"):
        made = Collection.open("docs", at=strict.url, recipe=recipe)
    made.close()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        docs = Collection.open("docs", at=strict.url)
    found = docs.engine.get_collection("docs").payload_schema
    assert set(found) == {*NEEDED_FIELDS, "metadata.team"}
    docs.close()
    with pytest.warns(IndexWarning, match=f"no index of year: .*{allowed}"):
        Collection.open("docs", at=strict.url, recipe=Recipe(model="hashing", index={"year": "integer"})).close()


def test_what_cannot_be_indexed_is_refused_before_anything_is_made(tmp_path):
    with pytest.raises(ConfigurationError, match="no engine can index a key"):
        Collection.open("docs", at=tmp_path / "data", recipe=Recipe(model="hashing", index={'te"am': "keyword"}))
    assert not Collection.drop("docs", at=tmp_path / "data")


def test_needed_fields_are_fields_with_an_index():
    assert set(NEEDED_FIELDS) < set(INDEXED_FIELDS)
