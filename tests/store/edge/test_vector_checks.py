"""What does not fit is refused before the log has it: it would be met again at every opening."""

import numpy as np
import pytest
from qdrant_client import models

from qdrant_embed.errors import StoreError
from qdrant_embed.store.edge import EdgeEngine
from qdrant_embed.store.edge.edge_client import POINTS_PER_UPDATE
from qdrant_embed.testing.conformance.engine_cases import COUNT, DENSE, NAME, load, point_id
from qdrant_embed.testing.conformance.engine_vectors import MISFITS

GOOD = {"a": [1.0, 2.0]}


def point(number, vector, **payload):
    return models.PointStruct.model_construct(id=number, vector=vector, payload=payload)


def reopened(engine):
    engine.close()
    return EdgeEngine(engine.path)


@pytest.fixture
def collection(folder_engine):
    folder_engine.create_collection("c", {"a": models.VectorParams(size=2, distance=models.Distance.DOT)})
    return folder_engine


@pytest.mark.parametrize("kind", MISFITS)
def test_a_misfit_among_good_points_leaves_the_collection_as_it_was(folder_engine, kind):
    load(folder_engine)
    good = {DENSE: np.ones(8, np.float32)}
    points = [point(number, MISFITS[kind] if number == 5 else good) for number in range(10)]
    with pytest.raises(StoreError, match="the point 5 cannot be stored"):
        folder_engine.upsert(NAME, points)
    again = reopened(folder_engine)
    try:
        assert again.count(NAME).count == COUNT
        assert again.retrieve(NAME, list(range(10))) == []
        again.upsert(NAME, [point(1, good)])
        assert again.count(NAME).count == COUNT + 1
    finally:
        again.close()


@pytest.mark.parametrize(
    "bad",
    [
        point(-1, GOOD),
        point("no id", GOOD),
        point(3, {"a": [1.0]}),
        point(3, {"b": [1.0, 2.0]}),
        point(3, GOOD, x=2**70),
    ],
    ids=["negative id", "no id", "too short", "unknown name", "payload"],
)
def test_a_late_misfit_stops_a_large_upsert_before_it_begins(collection, bad):
    points = [point(number, GOOD) for number in range(POINTS_PER_UPDATE + 2)]
    with pytest.raises(StoreError):
        collection.upsert("c", [*points, bad])
    assert collection.count("c").count == 0
    collection.upsert("c", points)
    assert collection.count("c").count == len(points)


def nested(levels):
    condition = models.Filter(must=[models.FieldCondition(key="n", match=models.MatchValue(value=1))])
    for _ in range(levels):
        condition = models.Filter(must=[condition])
    return condition


def test_a_change_by_a_deep_filter_does_not_spoil_the_log(collection):
    collection.upsert("c", [point(number, GOOD, n=number % 2) for number in range(6)])
    for levels in (60, 100, 400):
        with pytest.raises(StoreError, match="deep"):
            collection.delete("c", nested(levels))
        with pytest.raises(StoreError, match="deep"):
            collection.set_payload("c", {"seen": True}, nested(levels))
    collection.set_payload("c", {"seen": True}, nested(40))
    collection.delete("c", nested(40))
    again = reopened(collection)
    try:
        assert sorted(record.id for record in again.scroll("c")[0]) == [0, 2, 4]
        assert again.count("c", nested(60)).count == 0
    finally:
        again.close()


def test_a_change_by_a_malformed_filter_is_refused_in_words(collection):
    wrong = models.Filter(must=[models.FieldCondition(key="a[", match=models.MatchValue(value=1))])
    with pytest.raises(StoreError, match="invalid JSON path"):
        collection.delete("c", wrong)
    with pytest.raises(StoreError, match="invalid JSON path"):
        collection.set_payload("c", {"x": 1}, wrong)


def test_one_vector_serves_as_a_multi_vector_of_one_row(folder_engine):
    load(folder_engine)
    folder_engine.upsert(NAME, [point(point_id(0), {"tokens": [1.0] * 8})])
    assert folder_engine.retrieve(NAME, [point_id(0)], with_vectors=True)[0].vector == {"tokens": [[1.0] * 8]}
