"""Every benchmark says what it takes, and runs at a small size: a rename in the library must not break one unseen.

Results go to a temporary folder. Those that take long run where QDRANT_EMBED_STRESS is set, as in `test_stress.py`.
"""

import json
import os
import shlex
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
RUNNABLE = sorted(
    ".".join(path.relative_to(PROJECT).with_suffix("").parts)
    for path in (PROJECT / "benchmarks").rglob("*.py")
    if "ArgumentParser(" in path.read_text()
)
SMALL = {
    "benchmarks.confidence.run": "--one fastapi --model hashing",
    "benchmarks.engine.run": "--step write --kind edge --points 60 --queries 2 --rounds 1 --at engine",
    "benchmarks.fusion.latency": "--one cranfield --model hashing --scale 90 --questions 3",
    "benchmarks.long_context.memory": "--one hashing windows:128 1 600",
    "benchmarks.long_context.storage": "--one points --documents 12 --windows 2 --queries 2",
    "benchmarks.memory.run": "--one 20",
    "benchmarks.start.run": "--one --runs 1 --model hashing --commands import",
    "benchmarks.telemetry.run": "--one --questions 2 --rounds 1 --models hashing",
    "benchmarks.writers.run": "--files 20 --chunks 2",
}
"""One measurement of each, in this process; it is printed as JSON."""
LONG = {
    "benchmarks.compression.run": "--quick cranfield",
    "benchmarks.embedding.built_graphs": "--rounds 1 --precisions float32",
    "benchmarks.embedding.end_to_end": "--quick",
    "benchmarks.embedding.run": "--quick --rounds 1 --timed 4 'qdrant-embed torch'",
    "benchmarks.engine.run": "--points 60 --queries 2 --rounds 1",
    "benchmarks.explore.run": "--points 300 --frames 5",
    "benchmarks.faults.restart": "--seconds 0.3 --pages 3 --at-upsert 1",
    "benchmarks.faults.run": "--trials 1 --pages 3",
    "benchmarks.long_context.cost": "truncate --documents 1",
    "benchmarks.long_context.memory": "--documents 1 --tokens 600 --minilm 0",
    "benchmarks.long_context.run": "--quick passkey",
    "benchmarks.long_context.storage": "--documents 12 --windows 2 --queries 2",
    "benchmarks.long_context.train_rotary": "--steps 1",
    "benchmarks.memory.run": "--chunks 20 40",
    "benchmarks.round_trips.run": "--pages 3",
    "benchmarks.sharing.run": "--points 100 --queries 3 --rounds 1",
    "benchmarks.start.run": "cold --runs 1",
}
"""Whole runs, of many processes or of a real model."""
RETRIEVAL = "benchmarks.retrieval.run"
LIMIT = "benchmarks.limit.run"
FUSION = "benchmarks.fusion.run"
ON_A_GPU = {"benchmarks.embedding.gpu"}
PARAGRAPHS = [
    f"Crane number {number} of the harbour lifts {number} tons at most, and its cables are inspected every Tuesday. "
    f"Its crew reports to the harbour master of pier {number} before the shift begins. Nobody else may move the crane."
    for number in range(60)
]
"""As many as a calibration needs."""


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Return a function that runs a benchmark on a few pages and abstracts; give the folder of its results."""
    for number in range(4):
        page = tmp_path / "data/docs/fastapi" / f"page-{number}.md"
        page.parent.mkdir(parents=True, exist_ok=True)
        # Every page has texts of its own, so that an edit is the only thing to embed again.
        own = [paragraph.replace("Crane", f"Crane {number}") for paragraph in PARAGRAPHS[:12]]
        page.write_text(f"# Page {number}\n\n" + "\n\n".join(own) + "\n")
    folder = tmp_path / "data/cranfield"
    folder.mkdir()
    lines = [json.dumps({"_id": str(number), "title": "", "text": text}) for number, text in enumerate(PARAGRAPHS)]
    (folder / "corpus.jsonl").write_text("\n".join(lines))
    (folder / "queries.jsonl").write_text("\n".join(lines[:3]))
    (folder / "qrels").mkdir()
    (folder / "qrels/test.tsv").write_text("query-id\tcorpus-id\tscore\n0\t0\t1\n1\t1\t1\n2\t2\t1\n")
    monkeypatch.setattr("benchmarks.common.DATA", tmp_path / "data")
    monkeypatch.setenv("QDRANT_EMBED_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("QDRANT_EMBED_RESULTS", str(tmp_path / "results"))
    monkeypatch.chdir(PROJECT)

    def run(module, words):
        monkeypatch.setattr(sys, "argv", [module, *words.split()])
        import_module(module).main()
        return tmp_path / "results" / module.split(".")[1]

    return run


def test_every_benchmark_is_run_somewhere():
    assert set(RUNNABLE) == {*SMALL, *LONG, *ON_A_GPU, RETRIEVAL, LIMIT, FUSION}


@pytest.mark.parametrize("module", RUNNABLE)
def test_it_says_what_it_takes(module, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [module, "--help"])
    with pytest.raises(SystemExit) as ended:
        import_module(module).main()
    assert ended.value.code == 0
    assert "usage:" in capsys.readouterr().out


@pytest.mark.parametrize("module", SMALL)
def test_it_measures_once(module, small, tmp_path, capsys):
    small(module, SMALL[module].replace("--at engine", f"--at {tmp_path / 'engine'}"))
    assert json.loads(capsys.readouterr().out.splitlines()[-1])


def test_retrieval_is_measured_on_a_few_pages(small):
    folder = small(RETRIEVAL, "--quick --model hashing --rerank mmr cranfield findability edits")
    results = {file.stem: json.loads(file.read_text()) for file in folder.glob("*.json")}
    assert results.keys() == {"quick-cranfield", "quick-findability", "quick-edits"}
    assert results["quick-cranfield"]["scores"]["bm25"]["nDCG@10"] > 0.5
    assert results["quick-edits"]["edits"] == 2


def test_limit_is_measured_on_60_documents(small):
    results = json.loads(
        (small(LIMIT, "--quick --model hashing --rerank mmr generated") / "quick-dense-60.json").read_text()
    )
    assert results["recalls"]["bm25"]["R@2"] > 0.95
    assert results["recalls"]["dense"]["R@2"] < 0.5
    assert results["recalls"]["bm25+mmr"]


def test_fusion_is_measured_on_a_few_pages(small):
    folder = small(FUSION, "--quick --model hashing cranfield fastapi")
    results = {name: json.loads((folder / f"quick-{name}.json").read_text()) for name in ("cranfield", "fastapi")}
    asked = results["cranfield"]["sets"]
    assert asked.keys() == {"cranfield", "keywords", "typing mistakes"}
    assert asked["cranfield"]["scores"]["hybrid"]["mean"] > 0.5
    assert asked["cranfield"]["scores"].keys() >= {"dense", "bm25", "hybrid", "rrf", "Qdrant RRF", "Qdrant DBSF"}
    assert results["fastapi"]["sets"]["sentence"]["scores"]["bm25"]["mean"] > 0.9
    assert "| sentence (" in (folder / "quick-fusion.md").read_text()
    assert (folder / "quick-fusion.png").stat().st_size > 10_000


@pytest.mark.slow
@pytest.mark.skipif("QDRANT_EMBED_STRESS" not in os.environ, reason="set QDRANT_EMBED_STRESS to how many runs")
@pytest.mark.parametrize("module", LONG)
def test_it_runs_quickly(module, small):
    done = subprocess.run([sys.executable, "-m", module, *shlex.split(LONG[module])], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
