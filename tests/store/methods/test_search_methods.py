"""What a folder answers to searches by itself, beside what it answers when it is asked as a client is."""

import subprocess
import sys

import numpy as np
import pytest
from qdrant_client import models

from qdrant_embed import Collection, Document, Recipe
from qdrant_embed.errors import CollectionNotFoundError, StoreError
from qdrant_embed.store.engine import Engine
from qdrant_embed.store.methods.ranking_request import CodeUse, RankedWords, RankingRequest
from qdrant_embed.types import SparseVector

NAME, COUNT, DIM = "cranes", 40, 8
WHERE = models.Filter(must=[models.FieldCondition(key="number", range=models.Range(gte=7))])
ROWS = np.random.default_rng(11).normal(size=(COUNT, DIM)).astype(np.float32)
QUESTION = ROWS[3].tolist()
SPARSE = SparseVector(np.array([1, 5]), np.array([1.0, 0.5], np.float32))
PLAIN = {"query": QUESTION, "using": "dense", "limit": 7}
REQUESTS = {
    "a vector": RankingRequest(**PLAIN),
    "by the graph, codes passed over": RankingRequest(**PLAIN, use=CodeUse(64, ignored=True)),
    "by codes, rescored": RankingRequest(**PLAIN, use=CodeUse(64, rescored=True, oversampling=2.0)),
    "some fields": RankingRequest(**PLAIN, fields=("number", "source")),
    "all fields, and the vector": RankingRequest(**PLAIN, fields=True, vectors=("dense",)),
    "a filter": RankingRequest(**PLAIN, where=WHERE),
    "some points": RankingRequest(**PLAIN, among=(3, 9, 27)),
    "some points and a filter": RankingRequest(**PLAIN, among=(3, 9, 27), where=WHERE),
    "a ranking of another's points": RankingRequest(
        query=ROWS[5].tolist(), using="dense", first=RankingRequest(**PLAIN), limit=3
    ),
    "a sparse vector": RankingRequest(query=SPARSE, using="sparse", limit=9),
    "vectors of tokens": RankingRequest(query=ROWS[:2].tolist(), using="tokens", limit=5),
}


@pytest.fixture
def filled(folder_engine):
    """Return the engine of a folder with one collection; the others are asked as clients are."""
    engine = folder_engine
    several = models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM)
    dense = models.VectorParams(size=DIM, distance=models.Distance.COSINE)
    engine.create_collection(
        NAME,
        {"dense": dense, "tokens": dense.model_copy(update={"multivector_config": several})},
        sparse_vectors_config={"sparse": models.SparseVectorParams()},
        metadata={"of": "the harbor"},
    )
    text = models.TextIndexParams(type=models.TextIndexType.TEXT, scoring=True)
    engine.create_payload_index(NAME, "words", text)
    engine.upsert(NAME, [point(number) for number in range(COUNT)])
    return engine


def point(number):
    terms = models.SparseVector(indices=[number % 4, 5 + number % 3], values=[1.0 + number / 64, 0.25])
    vectors = {"dense": ROWS[number].tolist(), "tokens": ROWS[number : number + 1].tolist(), "sparse": terms}
    payload = {"number": number, "words": f"crane {number} of pier {number % 5}"}
    return models.PointStruct(id=number, vector=vectors, payload=payload | ({"source": "a.md"} if number % 2 else {}))


def told(found):
    """Return points as equal ones are: scores to five digits."""
    return [
        (
            one.id,
            float(f"{one.score:.5g}"),
            one.payload or None,
            one.vector and np.round(one.vector["dense"], 6).tolist(),
        )
        for one in found
    ]


@pytest.mark.parametrize("kind", REQUESTS)
def test_rankings_are_those_of_a_client(filled, kind):
    asked = [REQUESTS[kind], REQUESTS["a vector"]]
    assert list(map(told, filled.rank(NAME, asked))) == list(map(told, Engine.rank(filled, NAME, asked)))
    assert filled.rank(NAME, []) == []
    if kind == "some points and a filter":
        assert {one.id for one in filled.rank(NAME, asked)[0]} == {9, 27}


def test_words_rank_as_a_client_has_them_ranked(filled):
    asked = [RankingRequest(query=RankedWords("pier 3 crane", k, b), using="words") for k, b in ((1.6, 0.75), (0, 0))]
    found = filled.rank(NAME, asked)
    assert list(map(told, found)) == list(map(told, Engine.rank(filled, NAME, asked)))
    assert found[0][0].id == 3


@pytest.mark.parametrize("fields", [True, False, ["number"], ["number", "nothing"]])
def test_payloads_are_those_of_a_client(filled, fields):
    ids = [4, 1, COUNT + 1]
    assert filled.payloads(NAME, ids, fields=fields) == Engine.payloads(filled, NAME, ids, fields=fields)
    assert filled.payloads(NAME, ids).keys() == {4, 1}


@pytest.mark.parametrize(("ids", "expected"), [((), 20), ((3, 4), 21)])
def test_what_lacks_a_field_is_counted(filled, ids, expected):
    assert filled.count_lacking(NAME, ("source", "number"), ids) == expected
    assert Engine.count_lacking(filled, NAME, ("source", "number"), ids) == expected


def test_names_and_numbers_are_those_of_a_client(filled):
    alias = models.CreateAliasOperation(create_alias=models.CreateAlias(collection_name=NAME, alias_name="lifting"))
    filled.update_collection_aliases([alias])
    assert filled.collection_names() == Engine.collection_names(filled) == [NAME]
    assert filled.alias_targets() == Engine.alias_targets(filled) == {"lifting": NAME}
    assert filled.count_points("lifting") == Engine.count_points(filled, "lifting") == COUNT


def test_facts_are_those_of_a_client(filled):
    own, asked = filled.collection_facts(NAME), Engine.collection_facts(filled, NAME)
    assert (own.metadata, own.sparse_vectors) == (asked.metadata, asked.sparse_vectors) == (
        {"of": "the harbor"}, frozenset({"sparse"}),
    )  # fmt: skip
    assert (own.indexed, own.most_indexes) == (asked.indexed, asked.most_indexes)


def test_what_is_not_there_is_said(filled):
    for ask in (
        lambda: filled.rank("nowhere", [REQUESTS["a vector"]]),
        lambda: filled.payloads("nowhere", [1]),
        lambda: filled.collection_facts("nowhere"),
        lambda: filled.count_lacking("nowhere", ("source",)),
    ):
        with pytest.raises(CollectionNotFoundError):
            ask()
    with pytest.raises(StoreError):
        filled.rank(NAME, [RankingRequest(query=[float("nan")] * DIM, using="dense")])
    with pytest.raises(StoreError):
        filled.rank(NAME, [RankingRequest(query=[1.0, 2.0], using="dense")])


def test_a_folder_is_searched_without_its_client(tmp_path):
    with Collection.open("cranes", at=tmp_path, recipe=Recipe(model="hashing")) as docs:
        docs.ingest([Document(text="The crane is inspected every Tuesday.", source="a.md")])
    code = f"""
import sys
from qdrant_embed import Collection
with Collection.open("cranes", at={str(tmp_path)!r}) as docs:
    for mode in ("hybrid", "rrf", "dense", "bm25"):
        assert docs.search("when is it inspected?", mode=mode)[0].source == "a.md"
heavy = {{"qdrant_client", "pydantic", "grpc", "httpx", "torch", "transformers"}}
print(heavy & sys.modules.keys() or "light")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "light"
