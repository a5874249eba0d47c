"""A server that misbehaves: nothing is lost, errors say what to type, and the API key is never printed."""

import logging
import threading
import time
import traceback
from contextlib import contextmanager

import numpy as np
import pytest
from qdrant_client import QdrantClient, models

from qdrant_embed.errors import CollectionNotFoundError, ConfigurationError, StoreError
from qdrant_embed.store.client.engine import ClientEngine
from qdrant_embed.store.client.errors import Retries
from qdrant_embed.store.location import open_engine
from tests.store.rest_server import FakeServer, cut, hang, refuse

KEY = "k3y-that-nobody-may-see"
QUICK = Retries(attempts=4, first_wait=0.01, longest_wait=2.0)


@pytest.fixture
def server():
    server = FakeServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@contextmanager
def engine_of(server, *, timeout=30, retries=QUICK):
    client = QdrantClient(url=server.url, timeout=timeout, check_compatibility=False)
    engine = ClientEngine(client, place=server.url, secret=KEY, retries=retries)
    yield engine
    engine.close()


def points(count, **payload):
    return [
        models.PointStruct.model_construct(id=number, vector={"v": np.float32([1, number])}, payload=payload)
        for number in range(count)
    ]


@pytest.mark.parametrize(
    "faults",
    [
        [refuse(503)],
        [refuse(500), refuse(502), refuse(503)],
        [cut],
        [cut, refuse(503), cut],
        [refuse(429)],
        [refuse(429, headers=[("Retry-After", "soon")])],
    ],
    ids=["503", "5xx", "cut", "mixed", "429", "429 with words"],
)
def test_points_arrive_all_the_same(server, faults):
    server.faults = list(faults)
    with engine_of(server) as engine:
        engine.upsert("c", points(5))
    assert server.points.keys() == set(range(5))
    assert server.points[3]["vector"] == {"v": [1.0, 3.0]}
    assert server.faults == []


def test_the_server_says_when_to_come_back(server):
    server.faults = [refuse(429, headers=[("Retry-After", "1")])]
    started = time.monotonic()
    with engine_of(server) as engine:
        engine.upsert("c", points(1))
    assert time.monotonic() - started >= 1.0
    assert len(server.points) == 1


def test_a_server_that_wants_too_long_a_pause_is_given_up(server):
    server.faults = [refuse(429, headers=[("Retry-After", "3600")])]
    with engine_of(server) as engine, pytest.raises(StoreError, match=r"3600 s.*try again later"):
        engine.upsert("c", points(1))


def test_a_server_that_hangs_is_asked_again(server):
    server.faults = [hang]
    with engine_of(server, timeout=1) as engine:
        assert engine.query_points("c", [1.0, 2.0], using="v").points[0].score == 0.5


def test_too_large_a_request_is_halved(server):
    server.largest_body = 2000
    with engine_of(server) as engine:
        engine.upsert("c", points(50, text="x" * 100))
    assert server.points.keys() == set(range(50))
    assert len(server.sizes) > 4


def test_a_single_point_that_is_too_large_is_told(server):
    server.largest_body = 500
    with engine_of(server) as engine, pytest.raises(StoreError, match="max_request_size_mb"):
        engine.upsert("c", [*points(3), *points(1, text="x" * 1000)])


@pytest.mark.parametrize(("enabled", "sizes"), [(True, [16, 16, 8]), (False, [40])])
def test_strict_mode_sets_the_size_of_a_request(server, enabled, sizes):
    server.strict = {"enabled": enabled, "upsert_max_batchsize": 16}
    with engine_of(server) as engine:
        engine.upsert("c", points(40))
    assert server.sizes == sizes


def test_large_vectors_are_sent_in_portions(server):
    vector = np.zeros(100_000, np.float32)
    many = [models.PointStruct.model_construct(id=n, vector={"v": vector}, payload=None) for n in range(10)]
    with engine_of(server) as engine:
        engine.upsert("c", many)
    assert server.sizes == [7, 3]


@pytest.mark.parametrize(
    ("fault", "kind", "message"),
    [
        (refuse(401, "Must provide an API key"), StoreError, "Must provide an API key.*QDRANT_API_KEY"),
        (refuse(403, "Forbidden"), StoreError, "HTTP 403.*QDRANT_API_KEY"),
        (refuse(404, "Not found: Collection `c` doesn't exist!"), CollectionNotFoundError, "no collection 'c' at http"),
        (refuse(404, "page not found"), StoreError, "Check the URL"),
        (refuse(400, "Wrong input: Vector dimension error"), StoreError, "Vector dimension error"),
        (refuse(500, "disk is full"), StoreError, "disk is full.*look at its log"),
        (cut, StoreError, "connection was cut"),
    ],
)
def test_errors_say_what_to_do(server, fault, kind, message):
    server.faults = [fault] * QUICK.attempts
    with engine_of(server) as engine, pytest.raises(StoreError, match=message) as caught:
        engine.query_points("c", [1.0, 2.0], using="v")
    assert type(caught.value) is kind


def test_what_cannot_help_is_not_repeated(server):
    server.faults = [refuse(400), refuse(400)]
    with engine_of(server) as engine, pytest.raises(StoreError):
        engine.query_points("c", [1.0, 2.0], using="v")
    assert len(server.faults) == 1


def test_making_a_collection_is_not_repeated_once_it_may_have_been_made(server):
    server.faults = [cut, refuse(429, headers=[("Retry-After", "0")])]
    vectors = {"v": models.VectorParams(size=2, distance=models.Distance.DOT)}
    with engine_of(server) as engine:
        with pytest.raises(StoreError, match="cut"):
            engine.create_collection("c", vectors)
        assert engine.create_collection("c", vectors)


def test_an_answer_that_is_not_qdrants_is_told(server):
    server.faults = [lambda handler: handler.reply(200, "<html>")] * 50
    with engine_of(server) as engine, pytest.raises(StoreError, match="is no Qdrant server"):
        engine.query_points("c", [1.0, 2.0], using="v")


def test_a_server_that_is_not_there_is_told_at_once(server, monkeypatch):
    monkeypatch.setenv("QDRANT_GRPC_PORT", "0")
    url = server.url
    server.server_close()
    with pytest.raises(StoreError, match=r"no connection.*docker run"):
        open_engine(url)


def test_opening_a_url(server, monkeypatch):
    monkeypatch.setenv("QDRANT_API_KEY", KEY)
    engine = open_engine(server.url + "/")
    assert server.calls[0] == "GET /"
    engine.upsert("c", points(2))
    assert server.keys == {KEY}
    assert repr(engine) == f"ClientEngine('{server.url}')"
    engine.close()
    with pytest.raises(StoreError, match="has been closed"):
        engine.count("c")


@pytest.mark.parametrize("port", ["x", "-1", "70000"])
def test_a_grpc_port_that_is_none_is_refused(server, monkeypatch, port):
    monkeypatch.setenv("QDRANT_GRPC_PORT", port)
    with pytest.raises(ConfigurationError, match="QDRANT_GRPC_PORT"):
        open_engine(server.url)


def test_a_chosen_grpc_port_is_used(server, monkeypatch):
    monkeypatch.setenv("QDRANT_GRPC_PORT", "1")
    with pytest.raises(StoreError, match=r"gRPC UNAVAILABLE"):
        open_engine(server.url)


def test_the_key_is_never_printed(server, monkeypatch, caplog):
    monkeypatch.setenv("QDRANT_API_KEY", KEY)
    caplog.set_level(logging.DEBUG)
    engine = open_engine(server.url)
    server.faults = [refuse(400, f"the key {KEY} is odd"), refuse(403, KEY)]
    for _ in range(2):
        with pytest.raises(StoreError) as caught:
            engine.query_points("c", [1.0, 2.0], using="v")
        assert "***" in str(caught.value)
        assert KEY not in "".join(traceback.format_exception(caught.value))
    assert KEY not in repr(engine) + str(vars(engine).keys()) + caplog.text
    engine.close()


def test_a_bulk_load_ends_with_indexing(server):
    server.optimizers["indexing_threshold"] = 0
    server.statuses = ["green", "yellow", "green"]
    with engine_of(server) as engine:
        engine.finish_bulk_load("c")
    assert server.optimizers["indexing_threshold"] == 10_000
    assert server.statuses == ["green"]


def test_a_missing_collection_is_told_before_points_are_sent(server):
    with engine_of(server) as engine, pytest.raises(CollectionNotFoundError):
        engine.upsert("nowhere", points(1))
    assert server.points == {}


def test_other_attributes_are_not_forwarded(server):
    with engine_of(server) as engine, pytest.raises(AttributeError, match="recreate_collection"):
        engine.recreate_collection("c")


def test_vectors_of_tokens_travel_as_lists_and_the_largest_point_decides_the_portion(server, monkeypatch):
    given = [
        models.PointStruct.model_construct(
            id=number,
            vector={
                "multivector": np.full((rows, 4), 0.5, np.float32),
                "sparse": models.SparseVector.model_construct(indices=[3, 7], values=[0.5, 2.0]),
            },
            payload={},
        )
        for number, rows in enumerate((1, 2, 900, 1))
    ]
    monkeypatch.setattr("qdrant_embed.store.client.portions.REQUEST_BYTES", 2 * (4096 + 3600 * 24))
    with engine_of(server) as engine:
        engine.upsert("c", given)
    assert server.sizes == [2, 2]
    assert server.points[2]["vector"]["multivector"] == [[0.5] * 4] * 900
    assert server.points[0]["vector"]["sparse"] == {"indices": [3, 7], "values": [0.5, 2.0]}
