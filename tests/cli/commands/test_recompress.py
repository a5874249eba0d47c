"""`qdrant-embed recompress` and `export-codes`, as they are typed."""

import numpy as np


def recipe_of(cli):
    return cli("info", "--collection", "documents", "--json").json["recipe"]["compression"]


def test_a_collection_is_changed_in_place_or_by_a_copy(cli, ingested):
    switched = cli("recompress", "int8+rescore4")
    assert switched.code == 0, switched.err
    assert "'documents' was 'float32' and is now 'int8+rescore4', in place." in switched.out
    copied = cli("recompress", "center+float16", "--json")
    assert copied.code == 0, copied.err
    assert copied.json == {
        "at": "./qdrant_data",
        "collection": "documents",
        "before": "int8+rescore4",
        "compression": "float16+center",
        "in_place": False,
        "stored_as": copied.json["stored_as"],
    }
    assert copied.json["stored_as"].startswith("documents--")
    assert recipe_of(cli) == "float16+center"
    assert "guide/keys.md" in cli("search", "who rotates the keys?", "--mode", "dense").out


def test_what_was_learned_is_learned_again_on_request(cli, ingested):
    assert cli("recompress", "itq").code == 0
    assert cli("recompress", "itq", "--json").json["in_place"]
    assert not cli("recompress", "itq", "--refit", "--json").json["in_place"]
    refused = cli("recompress", "float16", "--refit")
    assert (refused.code, "learns nothing" in refused.err) == (1, True)


def test_what_cannot_be_is_said_in_one_message(cli, ingested):
    assert cli("recompress", "bits").code == 0
    refused = cli("recompress", "float16")
    assert (refused.code, "does not hold the numbers" in refused.err) == (1, True)
    unknown = cli("recompress", "int9")
    assert (unknown.code, "'int9' is not understood" in unknown.err) == (1, True)
    assert cli("recompress").code == 2
    assert recipe_of(cli) == "bits"


def test_codes_of_any_collection_are_written(cli, ingested):
    written = cli("export-codes", "codes.npy", "--json")
    assert written.code == 0, written.err
    assert written.json == {"at": "./qdrant_data", "collection": "documents", "file": "codes.npy"}
    found = np.load("codes.npy", allow_pickle=False)
    assert (len(found), found["code"].shape[1]) == (ingested["chunks"], 256 // 8)
    refused = cli("export-codes", "codes.csv")
    assert (refused.code, "must end in .npy or .parquet" in refused.err) == (1, True)
