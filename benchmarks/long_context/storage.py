"""Windows of a document in the embedded engine: one multi-vector (MaxSim), or a point each and the best one counted."""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import numpy as np

from benchmarks.common import save
from benchmarks.memory.run import Peak

HERE = Path(__file__).parent
DIM, K = 384, 10
EFS = (64, 128, 256)
"""Candidates kept while walking a graph; 256 is what a collection asks for."""
BATCH = {"multi": 64, "points": 1280}
FORMS = ("multi", "multi, no graph", "points", "points, no graph")
GROWTH = 4
WORDS = 900
"""Words of a document's text, which is stored once."""


def vectors(documents: int, windows: int, seed: int) -> np.ndarray:
    """Return unit vectors (documents, windows, dim): windows near their document, few strong directions, as a model's.

    Two windows of a document have a cosine near 0.5, two of different ones near 0.1, as MiniLM gives for long reports.
    """
    rng = np.random.default_rng(seed)
    spectrum = (np.arange(DIM) + 4.0) ** -0.5
    spectrum /= np.linalg.norm(spectrum)
    common = 0.32 * spectrum
    topics = rng.standard_normal((documents, 1, DIM)) * spectrum
    own = rng.standard_normal((documents, windows, DIM)) * spectrum
    found = common + 0.65 * topics + 0.7 * own
    return (found / np.linalg.norm(found, axis=-1, keepdims=True)).astype(np.float32)


def questions(stored: np.ndarray, count: int) -> np.ndarray:
    """Return unit vectors (count, dim), each near one window."""
    rng = np.random.default_rng(99)
    flat = stored.reshape(-1, DIM)
    near = flat[rng.integers(0, len(flat), count)] + 0.05 * rng.standard_normal((count, DIM))
    return (near / np.linalg.norm(near, axis=1, keepdims=True)).astype(np.float32)


def exact(stored: np.ndarray, asked: np.ndarray, of: np.ndarray) -> list[set[int]]:
    """Return the K best of the chosen documents for each question."""
    best = []
    for question in asked:
        scores = np.where(of, (stored @ question).max(axis=1), -np.inf)
        best.append(set(np.argsort(-scores)[:K].tolist()))
    return best


class Trial:
    """One form of storage in an engine of its own."""

    def __init__(self, form: str, folder: Path) -> None:
        from qdrant_client import models

        from qdrant_embed.store.location import open_engine

        self.multi, self.models, self.engine = form.startswith("multi"), models, open_engine(folder)
        params = models.VectorParams(
            size=DIM,
            distance=models.Distance.COSINE,
            hnsw_config=models.HnswConfigDiff(m=0) if "no graph" in form else None,
            multivector_config=models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM)
            if self.multi
            else None,
        )
        self.engine.create_collection(collection_name="t", vectors_config={"dense": params})
        for field in ("kind", "document"):
            self.engine.create_payload_index("t", field, field_schema=models.PayloadSchemaType.INTEGER)

    def load(self, stored: np.ndarray) -> None:
        """Write everything and build the graph."""
        points = []
        for number, windows in enumerate(stored):
            points += list(self._points(number, windows))
            if len(points) >= BATCH["multi" if self.multi else "points"]:
                self.engine.upsert("t", points=points)
                points = []
        if points:
            self.engine.upsert("t", points=points)
        self.engine.finish_bulk_load("t")

    def _points(self, number: int, windows: np.ndarray):
        shared = {"document": number, "kind": number % 10}
        whole = {**shared, "text": f"word{number} " * WORDS}
        if self.multi:
            yield self._point(number, windows.tolist(), whole)
            return
        yield self._point(number, windows[0].tolist(), whole)
        for place, vector in enumerate(windows[1:], start=1):
            yield self._point((place << 32) + number, vector.tolist(), shared)

    def _point(self, number: int, vector: list, payload: dict):
        return self.models.PointStruct.model_construct(
            id=str(uuid.UUID(int=number + 1)), vector={"dense": vector}, payload=payload
        )

    def ask(self, question: np.ndarray, kind: int | None, ef: int) -> set[int]:
        """Return the K best documents; points are fetched in growing numbers until so many documents are among them."""
        models = self.models
        where = None
        if kind is not None:
            where = models.Filter(must=[models.FieldCondition(key="kind", match=models.MatchValue(value=kind))])
        limit = K if self.multi else GROWTH * K
        while True:
            points = self.engine.query_points(
                "t", query=question.tolist(), using="dense", limit=limit, query_filter=where,
                with_payload=["document"], search_params=models.SearchParams(hnsw_ef=max(ef, limit)),
            ).points  # fmt: skip
            found = list(dict.fromkeys(point.payload["document"] for point in points))[:K]
            if len(found) == K or len(points) < limit:
                return set(found)
            limit *= GROWTH


def answers(trial: Trial, asked: np.ndarray, truth: list[set[int]], kind: int | None, ef: int) -> dict:
    """Return recall, and milliseconds of wall-clock and of processor time, over the questions."""
    trial.ask(asked[0], kind, ef)
    spent, hits, cpu = [], [], time.process_time()
    for question in asked:
        start = time.perf_counter()
        hits.append(trial.ask(question, kind, ef))
        spent.append(1000 * (time.perf_counter() - start))
    cpu = 1000 * (time.process_time() - cpu) / len(asked)
    recall = np.mean([len(a & b) / K for a, b in zip(hits, truth, strict=True)])
    p50, p95 = np.quantile(spent, (0.5, 0.95))
    return {
        "recall_at_10": round(float(recall), 4),
        "p50_ms": round(p50, 2),
        "p95_ms": round(p95, 2),
        "cpu_ms": round(cpu, 2),
    }


def measure(form: str, documents: int, windows: int, queries: int) -> dict:
    """Return what a form of storage costs and how well it answers."""
    stored = vectors(documents, windows, 7)
    asked = questions(stored, queries)
    with tempfile.TemporaryDirectory() as folder:
        trial = Trial(form, Path(folder))
        began, cpu = time.perf_counter(), time.process_time()
        with Peak() as peak:
            trial.load(stored)
        found = {
            "form": form,
            "build_s": round(time.perf_counter() - began, 2),
            "build_cpu_s": round(time.process_time() - cpu, 2),
            "rss_anon_peak_mb": round(peak.mb),
        }
        for kind in (None, 3):
            of = np.ones(documents, bool) if kind is None else np.arange(documents) % 10 == kind
            truth = exact(stored, asked, of)
            for ef in EFS if "no graph" not in form else EFS[-1:]:
                found[f"{'all' if kind is None else 'filtered'}, ef {ef}"] = answers(trial, asked, truth, kind, ef)
        trial.engine.close()
        size = sum(path.stat().st_blocks * 512 for path in Path(folder).rglob("*") if path.is_file())
        found["disk_mb"] = round(size / 2**20, 1)
    found["max_rss_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    return found


def main() -> None:
    """Measure each form in a fresh process and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=3000)
    parser.add_argument("--windows", type=int, default=20)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--one", choices=FORMS)
    arguments = parser.parse_args()
    sizes = (arguments.documents, arguments.windows, arguments.queries)
    if arguments.one:
        print(json.dumps(measure(arguments.one, *sizes)))
        return
    flags = [f"--{name}={value}" for name, value in zip(("documents", "windows", "queries"), sizes, strict=True)]
    runs = []
    for form in FORMS:
        command = [sys.executable, "-m", "benchmarks.long_context.storage", "--one", form, *flags]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        runs.append(json.loads(done.stdout.splitlines()[-1]))
        print(runs[-1], flush=True)
    save(HERE, "storage", {"documents": sizes[0], "windows": sizes[1], "queries": sizes[2], "runs": runs})


if __name__ == "__main__":
    main()
