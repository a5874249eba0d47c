"""Values between processes come out as they went in."""

import json
from datetime import UTC, date, datetime
from uuid import UUID

import numpy as np
import pytest
from qdrant_client import models
from qdrant_client.http.models import QueryResponse

from qdrant_embed.errors import LimitError, LocationLockedError, StoreError
from qdrant_embed.store.sharing.wire_values import BrokenFrameError, Packer, Unpacker


def there_and_back(value):
    packer = Packer()
    text = json.dumps(packer.pack(value))
    return Unpacker(bytearray(b"".join(packer.parts))).unpack(json.loads(text))


FILTER = models.Filter(
    must=[
        models.FieldCondition(key="n", range=models.DatetimeRange(gte=datetime(2026, 1, 1, tzinfo=UTC))),
        models.FieldCondition(key="m", match=models.MatchExcept(**{"except": ["a"]})),
        models.HasIdCondition(has_id=[1, UUID(int=7), str(UUID(int=8))]),
    ],
    must_not=[models.Filter(should=[models.IsEmptyCondition(is_empty=models.PayloadField(key="$x"))])],
)


@pytest.mark.parametrize("value", [
    None, True, 2**64 - 1, -1.5, float("inf"), "ü\ud800 $model", [], [1.0] * 20, list(range(20)), [2**64 - 1] * 20,
    [True] * 20, [1, 2.0] * 10, {"$model": 1}, {"a": {"$dict": []}}, {1: "a"}, (1, "b"), b"bytes", UUID(int=5),
    date(2026, 1, 2), datetime(2026, 1, 2, 3, tzinfo=UTC), models.Distance.COSINE, FILTER,
    models.SparseVector(indices=[1, 5], values=[0.5, 1.5]),
    models.Prefetch(query=[0.5] * 9, using="v", prefetch=[models.Prefetch(query=models.RrfQuery(rrf=models.Rrf(k=3)))]),
    QueryResponse(points=[models.ScoredPoint(id=1, version=0, score=0.5, payload={"$model": ["x"]}, vector=[1.0])]),
    models.Record(id=1, payload={"$bytes": 1}, vector={"v": [[0.5] * 9] * 3}),
], ids=lambda value: type(value).__name__)  # fmt: skip
def test_a_value_is_the_same(value):
    found = there_and_back(value)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("array", [
    np.arange(6, dtype=np.float32).reshape(2, 3).T, np.ones(3, np.float16), np.zeros((0, 4)), np.array([True]),
], ids=str)  # fmt: skip
def test_an_array_is_the_same(array):
    found = there_and_back([b"x", array])[1]
    assert found.dtype == array.dtype
    assert np.array_equal(found, array)


def test_what_is_like_a_list_becomes_one():
    assert there_and_back({1: "a"}.keys()) == [1]
    assert there_and_back(number for number in range(3)) == [0, 1, 2]
    assert there_and_back(np.array(["a"])) == ["a"]
    assert there_and_back(np.int64(4)) == 4


@pytest.mark.parametrize("error", [LocationLockedError("held", 7), LimitError("too many", "max"), ValueError("no")])
def test_an_error_is_the_same(error):
    found = there_and_back(error)
    assert (type(found), str(found), vars(found)) == (type(error), str(error), vars(error))


def test_an_error_of_another_kind_names_it():
    assert str(there_and_back(KeyError("x"))) == "the process that holds the folder failed: KeyError: 'x'"
    assert type(there_and_back(OSError("x"))) is StoreError


def test_what_has_no_form_is_refused():
    with pytest.raises(StoreError, match="object cannot be sent"):
        there_and_back(object())


@pytest.mark.parametrize("form", [
    {"$model": ["BaseModel", {}]}, {"$model": ["Distance", {}]}, {"$enum": ["Filter", 1]}, {"$array": ["<f4", [9], 0]},
    {"$array": ["O", [1], 0]}, {"$numbers": ["d", -1, 0]}, {"$bytes": [1, -1]}, {"$exec": "x"}, {"$uuid": "x"},
])  # fmt: skip
def test_what_is_no_form_of_a_value_is_refused(form):
    with pytest.raises((BrokenFrameError, KeyError, TypeError, ValueError)):
        Unpacker(bytearray(8)).unpack(form)
