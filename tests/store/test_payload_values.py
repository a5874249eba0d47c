"""Values are checked with every engine (`testing.conformance.engine_values`); here, what else may arrive."""

import dataclasses
import enum
import time
from collections import UserDict, deque
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from qdrant_embed import Collection, Document, Recipe
from qdrant_embed.errors import StoreError
from qdrant_embed.store.payload_values import json_payload


def form(value):
    return json_payload({"metadata": {"f": value}})["metadata"]["f"]


@dataclasses.dataclass
class Person:
    name: str
    friends: list


class Size(enum.IntEnum):
    LARGE = 3


class Sparse:
    """Stands for torch's sparse tensors, which have the method of the dense ones."""

    def tolist(self):
        raise RuntimeError("no storage")


class OfArrays:
    """Stands for what torch and pandas give."""

    def tolist(self):
        return [1.5, None]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (Person("Ann", [Person("Bo", [])]), {"name": "Ann", "friends": [{"name": "Bo", "friends": []}]}),
        (Size.LARGE, 3),
        ({Size.LARGE: 1}, {"3": 1}),
        (OfArrays(), [1.5, None]),
        (UserDict(a=1), {"a": 1}),
        (deque([1]), [1]),
        ({"a": 1}.keys(), ["a"]),
        ({"a": 1}.values(), [1]),
        (np.datetime64("2026-05-01T10:00"), "2026-05-01T10:00:00"),
        (np.datetime64("2026-05-01T10:00:00.123456789"), "2026-05-01T10:00:00.123456"),
        (np.datetime64("NaT"), None),
        (np.timedelta64(90, "s"), "PT1M30S"),
        (np.str_("s"), "s"),
        (Decimal(2**60 + 1), 2**60 + 1),
        (Decimal("NaN"), None),
        (Fraction(1, 4), 0.25),
        (memoryview(b"ab"), "ab"),
    ],
)
def test_values_of_other_libraries_get_their_plain_form(given, wanted):
    found = form(given)
    assert (found, type(found)) == (wanted, type(wanted))


def test_pandas_values():
    pandas = pytest.importorskip("pandas")
    assert form(pandas.Timestamp("2026-05-01")) == "2026-05-01T00:00:00"
    assert form([pandas.NaT, pandas.NA]) == [None, None]
    assert form(pandas.Series([1, 2])) == [1, 2]
    row = pandas.DataFrame({"n": [1, 2], "x": [0.5, None]}).to_dict("records")[1]
    assert form(row) == {"n": 2, "x": None}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"a": [0, {"b": float("inf")}]}, r"'metadata\.f\.a\[1\]\.b' cannot be stored: it is inf"),
        (Decimal("0.1234567890123456789"), "more digits"),
        (Decimal("1e400"), "more digits"),
        (Fraction(1, 3), "more digits"),
        (1j, "of type complex"),
        (Sparse(), "Sparse, which has no form in JSON"),
        ((number for number in [1]), "of type generator"),
        ({1.5: 1}, r"'metadata\.f\.1\.5' cannot be stored: it is a key of type float"),
        (2**70, "64 bits cannot hold"),
        (np.datetime64("300000-01-01"), "Python has no date for"),
        (np.timedelta64(2**62, "D"), "Python has no date for"),
    ],
)
def test_what_has_no_form_is_refused_with_its_field(given, says):
    with pytest.raises(StoreError, match=says):
        form(given)


def test_lists_that_share_their_parts_end():
    shared = [1]
    for _ in range(100):
        shared = [shared, shared]
    started = time.monotonic()
    with pytest.raises(StoreError, match="holds more than"):
        form(shared)
    assert time.monotonic() - started < 30


def test_the_order_of_a_set_is_always_the_same():
    assert form({"b", "a", 3, 1}) == form({1, "a", 3, "b"}) == [1, 3, "a", "b"]


def test_a_document_that_cannot_be_stored_is_listed_and_the_others_are_stored(at):
    circle = {}
    circle["boss"] = circle
    deep = {}
    inner = deep
    for _ in range(400):
        inner["a"] = {}
        inner = inner["a"]
    bad = {"circle": circle, "deep": {"x": deep}, "huge": {"n": 2**80}, "inf": {"n": float("inf")}, "no key": {None: 1}}
    documents = [Document(text=f"words {name}", source=name, metadata=value) for name, value in bad.items()]
    good = [Document(text=f"good {number}", source=f"good-{number}", metadata={"n": number}) for number in range(3)]
    with Collection.open("c", at=at, recipe=Recipe(model="hashing")) as docs:
        report = docs.ingest([good[0], *documents, *good[1:]])
        assert {failure.source for failure in report.failed} == set(bad)
        assert all("'metadata." in failure.reason for failure in report.failed)
        assert {document.source for document in docs.documents()} == {document.source for document in good}
        assert docs.ingest(good).embedded == 0


def test_metadata_of_any_type_is_unchanged_when_ingested_again(at):
    metadata = {"n": np.int64(1), "t": np.datetime64("2026-01-01"), "s": {"x", "y"}, "d": Decimal("1.5"), "k": {1: "x"}}
    document = Document(text="words", source="a", metadata=metadata, modified=np.datetime64("2026-01-01"))
    with Collection.open("c", at=at, recipe=Recipe(model="hashing")) as docs:
        docs.ingest([document])
        again = docs.ingest([document])
        assert (again.embedded, again.reused, again.deleted) == (0, 1, 0)
        later = Document(text="words", source="a", metadata=metadata, modified=np.datetime64("2026-01-02"))
        assert docs.ingest([later]).reused == 1
        assert docs.documents()[0].modified.startswith("2026-01-02")


@pytest.fixture(params=["folder", "memory"])
def at(request, tmp_path):
    """Return a location."""
    return tmp_path / "q" if request.param == "folder" else ":memory:"
