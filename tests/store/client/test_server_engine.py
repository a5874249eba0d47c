"""A server with limits answers as one without: what one request may not have is asked for in several."""

import itertools

import pytest
from qdrant_client import models

from qdrant_embed.errors import LimitError
from qdrant_embed.store.location import open_engine
from qdrant_embed.testing.conformance.engines import CHECKS, assert_same_answers
from tests.support.server_limits import RefusedError
from tests.support.server_stand_in import StandIn

TIGHT = {
    "max_query_limit": 4,
    "search_allow_exact": False,
    "search_max_hnsw_ef": 4,
    "search_max_oversampling": 1.0,
    "search_max_batchsize": 2,
    "upsert_max_batchsize": 7,
    "condition_max_size": 2,
}


@pytest.fixture
def server():
    with StandIn("1.19.0") as server:
        yield server


def limit(server, **limits):
    """Let every collection that is made have limits."""

    def add(asked):
        if asked.method == "PUT" and asked.path.count("/") == 2:
            asked.body["strict_mode_config"] = {"enabled": True, **limits}

    server.before.append(add)


@pytest.mark.filterwarnings("ignore::qdrant_embed.errors.LimitWarning")
@pytest.mark.parametrize(
    "check",
    [check for check in CHECKS if "random" not in check.__name__],
    ids=lambda check: check.__name__.removeprefix("check_"),
)
def test_conformance_within_tight_limits(server, check):
    limit(server, **TIGHT)
    engine = open_engine(server.url)
    check(engine)
    engine.close()


@pytest.mark.filterwarnings("ignore::qdrant_embed.errors.LimitWarning")
def test_answers_are_those_of_a_folder(server, folder_engine):
    limit(server, **{**TIGHT, "max_query_limit": 20})
    engine = open_engine(server.url)
    assert_same_answers(folder_engine, engine)
    engine.close()


def test_points_that_are_known_are_ranked_by_vectors_without_a_graph(server):
    limit(server, search_allow_exact=False, condition_max_size=3)
    engine = open_engine(server.url)
    flat = models.VectorParams(size=2, distance=models.Distance.EUCLID, hnsw_config=models.HnswConfigDiff(m=0))
    engine.create_collection("flat", {"v": flat})
    engine.upsert("flat", [models.PointStruct(id=n, vector={"v": [float(n), 0.0]}) for n in range(9)])
    ids = models.Filter(must=[models.HasIdCondition(has_id=[8, 1, 3, 5, 4, 6, 2])])
    request = models.QueryRequest(query=[0.0, 0.0], using="v", filter=ids, limit=5, offset=1)
    (answer,) = engine.query_batch_points("flat", [request])
    assert [(point.id, point.score) for point in answer.points] == [(2, 2.0), (3, 3.0), (4, 4.0), (5, 5.0), (6, 6.0)]
    with pytest.raises(LimitError, match="search_allow_exact=false"):
        engine.query_points("flat", [0.0, 0.0], using="v")
    engine.close()


def test_a_write_that_no_minute_allows_goes_point_by_point(server, monkeypatch):
    monkeypatch.setattr("qdrant_embed.store.client.persistence.pause", lambda _: None)
    server.clock = itertools.count(step=60).__next__
    limit(server, write_rate_limit=4, read_rate_limit=20)
    engine = open_engine(server.url)
    engine.create_collection("c", {"v": models.VectorParams(size=1, distance=models.Distance.DOT)})
    points = [models.PointStruct(id=n, vector={"v": [1.0]}, payload={"even": n % 2 == 0}) for n in range(40)]
    engine.upsert("c", points)
    assert len(engine.retrieve("c", range(40))) == 40

    def refuse(asked):
        if asked.path.endswith(("/delete", "/payload")) and "filter" in asked.body:
            said = (
                "Write rate limit exceeded, request larger than rate limiter capacity, please try to split your request"
            )
            raise RefusedError(429, f"Rate limiting exceeded: {said}")

    server.before.append(refuse)
    even = models.Filter(must=[models.FieldCondition(key="even", match=models.MatchValue(value=True))])
    engine.set_payload("c", {"seen": 1}, points=even)
    seen = [record.id for record in engine.scroll("c", limit=100)[0] if "seen" in record.payload]
    assert seen == list(range(0, 40, 2))
    engine.delete("c", even)
    assert engine.count("c").count == 20
    engine.close()
