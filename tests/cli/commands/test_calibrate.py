import json
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

from qdrant_embed.cli.app import app
from qdrant_embed.training.learned_codes import STEPS
from tests.calibration.footprints import count_in_a_fork
from tests.compression.samples import WORDS
from tests.copied import copy_collections


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Write 60 short texts and ingest them by the command line, which is done once for all tests."""
    rng = np.random.default_rng(3)
    place = tmp_path_factory.mktemp("harbour")
    folder = place / "texts"
    folder.mkdir()
    for n in range(60):
        (folder / f"{n}.txt").write_text(f"The {' '.join(rng.choice(WORDS, 10))} is at place {n}.\n")
    words = ["ingest", str(folder), "--at", str(place / "qdrant_data"), "--model", "hashing", "--json"]
    answer = CliRunner().invoke(app, words)
    assert answer.exit_code == 0, answer.output
    return place


@pytest.fixture
def harbour(cli, written, tmp_path, monkeypatch):
    """Return a folder of short texts, of which a copy of what was ingested stands in the default place."""
    copy_collections(written / "qdrant_data", tmp_path / "qdrant_data")
    monkeypatch.setattr("qdrant_embed.calibration.calibration_run.DRAWN", 20)
    count_in_a_fork(monkeypatch)
    return written / "texts"


def test_what_meets_the_target_is_named_written_and_applied(cli, harbour, tmp_path):
    asked = tmp_path / "asked.jsonl"
    lines = [{"text": (harbour / f"{n}.txt").read_text(), "relevant": {f"{n}.txt": 1}} for n in range(5)]
    asked.write_text("\n".join(map(json.dumps, lines)))
    words = ("calibrate", "--questions", asked, "--k", 3, "--setting", "float32", "--setting", "bits", "--out", "rep")
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


def test_settings_are_shown_whole_in_a_terminal_of_usual_width(cli, harbour, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    setting = "float16+center+rotate+binary+query8+rescore16"
    shown = cli("calibrate", "--setting", setting, "--target-recall", 0)
    assert setting in "".join(line.split()[0] for line in shown.out.splitlines() if line.strip())
    assert "…" not in shown.out


def test_codes_are_trained_written_and_searched_by(cli, harbour):
    made = cli("train-codes", "--bits", 16, "--model-out", "code.safetensors", "--codes-out", "codes.npy", "--apply",
               "--steps", 60, "--json")  # fmt: skip
    assert made.code == 0, made.err
    assert made.json["recipe"]["compression"] == "full+bits+learned16+rescore20"
    assert "60/60 loss" in made.err
    assert f"[default: {STEPS}]" in cli("train-codes", "--help").out
    assert np.load("codes.npy", allow_pickle=False)["code"].shape == (60, 2)
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


def test_a_code_is_applied_beside_whatever_whole_vectors_are_kept(cli, harbour):
    assert cli("recompress", "float16").code == 0
    made = cli("train-codes", "--bits", 16, "--steps", 30, "--apply", "--rescore", 12.5, "--json")
    assert made.code == 0, made.err
    assert made.json["recipe"]["compression"] == "full+float16+bits+learned16+rescore12.5"
    again = cli("train-codes", "--bits", 16, "--steps", 30, "--apply", "--seed", 1, "--json")
    assert again.json["recipe"]["compression"] == "full+float16+bits+learned16+rescore20"
    text = (harbour / "7.txt").read_text()
    assert cli("search", text, "-k", 1, "--mode", "dense", "--json").json["hits"][0]["source"] == "7.txt"


@pytest.mark.parametrize("compression", ["64d!", "uint8"])
def test_a_code_that_could_not_be_applied_is_not_trained(cli, harbour, monkeypatch, compression):
    assert cli("recompress", compression).code == 0
    monkeypatch.setattr("qdrant_embed.training.collection_codes.train_code", None)
    refused = cli("train-codes", "--bits", 16, "--apply")
    assert refused.code == 1
    assert "does not hold the numbers" in refused.err
    assert "train the code on that" in refused.err


@pytest.mark.parametrize(
    ("typed", "code", "said"),
    [
        (("--codes-out", "codes.csv"), 1, "must end in .npy or .parquet"),
        (("--model-out", "nowhere/code.safetensors"), 1, "there is no folder"),
        (("--steps", 0), 2, "--steps"),
        (("--apply", "--rescore", 0.5), 2, "--rescore"),
        (("--apply", "--rescore", 1e6), 1, "not 1e+06"),
    ],
)
def test_what_was_typed_wrongly_is_said_before_the_training(cli, ingested, monkeypatch, typed, code, said):
    monkeypatch.setattr("qdrant_embed.training.collection_codes.train_code", None)
    refused = cli("train-codes", "--bits", 16, *typed)
    assert (refused.code, said in " ".join(refused.err.split())) == (code, True)


def test_a_plot_that_cannot_be_drawn_is_said_before_the_measuring(cli, ingested, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    refused = cli("calibrate", "--out", "rep")
    assert (refused.code, "'qdrant-embed[plots]'" in refused.err) == (1, True)
