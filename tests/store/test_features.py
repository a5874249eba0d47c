"""Which server has what: the table, the refusal of what is too old, and what recorded servers answered."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from qdrant_client import QdrantClient

from qdrant_embed import Collection, Recipe, diagnose
from qdrant_embed.errors import UnsupportedByEngineError
from qdrant_embed.servers.features import FEATURES, OLDEST, lacked_by_server, require_supported
from qdrant_embed.store.client.engine import ClientEngine
from qdrant_embed.store.location import open_engine
from tests.support.server_stand_in import StandIn


class Counted:
    """A client that only tells its version, and counts how often."""

    def __init__(self, version, *, grpc=False):
        self.version, self.calls = version, 0
        self._client = SimpleNamespace(_prefer_grpc=grpc)

    def info(self):
        self.calls += 1
        return SimpleNamespace(version=self.version)


# As servers of both versions answered (docs/reference/servers.md).
@pytest.mark.parametrize(
    ("version", "grpc", "lacked"),
    [
        ("1.18.3", False, {"prefix match", "slices", "stored turbo4", "idf over a filter", "word match"}),
        ("1.18.3", True, {"prefix match", "stored turbo4", "idf over a filter", "word match"}),
        ("1.19.0", False, {"word match"}),
        ("1.19.1", False, set()),
        ("1.20.0", True, set()),
        ("nightly", False, set()),
    ],
)
def test_what_servers_were_seen_to_lack(version, grpc, lacked):
    newest = {"text ranking", "stored turbo8", "stored turbo16", "turboquant of 8 bits", "substring match"}
    expected = lacked | (newest if version.startswith(("1.18", "1.19")) else set())
    assert {feature for feature in FEATURES if lacked_by_server(feature, version, grpc=grpc)} == expected


def test_a_transport_is_told_where_it_matters():
    assert lacked_by_server("slices", "1.18.3", grpc=False) == (
        "slices came with Qdrant 1.19 (through gRPC 1.18); this server is 1.18.3, and spoken to without gRPC"
    )


def test_a_server_is_asked_for_its_version_once():
    client = Counted("1.18.3", grpc=True)
    engine = ClientEngine(client, place="there")
    assert [bool(engine.lacks(feature)) for feature in ("prefix match", "slices", "turboquant")] == [True, False, False]
    assert (engine.described, client.calls) == ("Qdrant 1.18.3, through gRPC", 1)


@pytest.mark.parametrize("version", ["1.15.5", "1.9.2", "0.11.1-dev"])
def test_what_is_too_old_is_refused_with_both_versions(version):
    with pytest.raises(UnsupportedByEngineError, match=rf"Qdrant {version}; the oldest that can be used is 1\.16"):
        require_supported(version, "there")


@pytest.mark.parametrize("version", ["1.16.0", "1.18.3", "v1.17.1", "nightly"])
def test_what_is_new_enough_is_not(version):
    require_supported(version, "there")
    assert OLDEST == (1, 16)


def test_a_server_that_is_too_old_is_not_opened():
    for at in (lambda url: url, lambda url: QdrantClient(url=url, check_compatibility=False)):
        with (
            StandIn("1.15.5") as server,
            pytest.raises(UnsupportedByEngineError, match=r"Qdrant 1\.15\.5; the oldest .* 1\.16"),
        ):
            Collection.open("harbour", at=at(server.url), recipe=Recipe(model="hashing"))
        assert server.requests == ["GET /"]


@pytest.mark.parametrize("compression", ["turbo8", "float32+turbo8+rescore2"])
def test_what_cannot_be_stored_is_refused_before_anything_is_made(compression):
    with StandIn("1.18.3") as server:
        with pytest.raises(UnsupportedByEngineError, match="The nearest that can be had here is"):
            Collection.open("harbour", at=server.url, recipe=Recipe(model="hashing", compression=compression))
        with Collection.open("harbour", at=server.url, recipe=Recipe(model="hashing")) as docs:
            made = set(server.collections.stored)
            with pytest.raises(UnsupportedByEngineError, match="The nearest that can be had here is"):
                docs.recompress(compression)
            assert (set(server.collections.stored), docs.recipe.compression) == (made, "float32")


def test_memory_and_folders_have_what_servers_have(tmp_path):
    for at in (":memory:", tmp_path / "q"):
        engine = open_engine(at)
        assert not any(map(engine.lacks, ("prefix match", "slices", "text ranking", "substring match")))
        assert engine.lacks("server options")
        engine.close()


def test_doctor_prints_the_table_for_a_server():
    with StandIn("1.18.3") as server:
        findings = diagnose("hashing", at=server.url).findings
    assert [one.name for one in findings if one.section == "features"] == list(FEATURES)
    found = {one.name: one for one in findings}
    assert found["engine"].detail == "Qdrant 1.18.3, by REST"
    lacking, _, instead = found["prefix match"].detail.partition("; this server is 1.18.3; ")
    assert (lacking, instead) == ("prefix match came with Qdrant 1.19", FEATURES["prefix match"].without)
    assert (found["turboquant"].status, found["stored turbo8"].status) == ("ok", "absent")


def test_the_page_of_servers_holds_the_table():
    page = (Path(__file__).parents[2] / "docs/reference/servers.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| ")][1:]
    assert rows == [f"| {name} | {row.what} | {row.told_since()} | {row.without} |" for name, row in FEATURES.items()]
