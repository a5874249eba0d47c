"""A copy keeps what its owner had set on the collection."""

import pytest
from qdrant_client import models

from qdrant_embed import Document
from qdrant_embed.compression import Compression
from qdrant_embed.store.copies.kept_settings import Settings
from qdrant_embed.store.layout import VectorLayout
from qdrant_embed.types import DENSE, DENSE_SMALL

pytestmark = pytest.mark.anywhere

TEAMS = [
    Document(text=f"Crane {n} lifts {n * 7} tons.", source=f"{n}.txt", metadata={"team": "ab"[n % 2], "size": n})
    for n in range(40)
]


def schema_of(collection):
    return collection.engine.get_collection(collection.name).payload_schema


def test_a_field_that_is_indexed_is_filtered_by(collection):
    collection.ingest(TEAMS)
    collection.index_field("team")
    found = collection.search("crane", k=40, filter={"team": "a"})
    assert {int(hit.source[:-4]) % 2 for hit in found} == {0}


@pytest.mark.folder
def test_indexes_graph_and_entries_of_others_go_with_the_copy(make_collection):
    collection = make_collection()
    collection.ingest(TEAMS)
    collection.index_field("team")
    collection.index_field("size", "integer")
    engine = collection.engine
    engine.update_collection(
        "harbour",
        hnsw_config=models.HnswConfigDiff(m=24),
        vectors_config={DENSE: models.VectorParamsDiff(hnsw_config=models.HnswConfigDiff(ef_construct=250))},
        optimizers_config=models.OptimizersConfigDiff(default_segment_number=3),
        metadata={"owner": {"team": "cranes"}},
    )
    before = schema_of(collection)
    assert {field.split(".")[-1] for field in before} >= {"team", "size", "source"}
    for compression, searched in (("rotate", DENSE), ("128d!+full+rescore8", DENSE_SMALL), ("float16", DENSE)):
        assert not collection.recompress(compression).in_place
        config = engine.get_collection("harbour").config
        assert {field: info.data_type for field, info in schema_of(collection).items()} == {
            field: info.data_type for field, info in before.items()
        }
        assert (config.hnsw_config.m, config.params.vectors[searched].hnsw_config.ef_construct) == (24, 250)
        assert config.optimizer_config.default_segment_number == 3
        assert config.metadata["owner"] == {"team": "cranes"}
    assert len(collection.search("crane", k=40, filter={"team": "a"})) == 20


@pytest.mark.folder
def test_a_graph_that_an_owner_wanted_over_windows_goes_with_the_copy(make_collection):
    collection = make_collection(window="windows:24", chunker="document")
    graph = models.HnswConfigDiff(m=12)
    collection.engine.update_collection("harbour", vectors_config={DENSE: models.VectorParamsDiff(hnsw_config=graph)})
    for compression, degree in (("float16", 12), ("bits", 0)):
        assert not collection.recompress(compression).in_place
        stored = collection.engine.get_collection("harbour").config.params.vectors[DENSE]
        assert stored.hnsw_config.m == degree


@pytest.mark.parametrize(("before", "after"), [("bits", "bits+median"), ("64d!+full+rescore4", "float16")])
def test_a_graph_that_the_layout_leaves_out_is_not_taken_for_a_setting(make_collection, before, after):
    collection = make_collection(compression=before)
    layout = VectorLayout(dim=256, distance="cosine", compression=Compression.parse(before))
    settings = Settings.of(collection.engine, "harbour", layout)
    assert settings.graph is None
    other = VectorLayout(dim=256, distance="cosine", compression=Compression.parse(after))
    given = {"vectors_config": other.vectors(), "optimizers_config": None, "metadata": {}}
    assert settings.added_to(given, other)["vectors_config"] == other.vectors()


def test_what_a_cluster_was_told_is_told_again():
    class Cluster:
        def get_collection(self, _name):
            params = models.CollectionParams(
                vectors={}, shard_number=6, replication_factor=2, write_consistency_factor=2, on_disk_payload=False
            )
            return models.CollectionInfo(
                status="green",
                optimizer_status="ok",
                segments_count=1,
                payload_schema={},
                config=models.CollectionConfig(
                    params=params,
                    hnsw_config=models.HnswConfig(m=16, ef_construct=100, full_scan_threshold=10_000),
                    optimizer_config=models.OptimizersConfig(default_segment_number=0, flush_interval_sec=5),
                    wal_config=models.WalConfig(wal_capacity_mb=64, wal_segments_ahead=0),
                    strict_mode_config=models.StrictModeConfigOutput(enabled=True, max_query_limit=100),
                ),
            )

    layout = VectorLayout(dim=256, distance="cosine")
    found = Settings.of(Cluster(), "harbour", layout)
    given = found.added_to({"vectors_config": layout.vectors(), "optimizers_config": None, "metadata": {}}, layout)
    assert (given["shard_number"], given["replication_factor"], given["write_consistency_factor"]) == (6, 2, 2)
    assert given["on_disk_payload"] is False
    assert given["wal_config"].wal_capacity_mb == 64
    assert (given["strict_mode_config"].enabled, given["strict_mode_config"].max_query_limit) == (True, 100)
