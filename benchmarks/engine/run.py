"""Writing, searching and reopening: the embedded engine beside `QdrantClient(path=…)`, through the same protocol."""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np

from benchmarks.common import save

HERE = Path(__file__).parent
DIM, CLUSTERS, NOISE, K = 384, 200, 0.06, 10
BATCH = 256
SEED = 20260101
ENGINES = ("edge", "client")
NAME = "bench"


def clustered(count: int, seed: int) -> np.ndarray:
    """Return unit vectors around common centers."""
    centers = np.random.default_rng(SEED).standard_normal((CLUSTERS, DIM))
    centers /= np.linalg.norm(centers, axis=1, keepdims=True)
    random = np.random.default_rng(seed)
    vectors = centers[random.integers(0, CLUSTERS, count)] + NOISE * random.standard_normal((count, DIM))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def open_place(kind: str, at: Path):
    """Open the engine under test on a folder."""
    from qdrant_client import QdrantClient

    from qdrant_embed.store.location import open_engine

    return open_engine(at if kind == "edge" else QdrantClient(path=str(at)))


def points_of(vectors: np.ndarray) -> list:
    """Return points as an ingest makes them: a numpy vector and a small payload."""
    from qdrant_client import models

    return [
        models.PointStruct.model_construct(
            id=number,
            vector={"dense": vector},
            payload={
                "text": f"Passage {number} of a page.",
                "source": f"page-{number // 20}.md",
                "chunk_index": number,
            },
        )
        for number, vector in enumerate(vectors)
    ]


def memory_mb(field: str) -> float | None:
    """Return a figure of this process from /proc (Linux), in MiB."""
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    lines = [line for line in status.read_text().splitlines() if line.startswith(field)]
    return round(int(lines[0].split()[1]) / 1024, 1)


def search(engine, queries: np.ndarray, rounds: int, **params) -> tuple[dict, list[list[int]]]:
    """Ask every query one by one, several rounds; return the times per query and what was found."""
    from qdrant_client import models

    settings = models.SearchParams(**params) if params else None
    medians, times, found = [], [], []
    for _ in range(rounds):
        current = []
        found = []
        for query in queries:
            started = time.perf_counter()
            answer = engine.query_points(NAME, query, using="dense", limit=K, search_params=settings)
            current.append(time.perf_counter() - started)
            found.append([point.id for point in answer.points])
        medians.append(statistics.median(current) * 1000)
        times += current
    return {
        "median_ms": round(statistics.median(medians), 3),
        "median_ms_of_each_round": [round(value, 3) for value in medians],
        "p95_ms": round(float(np.percentile(times, 95)) * 1000, 3),
    }, found


def recall(found: list[list[int]], truth: np.ndarray) -> float:
    """Return the mean share of the true nearest that were found."""
    return round(
        statistics.mean(len(set(ids) & set(best)) / K for ids, best in zip(found, truth.tolist(), strict=True)), 4
    )


def write_and_search(kind: str, at: Path, count: int, asked: int, rounds: int) -> dict:
    """Load a fresh collection in this process, search it, and return the figures."""
    from qdrant_client import models

    vectors, queries = clustered(count, 1), clustered(asked, 2)
    truth = np.argsort(-(queries @ vectors.T), axis=1, kind="stable")[:, :K]
    points = points_of(vectors)
    engine = open_place(kind, at)
    before = memory_mb("VmRSS")
    engine.create_collection(NAME, {"dense": models.VectorParams(size=DIM, distance=models.Distance.COSINE)})
    started = time.perf_counter()
    for start in range(0, count, BATCH):
        engine.upsert(NAME, points[start : start + BATCH])
    upsert = time.perf_counter() - started
    result = {"upsert_s": round(upsert, 3), "upsert_points_per_s": round(count / upsert)}
    if kind == "edge":
        exact, found = search(engine, queries, rounds, exact=True)
        result["search_before_indexing"] = exact | {"recall_at_10": recall(found, truth)}
        started = time.perf_counter()
        engine.finish_bulk_load(NAME)
        result["indexing_s"] = round(time.perf_counter() - started, 3)
    for name, params in (("default", {}), ("hnsw_ef_256", {"hnsw_ef": 256})) if kind == "edge" else (("default", {}),):
        times, found = search(engine, queries, rounds, **params)
        result[f"search_{name}"] = times | {"recall_at_10": recall(found, truth)}
    result["rss_before_writing_mb"], result["rss_peak_mb"] = before, memory_mb("VmHWM")
    engine.close()
    return result


def reopen(kind: str, at: Path) -> dict:
    """Open the collection in this fresh process and answer one query."""
    import qdrant_client  # noqa: F401  (its import is not what is measured)

    if kind == "edge":
        import qdrant_embed.store.edge  # noqa: F401
    query = clustered(1, 3)[0]
    before = memory_mb("VmRSS")
    started = time.perf_counter()
    engine = open_place(kind, at)
    engine.query_points(NAME, query, using="dense", limit=K)
    seconds = time.perf_counter() - started
    result = {
        "reopen_and_first_answer_s": round(seconds, 3),
        "rss_before_mb": before,
        "rss_after_mb": memory_mb("VmRSS"),
    }
    engine.close()
    return result


def in_fresh_process(step: str, kind: str, at: Path, arguments: argparse.Namespace) -> dict:
    """Run one step in a process of its own, so that memory and caches are its own."""
    sizes = ["--points", str(arguments.points), "--queries", str(arguments.queries), "--rounds", str(arguments.rounds)]
    command = [sys.executable, "-m", "benchmarks.engine.run", "--step", step, "--kind", kind, "--at", str(at), *sizes]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def compare(arguments: argparse.Namespace) -> None:
    """Measure both engines and write the results."""
    results = {}
    for kind in ENGINES:
        with tempfile.TemporaryDirectory() as folder:
            at = Path(folder) / "data"
            results[kind] = in_fresh_process("write", kind, at, arguments)
            reopened = [in_fresh_process("reopen", kind, at, arguments) for _ in range(arguments.rounds)]
            results[kind] |= sorted(reopened, key=lambda one: one["reopen_and_first_answer_s"])[len(reopened) // 2]
        print(kind, json.dumps(results[kind], indent=1), flush=True)
    edge, client = results["edge"], results["client"]
    slow = client["search_default"]["median_ms"]
    ratios = {
        "upsert": round(edge["upsert_points_per_s"] / client["upsert_points_per_s"], 1),
        "upsert_with_indexing": round(client["upsert_s"] / (edge["upsert_s"] + edge["indexing_s"]), 1),
        "search": round(slow / edge["search_default"]["median_ms"], 1),
        "search_hnsw_ef_256": round(slow / edge["search_hnsw_ef_256"]["median_ms"], 1),
        "search_before_indexing": round(slow / edge["search_before_indexing"]["median_ms"], 1),
        "reopen": round(client["reopen_and_first_answer_s"] / edge["reopen_and_first_answer_s"], 1),
    }
    setting = {
        "points": arguments.points, "dim": DIM, "clusters": CLUSTERS, "noise": NOISE, "batch": BATCH, "k": K,
        "queries": arguments.queries, "rounds": arguments.rounds,
    }  # fmt: skip
    content = {"setting": setting, "engines": results, "edge_is_times_faster": ratios}
    print(json.dumps(ratios, indent=1))
    save(HERE, "quick" if arguments.quick else "engine", content)


def main() -> None:
    """Measure, or run one step of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the points; for a first look")
    parser.add_argument("--points", type=int)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--step", choices=("write", "reopen"), help=argparse.SUPPRESS)
    parser.add_argument("--kind", choices=ENGINES, help=argparse.SUPPRESS)
    parser.add_argument("--at", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    arguments.points = arguments.points or (2_000 if arguments.quick else 20_000)
    if arguments.step is None:
        compare(arguments)
        return
    warnings.simplefilter("ignore")
    if arguments.step == "write":
        result = write_and_search(arguments.kind, arguments.at, arguments.points, arguments.queries, arguments.rounds)
    else:
        result = reopen(arguments.kind, arguments.at)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
