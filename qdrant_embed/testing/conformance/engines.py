"""Conformance suite for engines: what every `Engine` must do, and whether two of them answer alike.

    from qdrant_embed.store import open_engine
    from qdrant_embed.testing import assert_same_answers, check_engine

    check_engine(mine)                          # every check, on a location of its own
    assert_same_answers(mine, open_engine(":memory:"))

Each check makes the collection `conformance` anew and asserts; `CHECKS` has them one by one.
"""
# ruff: noqa: S101  (asserting is what this module is for)

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from qdrant_client import models

from qdrant_embed.errors import CollectionNotFoundError, StoreError
from qdrant_embed.store.engine import Engine
from qdrant_embed.store.filters import answerable
from qdrant_embed.testing.conformance import engine_values, engine_vectors
from qdrant_embed.testing.conformance.engine_cases import (
    BM25,
    COUNT,
    DENSE,
    NAME,
    TOKENS,
    dense_query,
    document_id,
    filters,
    load,
    point_id,
    queries,
    refused,
    sample_points,
)

Ranking = Sequence[tuple[str, float]]


def check_engine(engine: Engine) -> None:
    """Run every check.

    :raises AssertionError: One of them found something; its message says what.
    """
    for check in CHECKS:
        check(engine)


def check_writing_twice(engine: Engine) -> None:
    """Check that points written again are replaced, whole, and that the collection does not grow."""
    load(engine)
    before = _everything(engine)
    engine.upsert(NAME, sample_points())
    engine.upsert(NAME, [])
    assert engine.count(NAME).count == COUNT, "points are missing, or there are too many"
    assert _everything(engine) == before, "writing the same points again changed something"
    bare = models.PointStruct(id=point_id(0), vector={DENSE: dense_query()}, payload={"number": -1})
    engine.upsert(NAME, [bare])
    found = engine.retrieve(NAME, [point_id(0)], with_vectors=True)[0]
    assert found.payload == {"number": -1}, "an upsert must replace the payload, not merge into it"
    assert set(found.vector or ()) == {DENSE}, "an upsert must replace all vectors of the point"
    assert engine.count(NAME).count == COUNT


def check_vectors_come_back(engine: Engine) -> None:
    """Check that vectors are stored as given (cosine ones normalized), in every form."""
    load(engine)
    given = sample_points()[7]
    found = _vectors(engine.retrieve(NAME, [given.id], with_vectors=True)[0])
    wanted: Any = given.vector
    assert np.allclose(found[DENSE], wanted[DENSE] / np.linalg.norm(wanted[DENSE]), atol=1e-6), "dense vector"
    assert np.allclose(found[TOKENS], wanted[TOKENS], atol=1e-6), "multi-vector"
    sparse, terms = found[BM25], wanted[BM25]
    assert isinstance(sparse, models.SparseVector), "sparse vector"
    left = dict(zip(sparse.indices, sparse.values, strict=True))
    right = dict(zip(terms.indices, terms.values, strict=True))
    assert left.keys() == right.keys(), "sparse vector"
    assert all(abs(left[key] - right[key]) < 1e-6 for key in left), "sparse vector"
    only = engine.retrieve(NAME, [given.id], with_payload=["number"], with_vectors=[DENSE])[0]
    assert (only.payload, set(_vectors(only))) == ({"number": 7}, {DENSE}), "choosing fields and vectors"


def check_retrieving(engine: Engine) -> None:
    """Check that points are found by id, and ids that are not there left out."""
    load(engine)
    wanted = [point_id(number) for number in (5, 2, 41)]
    found = engine.retrieve(NAME, [*wanted, point_id(COUNT + 1)], with_payload=False)
    assert sorted(str(record.id) for record in found) == sorted(wanted)
    (answer,) = engine.query_batch_points(NAME, [models.QueryRequest(query=dense_query(), using=DENSE, limit=3)])
    scrolled, _ = engine.scroll(NAME, limit=3, with_payload=False)
    listed: list[Any] = [*found, *scrolled, *answer.points]
    bare = [point.payload for point in listed]
    assert bare == [None] * len(bare), "a payload that was not asked for is None, and not empty"
    assert engine.retrieve(NAME, []) == []


def check_deleting(engine: Engine) -> None:
    """Check that points go by id and by filter, and that what is not there is no error."""
    load(engine)
    engine.delete(NAME, [point_id(1), point_id(COUNT + 1)])
    engine.delete(NAME, models.PointIdsList(points=[point_id(2)]))
    assert engine.count(NAME).count == COUNT - 2
    engine.delete(NAME, filters()["uuid"])
    engine.delete(NAME, models.FilterSelector(filter=filters()["any integer"]))
    left = {str(record.id) for record in _pages(engine, 7)}
    gone = {point_id(number) for number in (1, 2, 10, 11, 12, 13, 14, 59)}
    assert left == {point_id(number) for number in range(COUNT)} - gone


def check_setting_payload(engine: Engine) -> None:
    """Check that some payload fields are set and the others stay."""
    load(engine)
    engine.set_payload(NAME, {"seen": True}, points=[point_id(3)])
    engine.set_payload(NAME, {"seen": False, "number": 1000}, points=filters()["keyword"])
    record = engine.retrieve(NAME, [point_id(3)])[0]
    assert record.payload is not None
    assert record.payload["seen"] is True
    assert record.payload["number"] == 3
    changed = models.Filter(must=[models.FieldCondition(key="number", match=models.MatchValue(value=1000))])
    assert engine.count(NAME, changed).count == engine.count(NAME, filters()["keyword"]).count == 3


def check_paging(engine: Engine) -> None:
    """Check that pages of any size give every point once, in the order of ids."""
    load(engine)
    whole = [str(record.id) for record in _pages(engine, COUNT)]
    assert whole == sorted(point_id(number) for number in range(COUNT))
    assert [str(record.id) for record in _pages(engine, 7)] == whole
    ordered, offset = engine.scroll(
        NAME, filters()["bool"], order_by=models.OrderBy(key="number", direction=models.Direction.DESC), limit=4
    )
    assert [str(record.id) for record in ordered] == [point_id(number) for number in (57, 54, 51, 48)]
    assert offset is None, "an ordered page has no offset"


def check_facets(engine: Engine) -> None:
    """Check that each document is counted with its points, however many there are."""
    load(engine)
    hits = engine.facet(NAME, "document", limit=10_000, exact=True).hits
    assert {str(hit.value): hit.count for hit in hits} == {document_id(5 * number): 5 for number in range(COUNT // 5)}
    few = engine.facet(NAME, "source", filters()["uuid"], limit=1, exact=True).hits
    assert [(hit.value, hit.count) for hit in few] == [("notes/page-2.md", 3)]


def check_describing(engine: Engine) -> None:
    """Check that configuration, counts and metadata are told, and metadata merged by its top-level keys."""
    load(engine)
    info = engine.get_collection(NAME)
    assert info.points_count == COUNT
    assert isinstance(info.config.params.vectors, dict)
    assert info.config.params.vectors[DENSE].distance == models.Distance.COSINE
    assert info.config.params.sparse_vectors is not None
    assert info.config.params.sparse_vectors[BM25].modifier == models.Modifier.IDF
    assert info.config.metadata == {"made_by": {"suite": NAME}, "version": 1}
    engine.update_collection(NAME, metadata={"version": 2, "new": ["a"]})
    assert engine.get_collection(NAME).config.metadata == {"made_by": {"suite": NAME}, "version": 2, "new": ["a"]}
    assert NAME in {found.name for found in engine.get_collections().collections}


def check_aliases(engine: Engine) -> None:
    """Check that an alias answers like its collection, and moves to another in one step."""
    other, alias = f"{NAME}-2", f"{NAME}-alias"
    load(engine)
    load(engine, other)
    engine.delete(other, [point_id(0)])
    create = models.CreateAlias(collection_name=NAME, alias_name=alias)
    engine.update_collection_aliases([models.CreateAliasOperation(create_alias=create)])
    assert engine.collection_exists(alias)
    assert engine.count(alias).count == COUNT
    swap: list[models.DeleteAliasOperation | models.CreateAliasOperation] = [
        models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name=alias)),
        models.CreateAliasOperation(create_alias=create.model_copy(update={"collection_name": other})),
    ]
    engine.update_collection_aliases(swap)
    assert engine.count(alias).count == COUNT - 1
    assert [found.alias_name for found in engine.get_collection_aliases(other).aliases] == [alias]
    lost = create.model_copy(update={"collection_name": "nowhere"})
    with refused(StoreError, "an alias of a collection that is missing"):
        engine.update_collection_aliases([swap[1], models.CreateAliasOperation(create_alias=lost)])
    assert [found.alias_name for found in engine.get_aliases().aliases] == [alias], "an alias is lost"
    engine.delete_collection(other)
    assert not engine.collection_exists(alias), "the alias of a removed collection is left"


def check_errors(engine: Engine) -> None:
    """Check that what is missing or wrong is told by this library's own errors."""
    load(engine)
    asked: list[Callable[[], Any]] = [
        lambda: engine.count("nowhere"),
        lambda: engine.upsert("nowhere", sample_points()[:1]),
        lambda: engine.query_points("nowhere", dense_query(), using=DENSE),
        lambda: engine.get_collection("nowhere"),
    ]
    for ask in asked:
        with refused(CollectionNotFoundError, "a name that is missing"):
            ask()
    with refused(StoreError, "a name that is taken"):
        engine.create_collection(NAME, models.VectorParams(size=2, distance=models.Distance.DOT))
    with refused(StoreError, "a question of another size"):
        engine.query_points(NAME, [1.0, 2.0], using=DENSE)
    with refused(StoreError, "a vector of no such name"):
        engine.query_points(NAME, dense_query(), using="no such vector")
    with refused(StoreError, "an id that is no UUID"):
        engine.upsert(NAME, [models.PointStruct(id="not-a-uuid", vector={DENSE: dense_query()})])
    assert not engine.delete_collection("nowhere")
    assert not engine.collection_exists("nowhere")
    assert engine.count(NAME).count == COUNT


CHECKS: tuple[Callable[[Engine], None], ...] = (
    check_writing_twice,
    check_vectors_come_back,
    check_retrieving,
    check_deleting,
    check_setting_payload,
    check_paging,
    check_facets,
    check_describing,
    check_aliases,
    check_errors,
    *engine_values.CHECKS,
    *engine_vectors.CHECKS,
)


def assert_same_answers(left: Engine, right: Engine, *, tolerance: float = 1e-5) -> None:
    """Load both engines with the same points and compare what they answer to every filter and query.

    Filters are put into conditions that the engines have, as collections do it.

    :raises AssertionError: They differ; the message lists every difference.
    """
    load(left)
    load(right)
    problems = []
    for name, condition in filters().items():
        first, second = (sorted(_ids(engine, condition)) for engine in (left, right))
        if first != second:
            problems.append(f"filter {name!r}: {len(first)} points against {len(second)}")
        if left.count(NAME, answerable(left, NAME, condition)).count != len(first):
            problems.append(f"filter {name!r}: count and scroll disagree")
    for name, asked in queries().items():
        one, two = (_ranking(engine, **asked) for engine in (left, right))
        problems += [f"query {name!r}: {problem}" for problem in _differences(one, two, tolerance)]
    assert not problems, "\n".join(problems)


def _differences(left: Ranking, right: Ranking, tolerance: float) -> Iterator[str]:
    """Compare two rankings; equal scores may stand in any order, and the last of them may be cut off anywhere."""
    if len(left) != len(right):
        yield f"{len(left)} hits against {len(right)}"
        return
    for place, ((_, one), (_, two)) in enumerate(zip(left, right, strict=True)):
        if abs(one - two) > tolerance * max(1.0, abs(one)):
            yield f"score {one} against {two} at place {place}"
            return
    last = left[-1][1] if left else 0.0
    for ranking, other in ((left, dict(right)), (right, dict(left))):
        for found, score in ranking:
            if found not in other and abs(score - last) > tolerance:
                yield f"{found} with score {score} is missing on one side"


def _ranking(engine: Engine, query_filter: models.Filter | None = None, **asked: Any) -> Ranking:
    found = engine.query_points(NAME, query_filter=answerable(engine, NAME, query_filter), **asked).points
    return [(str(point.id), point.score) for point in found]


def _ids(engine: Engine, condition: models.Filter) -> list[str]:
    where = answerable(engine, NAME, condition)
    return [str(record.id) for record in engine.scroll(NAME, where, limit=COUNT, with_payload=False)[0]]


def _pages(engine: Engine, size: int) -> Iterator[models.Record]:
    offset: Any = None
    while True:
        records, offset = engine.scroll(NAME, limit=size, offset=offset, with_vectors=[DENSE])
        yield from records
        if offset is None:
            return


def _everything(engine: Engine) -> list[Any]:
    pages = _pages(engine, COUNT)
    return [(record.id, record.payload, np.round(_vectors(record)[DENSE], 5).tolist()) for record in pages]


def _vectors(record: models.Record) -> dict[str, Any]:
    assert isinstance(record.vector, dict), "named vectors must come back by name"
    return dict(record.vector)
