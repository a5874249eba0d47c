"""Kill an ingest at random moments, run it again, and compare the points with those of an undisturbed one."""

import argparse
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.common import data, save
from qdrant_embed import Collection

HERE = Path(__file__).parent
PAGES = {"hashing": 153, "minilm": 14}
"""Markdown pages per model: as many as make an ingest long enough to be hit in all its stages."""
TOLERANCE = {"hashing": 0.0, "minilm": 1e-4}


def child(folder: Path, at: Path | str, model: str) -> subprocess.Popen:
    """Start an ingest."""
    command = [sys.executable, "-m", "benchmarks.faults.child", str(folder), str(at), model]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen) -> dict:
    """Wait for an ingest and return its report."""
    output, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"an undisturbed ingest failed with {process.returncode}")
    return json.loads(output.splitlines()[-1])


def ingest_and_kill(folder: Path, at: Path, model: str, after: float) -> bool:
    """Start an ingest, kill it `after` seconds from its first sign of life, and tell whether it was still running."""
    process = child(folder, at, model)
    process.stdout.readline()
    time.sleep(after)
    alive = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return alive


def points(at: Path | str) -> dict:
    """Return every point of the collection: id → (payload, dense vector)."""
    with Collection.open("faults", at=at) as collection:
        frame = collection.to_pandas(vectors=True)
        payloads = {record.id: record.payload for record in collection.parts.target.scroll(None, list(_FIELDS))}
    vectors = dict(zip(frame["id"], frame["vector"], strict=True))
    return {key: (payloads[key], np.asarray(vectors[key], np.float32)) for key in vectors}


_FIELDS = (
    "text", "source", "root", "document_id", "document_hash", "title", "media_type", "size", "modified", "metadata",
    "chunk_index", "start", "end", "headings", "text_hash", "context", "page", "chunk_count",
)  # fmt: skip


def difference(left: dict, right: dict, tolerance: float) -> str:
    """Say how two sets of points differ; empty if they do not."""
    if left.keys() != right.keys():
        return f"{len(left.keys() - right.keys())} points too many, {len(right.keys() - left.keys())} missing"
    payloads = [key for key in left if left[key][0] != right[key][0]]
    if payloads:
        return f"{len(payloads)} payloads differ"
    worst = max((float(np.abs(left[key][1] - right[key][1]).max()) for key in left), default=0.0)
    return f"vectors differ by {worst:.2e}" if worst > tolerance else ""


def make_corpus(folder: Path, count: int) -> None:
    """Copy real pages into a folder that may be edited."""
    pages = sorted((data("docs") / "fastapi").rglob("*.md"))[:count]
    for page in pages:
        copy = folder / page.relative_to(data("docs") / "fastapi")
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(page, copy)


def edit(folder: Path) -> None:
    """Change every third page, remove every seventh."""
    for number, page in enumerate(sorted(folder.rglob("*.md"))):
        if number % 7 == 3:
            page.unlink()
        elif number % 3 == 0:
            page.write_text(page.read_text() + "\n\n## Added later\n\nThis paragraph was not there before.\n")


class Scene:
    """One kind of ingest (`fresh` or `changed`) with its undisturbed outcome."""

    def __init__(self, kind: str, model: str, work: Path, pages: int) -> None:
        self.kind, self.model, self.work = kind, model, work
        self.folder = work / f"{kind}-docs"
        make_corpus(self.folder, pages)
        self.before = work / f"{kind}-before"
        if kind == "changed":
            finish(child(self.folder, self.before, model))
            edit(self.folder)
        reference = self._copy("reference")
        started = time.perf_counter()
        self.report = finish(child(self.folder, reference, model))
        self.seconds = time.perf_counter() - started
        self.expected = points(reference)

    def _copy(self, name: str) -> Path:
        at = self.work / f"{self.kind}-{name}"
        if self.before.exists():
            shutil.copytree(self.before, at)
        return at

    def trial(self, number: int, after: float) -> dict:
        """Kill once, resume, compare."""
        at = self._copy(f"trial-{number}")
        alive = ingest_and_kill(self.folder, at, self.model, after)
        resumed = finish(child(self.folder, at, self.model))
        problem = difference(points(at), self.expected, TOLERANCE[self.model])
        again = finish(child(self.folder, at, self.model))
        shutil.rmtree(at)
        return {
            "kind": self.kind,
            "killed_after_s": round(after, 3),
            "was_running": alive,
            "embedded_by_resume": resumed["embedded"],
            "embedded_by_third_run": again["embedded"],
            "difference": problem,
        }


def main() -> None:
    """Run the trials and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="hashing", choices=sorted(PAGES))
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--pages", type=int, help="Markdown pages ingested; as many as suit the model unless said")
    arguments = parser.parse_args()
    moments = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as temporary:
        pages = arguments.pages or PAGES[arguments.model]
        scenes = [Scene(kind, arguments.model, Path(temporary), pages) for kind in ("fresh", "changed")]
        trials = []
        while sum(trial["was_running"] for trial in trials) < arguments.trials:
            scene = scenes[len(trials) % 2]
            trials.append(scene.trial(len(trials), moments.uniform(0, scene.seconds)))
            print(trials[-1], flush=True)
    hit = [trial for trial in trials if trial["was_running"]]
    results = {
        "model": arguments.model,
        "points": {scene.kind: len(scene.expected) for scene in scenes},
        "undisturbed_embedded": {scene.kind: scene.report["embedded"] for scene in scenes},
        "killed_while_running": len(hit),
        "same_points_after_resume": sum(not trial["difference"] for trial in hit),
        "trials": trials,
    }
    print(save(HERE, arguments.model, results).read_text()[:600])
    if any(trial["difference"] for trial in trials):
        raise SystemExit("some runs ended in other points")


if __name__ == "__main__":
    main()
