from tests.support.server_stand_in import StandIn


def test_without_a_name_all_collections_are_listed(cli, pages, ingested):
    cli("ingest", pages / "notes", "--collection", "fish", "--model", "hashing")
    listed = cli("info", "--json").json["collections"]
    assert [(found["name"], found["model"]) for found in listed] == [("documents", "hashing"), ("fish", "hashing")]
    assert listed[0]["chunks"] == ingested["chunks"]
    page = cli("info").out
    assert "documents" in page
    assert "fish" in page


def test_one_collection_says_how_it_was_made(cli, ingested):
    found = cli("info", "--collection", "documents", "--json").json
    assert found["recipe"]["model"] == "hashing"
    assert (found["documents"], found["chunks"], found["roots"]) == (4, ingested["chunks"], ["harbour"])
    page = cli("info", "-c", "documents").out
    assert "harbour" in page
    assert found["fingerprint"] in page
    assert max(map(len, page.splitlines())) <= 80


def test_what_failed_is_told_with_reasons_until_it_is_read(cli, pages, ingested):
    assert "nothing failed" in cli("info", "--failed").err
    (pages / "bad[red].pdf").write_bytes(b"%PDF-1.4 nothing follows")
    assert cli("ingest", pages, "--model", "hashing").code == 3
    assert cli("info", "-c", "documents", "--json").json["failed"] == 1
    assert "--failed" in cli("info", "-c", "documents").out
    answer = cli("info", "--failed")
    assert "bad[red].pdf" in answer.out
    assert "1 failure: 1 unreadable" in answer.err
    (one,) = cli("info", "-c", "documents", "--failed", "--json").json["collections"]
    assert (one["name"], one["failed"]["listed"][0]["kind"]) == ("documents", "unreadable")


def test_how_a_server_keeps_a_collection_is_typed_and_told(cli, pages):
    words = ("--collection", "kept", "--model", "hashing", "--shards", 3, "--replicas", 2, "--payload-in-memory")
    with StandIn("1.18.3") as server:
        assert cli("ingest", pages, "--at", server.url, *words, "--dry-run").code == 0
        assert not server.collections.stored
        assert [cli("ingest", pages, "--at", server.url, *words).code for _ in range(2)] == [0, 0]
        assert "shards=3, replicas=2" in cli("info", "-c", "kept", "--at", server.url).out
        answer = cli("ingest", pages, "--at", server.url, "--collection", "kept", "--shards", 4)
    told = " ".join(answer.err.split())
    assert (answer.code, "has --shards 3, not --shards 4; such options" in told) == (1, True)


def test_an_empty_place_says_what_to_type(cli):
    answer = cli("info", "--at", ":memory:")
    assert answer.code == 0
    assert "qdrant-embed ingest PATH" in answer.err


def test_collections_of_others_are_listed_as_such(cli, tmp_path, ingested):
    from qdrant_client import models

    from qdrant_embed.store.location import open_engine

    engine = open_engine(tmp_path / "qdrant_data")
    try:
        engine.create_collection(
            collection_name="foreign", vectors_config={"v": models.VectorParams(size=2, distance=models.Distance.DOT)}
        )
    finally:
        engine.close()
    assert "not made by qdrant-embed" in cli("info").out
    assert {found["name"]: found["model"] for found in cli("info", "--json").json["collections"]}["foreign"] is None
