"""The same through gRPC: points travel whole, faults are sorted, and the port is found."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from urllib.parse import urlsplit

import grpc
import numpy as np
import pytest
from qdrant_client import grpc as wire
from qdrant_client import models
from qdrant_client.grpc import collections_service_pb2_grpc, points_service_pb2_grpc, qdrant_pb2_grpc

from qdrant_embed.errors import AccessDeniedError, CollectionNotFoundError, StoreError, UnsupportedByEngineError
from qdrant_embed.servers.patience import patient
from qdrant_embed.store.client import grpc as grpc_port
from qdrant_embed.store.client.persistence import Retries
from qdrant_embed.store.location import open_engine

KEY = "k3y-that-nobody-may-see"


class Points(points_service_pb2_grpc.PointsServicer):
    def __init__(self):
        self.faults, self.points, self.keys = [], [], set()

    def Upsert(self, request, context):  # noqa: N802
        self.keys.add(dict(context.invocation_metadata()).get("api-key"))
        if self.faults:
            status, detail, trailing = self.faults.pop(0)
            context.set_trailing_metadata(trailing)
            context.abort(status, detail)
        self.points += request.points
        done = wire.UpdateResult(operation_id=1, status=wire.UpdateStatus.Completed)
        return wire.PointsOperationResponse(result=done)


class Collections(collections_service_pb2_grpc.CollectionsServicer):
    def Get(self, request, context):  # noqa: N802
        info = wire.CollectionInfo(status=wire.CollectionStatus.Green, optimizer_status=wire.OptimizerStatus(ok=True))
        vectors = wire.VectorsConfig(params=wire.VectorParams(size=2, distance=wire.Distance.Dot))
        info.config.params.CopyFrom(wire.CollectionParams(vectors_config=vectors))
        info.config.hnsw_config.CopyFrom(wire.HnswConfigDiff(m=16, ef_construct=100, full_scan_threshold=10_000))
        info.config.wal_config.CopyFrom(wire.WalConfigDiff(wal_capacity_mb=32, wal_segments_ahead=0))
        info.config.optimizer_config.CopyFrom(wire.OptimizersConfigDiff(default_segment_number=0, flush_interval_sec=5))
        return wire.GetCollectionInfoResponse(result=info)


class Health(qdrant_pb2_grpc.QdrantServicer):
    def HealthCheck(self, request, context):  # noqa: N802
        return wire.HealthCheckReply(title="qdrant", version="1.16.0")


@pytest.fixture
def server():
    pool, points = ThreadPoolExecutor(4), Points()

    def start(port):
        server = grpc.server(pool)
        points_service_pb2_grpc.add_PointsServicer_to_server(points, server)
        collections_service_pb2_grpc.add_CollectionsServicer_to_server(Collections(), server)
        qdrant_pb2_grpc.add_QdrantServicer_to_server(Health(), server)
        points.port = server.add_insecure_port(f"127.0.0.1:{port}")
        server.start()
        points.start, points.stop = partial(start, points.port), lambda: server.stop(None).wait()

    start(0)
    yield points
    points.stop()
    pool.shutdown()


@pytest.fixture
def engine(server, monkeypatch):
    monkeypatch.setenv("QDRANT_GRPC_PORT", str(server.port))
    monkeypatch.setenv("QDRANT_API_KEY", KEY)
    engine = open_engine("http://127.0.0.1:6333")
    engine._persistence.retries = Retries(attempts=3, first_wait=0.01, longest_wait=2.0)
    yield engine
    engine.close()


POINT = models.PointStruct.model_construct(
    id="5f0e0000-0000-0000-0000-000000000000",
    vector={
        "dense": np.float32([0.5, 1.5]),
        "bm25": models.SparseVector.model_construct(indices=[7, 9], values=[1.0, 2.0]),
    },
    payload={"text": "x", "page": 3, "headings": ["a"], "metadata": {"n": None}},
)


def fault(status, detail="no", trailing=()):
    return status, detail, trailing


def test_a_point_travels_whole(engine, server):
    engine.upsert("c", [POINT])
    (point,) = server.points
    named = point.vectors.vectors.vectors
    assert point.id.uuid == POINT.id
    assert list(named["dense"].dense.data) == [0.5, 1.5]
    assert (list(named["bm25"].sparse.indices), list(named["bm25"].sparse.values)) == ([7, 9], [1.0, 2.0])
    assert point.payload["page"].integer_value == 3
    assert server.keys == {KEY}


@pytest.mark.parametrize(
    "faults",
    [
        [fault(grpc.StatusCode.UNAVAILABLE)],
        [fault(grpc.StatusCode.RESOURCE_EXHAUSTED, "rate limit", [("retry-after", "1")])],
        [fault(grpc.StatusCode.RESOURCE_EXHAUSTED), fault(grpc.StatusCode.INTERNAL)],
    ],
    ids=["unavailable", "come back later", "mixed"],
)
def test_points_arrive_all_the_same(engine, server, faults):
    server.faults = faults
    engine.upsert("c", [POINT])
    assert len(server.points) == 1


def test_a_server_that_went_away_is_found_soon_after_it_is_back(engine, server):
    engine.upsert("c", [POINT])
    server.stop()
    back = []
    timer = threading.Timer(2.0, lambda: (server.start(), back.append(time.monotonic())))
    timer.start()
    with patient(60.0):
        engine.upsert("c", [POINT])
    assert time.monotonic() - back[0] < 4.0, "two seconds, and some for a machine that is busy"
    assert len(server.points) == 2
    assert engine.client._client._grpc_options.items() >= grpc_port.CHANNEL.items()
    timer.join()


def test_too_large_a_message_is_halved(engine, server):
    server.faults = [fault(grpc.StatusCode.OUT_OF_RANGE, "Error, decoded message length too large: found 9 bytes")]
    engine.upsert("c", [POINT] * 5)
    assert len(server.points) == 5


@pytest.mark.parametrize(
    ("status", "detail", "kind", "message"),
    [
        (grpc.StatusCode.UNAUTHENTICATED, "no key", AccessDeniedError, "QDRANT_API_KEY"),
        (grpc.StatusCode.PERMISSION_DENIED, f"bad {KEY}", AccessDeniedError, r"bad \*\*\*.*QDRANT_API_KEY"),
        (grpc.StatusCode.NOT_FOUND, "Not found: Collection `c` doesn't exist!", CollectionNotFoundError, "'c'"),
        (grpc.StatusCode.INVALID_ARGUMENT, "wrong dimension", StoreError, "wrong dimension"),
        (grpc.StatusCode.UNIMPLEMENTED, "old", UnsupportedByEngineError, "old"),
    ],
)
def test_errors_say_what_to_do(engine, server, status, detail, kind, message):
    server.faults = [fault(status, detail)]
    with pytest.raises(StoreError, match=message) as caught:
        engine.upsert("c", [POINT])
    assert type(caught.value) is kind
    assert server.faults == []


@pytest.mark.parametrize(
    ("url", "found"), [("http://127.0.0.1", True), ("http://127.0.0.1:6333", True), ("http://127.0.0.1:80", False),
                       ("http://127.0.0.1/proxied", False), ("https://127.0.0.1", False)]
)  # fmt: skip
def test_the_port_is_found_where_a_server_answers(server, monkeypatch, url, found):
    monkeypatch.delenv("QDRANT_GRPC_PORT", raising=False)
    monkeypatch.setattr(grpc_port, "GRPC_PORT", server.port)
    monkeypatch.setattr(grpc_port, "PATIENCE", 0.5)
    assert grpc_port.find_grpc_port(urlsplit(url)) == (server.port if found else None)


def test_a_port_that_is_silent_is_not_used(monkeypatch):
    monkeypatch.delenv("QDRANT_GRPC_PORT", raising=False)
    monkeypatch.setattr(grpc_port, "GRPC_PORT", 1)
    assert grpc_port.find_grpc_port(urlsplit("http://127.0.0.1:6333")) is None
