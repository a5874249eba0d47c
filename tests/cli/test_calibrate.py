import json

import numpy as np
import pytest

WORDS = [
    "anchor",
    "beam",
    "crane",
    "dock",
    "eel",
    "fish",
    "gate",
    "hull",
    "iron",
    "jetty",
    "keel",
    "lamp",
    "mast",
    "net",
    "oar",
    "pier",
    "quay",
    "rope",
    "sail",
    "tide",
]


@pytest.fixture
def harbour(cli, tmp_path):
    """Ingest 120 short texts."""
    rng = np.random.default_rng(3)
    folder = tmp_path / "texts"
    folder.mkdir()
    for n in range(120):
        (folder / f"{n}.txt").write_text(f"The {' '.join(rng.choice(WORDS, 10))} is at place {n}.\n")
    answer = cli("ingest", folder, "--model", "hashing", "--json")
    assert answer.code == 0, answer.err
    return folder


def test_what_meets_the_target_is_named_written_and_applied(cli, harbour, tmp_path):
    asked = tmp_path / "asked.jsonl"
    lines = [{"text": (harbour / f"{n}.txt").read_text(), "relevant": {f"{n}.txt": 1}} for n in range(5)]
    asked.write_text("\n".join(map(json.dumps, lines)))
    words = ("calibrate", "--queries", asked, "--k", 3, "--setting", "float32", "--setting", "bits", "--out", "report")
    found = cli(*words, "--target-recall", 0.99, "--apply", "--json")
    assert found.code == 0, found.err
    assert found.json["chosen"] in {trial["setting"] for trial in found.json["trials"]}
    assert found.json["ndcg"]["float32"] == 1.0
    assert {path.rsplit(".", 1)[1] for path in found.json["files"]} == {"json", "png", "html"}
    assert cli("info", "--collection", "documents", "--json").json["recipe"]["compression"] == found.json["chosen"]
    table = cli(*words, "--target-recall", 1, "--max-bytes-per-vector", 1)
    assert table.code == 1
    assert "no setting surely reaches recall@3" in table.out
    table = cli(*words, "--target-recall", 1, "--max-disk-bytes-per-vector", 1)
    assert table.code == 1


def test_codes_are_trained_written_and_searched_by(cli, harbour):
    made = cli("train-codes", "--bits", 16, "--model-out", "code.safetensors", "--codes-out", "codes.npy", "--apply",
               "--json")  # fmt: skip
    assert made.code == 0, made.err
    assert made.json["recipe"]["compression"] == "full+bits+learned16+rescore20"
    assert np.load("codes.npy", allow_pickle=False)["code"].shape == (120, 2)
    text = (harbour / "7.txt").read_text()
    assert cli("search", text, "-k", 1, "--mode", "dense", "--json").json["hits"][0]["source"] == "7.txt"


def test_paragraph_vectors_are_a_model_to_ingest_by(cli, harbour):
    made = cli("train-codes", "--kind", "pv-dbow", "--bits", 32, "--model-out", "own", "--codes-out", "own.npy")
    assert made.code == 0, made.err
    assert cli("train-codes", "--kind", "pv-dbow", "--apply").code == 2
    answer = cli("ingest", harbour, "--collection", "by-words", "--model", "own", "--json")
    assert answer.code == 0, answer.err
    text = (harbour / "7.txt").read_text()
    found = cli("search", text, "--collection", "by-words", "-k", 3, "--mode", "dense", "--json").json["hits"]
    assert "7.txt" in {hit["source"] for hit in found}
