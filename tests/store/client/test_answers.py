"""Answers are the same whichever way they came."""

import pytest
from qdrant_client import QdrantClient

from qdrant_embed.store.location import open_engine
from qdrant_embed.testing.conformance.engines import check_retrieving


@pytest.fixture
def by_grpc(monkeypatch):
    """Return an engine whose client gives an empty payload where none was asked for, as it does through gRPC."""
    client = QdrantClient(":memory:")

    def emptied(method):
        ask = getattr(client, method)

        def asking(*given, **named):
            found = ask(*given, **named)
            listed = found[0] if method == "scroll" else found
            for point in (point for one in listed for point in getattr(one, "points", [one])):
                point.payload = point.payload or {}
            return found

        return asking

    for method in ("retrieve", "scroll", "query_batch_points"):
        monkeypatch.setattr(client, method, emptied(method))
    return open_engine(client)


def test_a_payload_that_was_not_asked_for_is_none(by_grpc):
    check_retrieving(by_grpc)
    assert by_grpc.client.scroll("conformance", limit=1, with_payload=False)[0][0].payload == {}
