"""Shards and replicas: said when a collection is made, shown, kept by copies, and refused where there is no server."""

import pytest

from qdrant_embed import Collection, Document, Recipe, ServerOptions
from qdrant_embed.errors import ConfigurationError, UnsupportedByEngineError
from tests.support.server_stand_in import StandIn

WANTED = ServerOptions(shards=3, replicas=2, write_consistency=2, payload_on_disk=False)
KEPT = {"shards": 3, "replicas": 2, "write_consistency": 2, "payload_on_disk": False}


@pytest.fixture
def server():
    with StandIn("1.18.3") as server:
        yield server


def made(at, server=None, **more):
    return Collection.open("harbour", at=at, recipe=Recipe(model="hashing"), server=server, **more)


def test_a_collection_is_made_as_its_operator_wants_it_and_stays_so(server):
    with made(server.url, WANTED) as docs:
        docs.ingest([Document(text="Crane four lifts twelve tons.", source="a.md")])
        assert docs.info()["server"] == KEPT
        with Collection.open("other", at=server.url, recipe=docs.recipe) as other:
            assert other.info()["fingerprint"] == docs.info()["fingerprint"]
        assert not docs.recompress("float16").in_place
        assert docs.info()["server"] == KEPT


def test_what_is_left_to_the_server_is(server):
    with made(server.url) as docs:
        assert docs.info()["server"] == {"shards": 1, "replicas": 1, "write_consistency": 1, "payload_on_disk": True}


def test_one_that_exists_is_opened_with_the_same_only(server):
    made(server.url, WANTED).close()
    for same in (WANTED, ServerOptions(shards=3), ServerOptions(), None):
        made(server.url, same).close()
        Collection.open("harbour", at=server.url, server=same).close()
    said = r"'harbour' has shards=3, replicas=2, not shards=4, replicas=1; .*PATCH /collections/harbour--1 with"
    for recipe in (None, Recipe(model="hashing")):
        with pytest.raises(ConfigurationError, match=said):
            Collection.open("harbour", at=server.url, recipe=recipe, server=ServerOptions(shards=4, replicas=1))


@pytest.mark.parametrize("at", [":memory:", "folder"])
def test_where_there_is_no_server_nothing_is_made(at, tmp_path):
    at = tmp_path / "q" if at == "folder" else at
    with pytest.raises(UnsupportedByEngineError, match=r"shards=3: such options are a server's, .* Leave them out"):
        made(at, ServerOptions(shards=3))
    with made(at, ServerOptions()) as docs:
        assert "server" not in docs.info()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"shards": 0}, "shards=0 must be a whole number from 1 on"),
        ({"replicas": 2.0}, "replicas=2.0 must be"),
        ({"write_consistency": True}, "write_consistency=True must be"),
        ({"payload_on_disk": 1}, "payload_on_disk=1 must be True, False or None"),
        ({"replicas": 2, "write_consistency": 3}, "give write_consistency=2 at most"),
        ({"sharding": "custom", "shard_keys": ["a"]}, r"shard_keys=\['a'\]: only 'auto' can be had"),
        ({"shard_keys": ["a"]}, "Keep tenants apart by"),
    ],
)
def test_what_makes_no_sense_is_refused(options, said):
    with pytest.raises(ConfigurationError, match=said):
        ServerOptions(**options)


def test_another_type_is_refused(server):
    with pytest.raises(ConfigurationError, match="server"):
        made(server.url, {"shards": 3})
