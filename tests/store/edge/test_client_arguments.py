"""What stores written for `QdrantClient` hand over and ask for."""

import pytest
from qdrant_client import models

from qdrant_embed.errors import CollectionNotFoundError, UnsupportedByEngineError
from qdrant_embed.testing.conformance.engine_cases import (
    BM25,
    COUNT,
    DENSE,
    NAME,
    dense_query,
    load,
    point_id,
    sample_points,
    sparse_query,
)

PARAMS = models.VectorParams(size=2, distance=models.Distance.DOT)

CALLS = {
    "create_collection": (
        lambda engine, **more: engine.create_collection("c", PARAMS, **more),
        {"shard_number": 2, "sharding_method": models.ShardingMethod.CUSTOM, "replication_factor": 2,
         "write_consistency_factor": 2, "on_disk_payload": True, "timeout": 3,
         "wal_config": models.WalConfigDiff(wal_capacity_mb=1)},
    ),
    "query_points": (
        lambda engine, **more: engine.query_points(NAME, dense_query(), using=DENSE, **more),
        {"consistency": 2, "shard_key_selector": "a", "timeout": 3,
         "lookup_from": models.LookupLocation(collection="x")},
    ),
    "query_points_groups": (
        lambda engine, **more: engine.query_points_groups(NAME, "source", dense_query(), using=DENSE, **more),
        {"consistency": 2, "with_lookup": "other"},
    ),
    "scroll": (lambda engine, **more: engine.scroll(NAME, **more), {"consistency": 1, "shard_key_selector": "a"}),
    "retrieve": (lambda engine, **more: engine.retrieve(NAME, [1], **more), {"consistency": 1}),
    "count": (lambda engine, **more: engine.count(NAME, **more), {"shard_key_selector": "a", "timeout": 3}),
    "facet": (lambda engine, **more: engine.facet(NAME, "source", **more), {"consistency": 1}),
    "upsert": (
        lambda engine, **more: engine.upsert(NAME, sample_points(), **more),
        {"ordering": models.WriteOrdering.WEAK, "shard_key_selector": "a", "update_filter": models.Filter()},
    ),
    "upload_points": (
        lambda engine, **more: engine.upload_points(NAME, sample_points(), **more),
        {"shard_key_selector": "a", "method": "spawn"},
    ),
    "delete": (lambda engine, **more: engine.delete(NAME, [1], **more), {"ordering": models.WriteOrdering.WEAK}),
    "set_payload": (lambda engine, **more: engine.set_payload(NAME, {"a": 1}, [point_id(0)], **more), {"key": "a"}),
    "delete_collection": (lambda engine, **more: engine.delete_collection("c", **more), {"timeout": 3}),
}  # fmt: skip


@pytest.mark.parametrize("method", CALLS)
def test_arguments_of_a_transport_are_taken_as_none_and_refused_otherwise(folder_engine, method):
    load(folder_engine)
    call, meaningless = CALLS[method]
    for name, value in meaningless.items():
        with pytest.raises(UnsupportedByEngineError, match=name):
            call(folder_engine, **{name: value})
    assert not folder_engine.collection_exists("c")
    call(folder_engine, **dict.fromkeys(meaningless))
    with pytest.raises(TypeError, match="no_such_argument"):
        call(folder_engine, no_such_argument=None)


def test_points_are_uploaded_from_any_iterable(folder_engine):
    load(folder_engine, "other")
    folder_engine.delete("other", models.Filter())
    given = iter(sample_points())
    assert folder_engine.upload_points("other", given, batch_size=7, parallel=2, max_retries=1, wait=True) is None
    assert folder_engine.count("other").count == COUNT
    with pytest.raises(CollectionNotFoundError):
        folder_engine.upload_points("nowhere", sample_points())


@pytest.fixture
def both(folder_engine, memory_engine):
    load(folder_engine)
    load(memory_engine)
    return folder_engine, memory_engine.client


PREFIX = models.Filter(must=[models.FieldCondition(key="source", match=models.MatchPrefix(prefix="guide"))])
GROUPED = {
    "text": {"group_by": "source", "query": dense_query(), "using": DENSE},
    "number": {"group_by": "number", "query": dense_query(), "using": DENSE, "limit": 4, "group_size": 1},
    "lists": {"group_by": "tags", "query": dense_query(), "using": DENSE, "group_size": 20},
    "inside": {"group_by": "parts[].kind", "query": dense_query(), "using": DENSE, "limit": 3, "group_size": 2},
    "nothing there": {"group_by": "nowhere", "query": dense_query(), "using": DENSE},
    "no text and no number": {"group_by": "place", "query": dense_query(), "using": DENSE},
    "sparse": {"group_by": "source", "query": sparse_query(), "using": BM25, "limit": 3},
    "filtered": {"group_by": "source", "query": dense_query(), "using": DENSE, "query_filter": PREFIX, "limit": 30},
    "above a score": {"group_by": "source", "query": dense_query(), "using": DENSE, "score_threshold": 0.4},
    "payload and vectors": {
        "group_by": "source", "query": dense_query(), "using": DENSE, "with_payload": ["number"],
        "with_vectors": [DENSE],
    },
    "no payload": {"group_by": "source", "query": dense_query(), "using": DENSE, "with_payload": False},
    "all of a prefetch": {
        "group_by": "source",
        "prefetch": models.Prefetch(query=sparse_query(), using=BM25, limit=COUNT),
        "query": dense_query(),
        "using": DENSE,
    },
}  # fmt: skip


@pytest.mark.parametrize("kind", GROUPED)
def test_hits_are_grouped_as_qdrant_client_does(both, kind):
    mine, theirs = (engine.query_points_groups(NAME, **GROUPED[kind]).groups for engine in both)
    assert [group.id for group in mine] == [group.id for group in theirs]
    for one, other in zip(mine, theirs, strict=True):
        assert [(hit.id, hit.payload) for hit in one.hits] == [(hit.id, hit.payload) for hit in other.hits]
        assert [hit.score for hit in one.hits] == pytest.approx([hit.score for hit in other.hits], rel=1e-4)
        assert [hit.vector and set(hit.vector) for hit in one.hits] == [
            hit.vector and set(hit.vector) for hit in other.hits
        ]


def test_an_empty_collection_has_no_groups(folder_engine):
    folder_engine.create_collection("c", PARAMS)
    assert folder_engine.query_points_groups("c", "source", [1.0, 2.0]).groups == []
