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
