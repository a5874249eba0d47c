"""What every engine must take alike, and what it must refuse: payload values, keys, numbers of vectors."""
# ruff: noqa: S101  (asserting is what this module is for)

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

import numpy as np
from qdrant_client import models

from qdrant_embed.errors import StoreError
from qdrant_embed.servers.features import FEATURES
from qdrant_embed.store.engine import Engine
from qdrant_embed.store.filters import Field, to_filter
from qdrant_embed.store.payload_values import MOST_LEVELS
from qdrant_embed.testing.conformance.engine_cases import (
    BM25,
    DENSE,
    DIM,
    NAME,
    TOKENS,
    dense_query,
    load,
    point_id,
    refused,
)


class _Colour(Enum):
    RED = "red"


KEPT: Mapping[str, tuple[Any, Any]] = {
    "numpy integer": (np.int64(5), 5),
    "numpy bool": (np.bool_(1), True),
    "numpy float": (np.float32(0.5), 0.5),
    "numpy array": (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
    "NaN": (math.nan, None),
    "no time": (np.datetime64("NaT", "s"), None),
    "Decimal": (Decimal("1.10"), 1.1),
    "largest integer": (2**64 - 1, 2**64 - 1),
    "smallest integer": (-(2**63), -(2**63)),
    "bytes": ("grün".encode(), "grün"),
    "time": (datetime(2026, 5, 1, tzinfo=UTC), "2026-05-01T00:00:00Z"),
    "date": (date(2026, 5, 1), "2026-05-01"),
    "UUID": (UUID(int=7), str(UUID(int=7))),
    "path": (PurePosixPath("a/b"), "a/b"),
    "enum": (_Colour.RED, "red"),
    "set": ({"b", "a"}, ["a", "b"]),
    "tuple": ((1, "x"), [1, "x"]),
    "range": (range(3), [0, 1, 2]),
    "whole keys": ({1: "one"}, {"1": "one"}),
    "empty key": ({"": 0}, {"": 0}),
    "NUL": ("a\0b", "a\0b"),
}
"""By kind: what is given, and what comes back."""

KEYS = ("team name", "a/b", "dc:title", "@id", "größe", "a.b", "", "x[0]", "it's", "日本", "*")


def nested(levels: int) -> dict[str, Any]:
    """Return dicts and lists inside each other, that many in all."""
    inner: Any = 1
    for level in range(levels - 1):
        inner = [inner] if level % 2 else {"a": inner}
    return {"deep": inner}


def _circle() -> dict[str, Any]:
    circle: dict[str, Any] = {"name": "Ann"}
    circle["knows"] = [circle]
    return circle


REFUSED: Mapping[str, Callable[[], Any]] = {
    "infinity": lambda: math.inf,
    "too large an integer": lambda: 2**64,
    "bytes that are no text": lambda: b"\xff\xfe",
    "half a character": lambda: "a\ud800",
    "no key": lambda: {None: 1},
    "two keys that become one": lambda: {1: "a", "1": "b"},
    "a circle": _circle,
    "too deep": lambda: nested(MOST_LEVELS + 1),
    "no value": object,
}


def check_values_are_kept(engine: Engine) -> None:
    """Check that every kind of value comes back in its JSON form, written by either way."""
    load(engine)
    for kind, (given, wanted) in KEPT.items():
        engine.upsert(NAME, [_point(0, {"kept": {"value": given}})])
        engine.set_payload(NAME, {"set": {"value": given}}, points=[point_id(0)])
        found = engine.retrieve(NAME, [point_id(0)])[0].payload
        assert found == {"kept": {"value": wanted}, "set": {"value": wanted}}, kind
    deepest = nested(MOST_LEVELS)
    engine.upsert(NAME, [_point(0, deepest)])
    assert engine.retrieve(NAME, [point_id(0)])[0].payload == deepest, "deepest"


def check_values_are_refused(engine: Engine) -> None:
    """Check that what has no faithful form is refused with its field, before anything is written."""
    load(engine)
    writes: tuple[Callable[[Any], object], ...] = (
        lambda given: engine.upsert(NAME, [_point(1, {"number": -5}), _point(0, {"field": {"here": given}})]),
        lambda given: engine.set_payload(NAME, {"field": {"here": given}}, points=[point_id(0)]),
    )
    for kind, make in REFUSED.items():
        for write in writes:
            with refused(StoreError, kind, "field"):
                write(make())
        numbers = [found.payload and found.payload.get("number") for found in engine.retrieve(NAME, [point_id(1)])]
        assert numbers == [1], f"{kind}: part of a refused upsert was written"


def check_vectors_are_refused(engine: Engine) -> None:
    """Check that NaN, infinity and lengths that overflow are refused, in points and in queries."""
    load(engine)
    for bad in (math.nan, math.inf, 1e25):
        dense = [*dense_query()[1:], bad]
        sparse = models.SparseVector(indices=[1, 2], values=[1.0, bad])
        for vector in ({DENSE: dense}, {DENSE: np.asarray(dense, np.float32)}, {BM25: sparse}, {TOKENS: [dense]}):
            with refused(StoreError, f"{bad} in a point"):
                engine.upsert(NAME, [_point(0, {}, vector)])
        near = models.Prefetch(query=dense, using=DENSE)
        recommended = models.RecommendQuery(recommend=models.RecommendInput(positive=[dense]))
        asked: list[dict[str, Any]] = [
            {"query": dense, "using": DENSE},
            {"query": models.NearestQuery(nearest=dense), "using": DENSE},
            {"query": sparse, "using": BM25},
            {"query": [dense_query(), dense], "using": TOKENS},
            {"query": recommended, "using": DENSE},
            {"query": models.FusionQuery(fusion=models.Fusion.RRF), "prefetch": [near]},
        ]
        for arguments in asked:
            with refused(StoreError, f"{bad} in a question"):
                engine.query_points(NAME, **arguments)
    engine.upsert(NAME, [_point(0, {}, {DENSE: [0.0] * DIM})])


def check_filters_by_any_key(engine: Engine) -> None:
    """Check that fields of any name are found, and numbers however they were stored."""
    load(engine)
    for key in KEYS:
        engine.upsert(NAME, [_point(0, {"metadata": {key: "here"}})])
        assert Field.of(key).paths, key
        assert _found(engine, {f"metadata.{key}": "here"}) == {point_id(0)}, key
        assert point_id(0) not in _found(engine, {f"metadata.{key}": None}), key
    for stored in (3, 3.0, [1, 3.0]):
        engine.upsert(NAME, [_point(0, {"metadata": {"price": stored}})])
        for wanted in (3, 3.0, [3, 9], {"gte": 3, "lt": 3.5}):
            assert _found(engine, {"price": wanted}) == {point_id(0)}, f"{wanted} for {stored}"
        assert _found(engine, {"price": True}) == set()


def check_attachments(engine: Engine) -> None:
    """Check that a file is kept with a collection, whole and beside its other metadata, and what it tells of itself."""
    load(engine)
    before = dict(engine.stored_metadata(NAME))
    assert engine.load_attachment(NAME) is None
    for data in (bytes(range(256)) * 40, b"", b"\0"):
        engine.save_attachment(NAME, data, {"digest": len(data)})
        assert engine.load_attachment(NAME) == data, "the file that was saved last must come back"
        stored = engine.stored_metadata(NAME)
        assert {key: stored[key] for key in before} == before, "an attachment must leave other metadata alone"
        assert stored["digest"] == len(data)
    assert all(isinstance(engine.lacks(feature), str) for feature in FEATURES)
    assert engine.described, "doctor says by it what answers"
    assert isinstance(engine.shared, bool)
    assert engine.identity, "two engines on the same collections are known by it"
    assert min(engine.disk_sizes(NAME) or (0,)) >= 0


def _found(engine: Engine, plain: dict[str, Any]) -> set[str]:
    return {str(record.id) for record in engine.scroll(NAME, to_filter(plain), limit=1000)[0]}


def _point(number: int, payload: dict[str, Any], vector: Any = None) -> models.PointStruct:
    given = {DENSE: dense_query()} if vector is None else vector
    return models.PointStruct.model_construct(id=point_id(number), vector=given, payload=payload)


CHECKS = (
    check_values_are_kept,
    check_values_are_refused,
    check_vectors_are_refused,
    check_filters_by_any_key,
    check_attachments,
)
