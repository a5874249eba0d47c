"""A server that misbehaves: nothing is lost, errors say what to type, and the API key is never printed."""

import logging
import time
import traceback
from contextlib import contextmanager

import numpy as np
import pytest
from qdrant_client import QdrantClient, models

from qdrant_embed.errors import AccessDeniedError, CollectionNotFoundError, ConfigurationError, StoreError
from qdrant_embed.servers.patience import patient
from qdrant_embed.store.client.persistence import Retries
from qdrant_embed.store.client.server_engine import ServerEngine
from qdrant_embed.store.location import open_engine
from tests.support.server_stand_in import CutError, RefusedError, StandIn

KEY = "k3y-that-nobody-may-see"
QUICK = Retries(attempts=4, first_wait=0.01, longest_wait=2.0)


SETTINGS = {"vectors": {"v": {"size": 2, "distance": "Dot"}}}
CUT = CutError()


@pytest.fixture
def server():
    with StandIn() as server:
        server.collections.create("c", SETTINGS)
        yield server


def refuse(status, error="no", wait=None):
    return RefusedError(status, error, wait)


def hang(_):
    time.sleep(1.5)
    raise CUT


def stored(server, collection="c"):
    """Return the points by id, as the server would tell them."""
    asked = {"limit": 1000, "with_vector": True}
    return {point["id"]: point for point in server.collections.scroll(collection, asked)["points"]}


def sizes_of(server):
    """Return a list that gets the number of points of each upsert."""
    sizes = []
    server.after.append(lambda asked: sizes.append(len(asked.body["points"])) if asked.method == "PUT" else None)
    return sizes


@contextmanager
def engine_of(server, *, timeout=30, retries=QUICK):
    client = QdrantClient(url=server.url, timeout=timeout, check_compatibility=False)
    engine = ServerEngine(client, place=server.url, secret=KEY, retries=retries)
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
        [CUT],
        [CUT, refuse(503), CUT],
        [refuse(429)],
        [refuse(429, wait="soon")],
    ],
    ids=["503", "5xx", "cut", "mixed", "429", "429 with words"],
)
def test_points_arrive_all_the_same(server, faults):
    left = server.fail(*faults)
    with engine_of(server) as engine:
        engine.upsert("c", points(5))
    found = stored(server)
    assert found.keys() == set(range(5))
    assert found[3]["vector"] == {"v": [1.0, 3.0]}
    assert left == []


def test_the_server_says_when_to_come_back(server):
    server.fail(refuse(429, wait=1))
    started = time.monotonic()
    with engine_of(server) as engine:
        engine.upsert("c", points(1))
    assert time.monotonic() - started >= 1.0
    assert len(stored(server)) == 1


def test_a_server_that_wants_too_long_a_pause_is_given_up(server):
    server.fail(refuse(429, wait=3600))
    with engine_of(server) as engine, pytest.raises(StoreError, match=r"3600 s.*try again later"):
        engine.upsert("c", points(1))


def test_a_server_that_hangs_is_asked_again(server):
    server.fail(None, hang)
    with engine_of(server, timeout=1) as engine:
        engine.upsert("c", points(1))
        assert engine.query_points("c", [1.0, 2.0], using="v").points[0].score == 1.0


def test_too_large_a_request_is_halved(server):
    server.largest_request, sizes = 2000, sizes_of(server)
    with engine_of(server) as engine:
        engine.upsert("c", points(50, text="x" * 100))
    assert stored(server).keys() == set(range(50))
    assert len(sizes) > 4


def test_a_single_point_that_is_too_large_is_told(server):
    server.largest_request = 500
    with engine_of(server) as engine, pytest.raises(StoreError, match="max_request_size_mb"):
        engine.upsert("c", [*points(3), *points(1, text="x" * 1000)])


@pytest.mark.parametrize(("enabled", "sizes"), [(True, [16, 16, 8]), (False, [40])])
def test_strict_mode_sets_the_size_of_a_request(server, enabled, sizes):
    server.collections.update("c", {"strict_mode_config": {"enabled": enabled, "upsert_max_batchsize": 16}})
    sent = sizes_of(server)
    with engine_of(server) as engine:
        engine.upsert("c", points(40))
    assert sent == sizes


def test_large_vectors_are_sent_in_portions(server):
    server.collections.create("large", {"vectors": {"v": {"size": 50_000, "distance": "Dot"}}})
    sizes = sizes_of(server)
    vector = np.zeros(50_000, np.float32)
    many = [models.PointStruct.model_construct(id=n, vector={"v": vector}, payload=None) for n in range(17)]
    with engine_of(server) as engine:
        engine.upsert("large", many)
    assert sizes == [15, 2]


@pytest.mark.parametrize(
    ("fault", "kind", "message"),
    [
        (refuse(401, "Must provide an API key"), AccessDeniedError, "Must provide an API key.*QDRANT_API_KEY"),
        (refuse(403, "Forbidden"), AccessDeniedError, "HTTP 403.*QDRANT_API_KEY"),
        (refuse(404, "Not found: Collection `c` doesn't exist!"), CollectionNotFoundError, "no collection 'c' at http"),
        (refuse(404, "page not found"), StoreError, "Check the URL"),
        (refuse(400, "Wrong input: Vector dimension error"), StoreError, "Vector dimension error"),
        (refuse(500, "disk is full"), StoreError, "disk is full.*look at its log"),
        (CUT, StoreError, "connection was cut"),
    ],
)
def test_errors_say_what_to_do(server, fault, kind, message):
    server.fail(*[fault] * 50)
    with engine_of(server) as engine, patient(0.05), pytest.raises(StoreError, match=message) as caught:
        engine.query_points("c", [1.0, 2.0], using="v")
    assert type(caught.value) is kind


def test_what_cannot_help_is_not_repeated(server):
    left = server.fail(refuse(400), refuse(400))
    with engine_of(server) as engine, pytest.raises(StoreError):
        engine.query_points("c", [1.0, 2.0], using="v")
    assert len(left) == 1


def test_making_a_collection_is_not_repeated_once_it_may_have_been_made(server):
    server.fail(CUT, refuse(429, wait=0), path="/new")
    vectors = {"v": models.VectorParams(size=2, distance=models.Distance.DOT)}
    with engine_of(server) as engine:
        with pytest.raises(StoreError, match="cut"):
            engine.create_collection("new", vectors)
        assert engine.create_collection("new", vectors)


def test_an_alias_is_set_again_where_the_answer_was_lost_and_renamed_once(server):
    def lose(asked):
        if asked.path == "/collections/aliases" and not lost:
            lost.append(asked)
            raise CUT

    server.after.append(lose)
    set_, lost = models.CreateAlias(collection_name="c", alias_name="live"), []
    renamed = models.RenameAlias(old_alias_name="live", new_alias_name="old")
    with engine_of(server) as engine:
        assert engine.update_collection_aliases([models.CreateAliasOperation(create_alias=set_)])
        lost.clear()
        with pytest.raises(StoreError, match="cut"):
            engine.update_collection_aliases([models.RenameAliasOperation(rename_alias=renamed)])
    assert server.collections.aliases == {"old": "c"}


def test_an_answer_that_is_not_qdrants_is_told(server):
    server.after.append(lambda asked: asked.answer.update(result="<html>") if "/points" in asked.path else None)
    with engine_of(server) as engine, pytest.raises(StoreError, match="is no Qdrant server"):
        engine.query_points("c", [1.0, 2.0], using="v")


def test_a_server_that_is_not_there_is_told_at_once(server, monkeypatch):
    monkeypatch.setenv("QDRANT_GRPC_PORT", "0")
    url = server.url
    server.stop()
    with pytest.raises(StoreError, match=r"no connection.*docker run"):
        open_engine(url)


def test_opening_a_url(server, monkeypatch):
    monkeypatch.setenv("QDRANT_API_KEY", KEY)
    server.key = KEY
    engine = open_engine(server.url + "/")
    assert server.requests[0] == "GET /"
    engine.upsert("c", points(2))
    assert len(stored(server)) == 2
    assert repr(engine) == f"ServerEngine('{server.url}')"
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
    server.fail(refuse(400, f"the key {KEY} is odd"), refuse(403, KEY))
    for _ in range(2):
        with pytest.raises(StoreError) as caught:
            engine.query_points("c", [1.0, 2.0], using="v")
        assert "***" in str(caught.value)
        assert KEY not in "".join(traceback.format_exception(caught.value))
    assert KEY not in repr(engine) + str(vars(engine).keys()) + caplog.text
    engine.close()


def test_a_bulk_load_ends_with_indexing(server):
    server.collections.update("c", {"optimizers_config": {"indexing_threshold": 0}})
    server.statuses = ["green", "yellow", "green"]
    with engine_of(server) as engine:
        engine.finish_bulk_load("c")
    assert server.statuses == ["green"]
    found = server.collections.info("c", {})
    assert found["config"]["optimizer_config"]["indexing_threshold"] == 10_000


def test_a_missing_collection_is_told_before_points_are_sent(server):
    with engine_of(server) as engine, pytest.raises(CollectionNotFoundError):
        engine.upsert("nowhere", points(1))
    assert not any("points" in asked for asked in server.requests)


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
    vectors = {"multivector": {"size": 4, "distance": "Dot", "multivector_config": {"comparator": "max_sim"}}}
    server.collections.create("tokens", {"vectors": vectors, "sparse_vectors": {"sparse": {}}})
    sizes = sizes_of(server)
    monkeypatch.setattr("qdrant_embed.store.client.portions.REQUEST_BYTES", 2 * (4096 + 3600 * 24))
    with engine_of(server) as engine:
        engine.upsert("tokens", given)
    assert sizes == [2, 2]
    found = stored(server, "tokens")
    assert found[2]["vector"]["multivector"] == [[0.5] * 4] * 900
    assert found[0]["vector"]["sparse"] == {"indices": [3, 7], "values": [0.5, 2.0]}
