"""Time one folder's calls, made in the process that holds it and through its socket from another one."""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from qdrant_client import models

from benchmarks.common import save
from qdrant_embed.store import Engine, open_engine
from qdrant_embed.store.edge import EdgeEngine

HERE = Path(__file__).parent
NAME = "sharing"
BATCH = 64
TEXT = "The harbour crane lifts twelve tons, and its cables are inspected every Tuesday. " * 10
HOLDER = """
import sys, threading, time
from qdrant_embed.store import open_engine
engine = open_engine(sys.argv[1])
print("held", flush=True)
def spin():
    while True:
        pass
for line in sys.stdin:
    if line == "spin\\n":
        threading.Thread(target=spin, daemon=True).start()
    print(time.process_time(), flush=True)
"""


class Holder:
    """A process that holds a folder; a context manager."""

    def __init__(self, at: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(at)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._process.stdout.readline()

    def say(self, word: str) -> float:
        """Say a word, and return the CPU seconds that the process has taken."""
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())

    def __enter__(self) -> "Holder":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()


def points_of(count: int, dim: int) -> list[models.PointStruct]:
    """Return points as an ingest writes them: a vector, a text and a few fields."""
    rows = np.random.default_rng(0).standard_normal((count, dim)).astype(np.float32)
    return [
        models.PointStruct.model_construct(
            id=number, vector={"v": rows[number]}, payload={"text": TEXT, "source": f"{number}.md", "start": number}
        )
        for number in range(count)
    ]


def milliseconds(call: Callable[[], object], times: int) -> float:
    """Return the median of several calls."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        taken.append(1000 * (time.perf_counter() - began))
    return round(statistics.median(taken), 3)


def measured(engine: Engine, points: list[models.PointStruct], queries: int) -> dict:
    """Return what calls take; CPU seconds are this process's."""
    size = models.VectorParams(size=len(points[0].vector["v"]), distance=models.Distance.COSINE)
    engine.create_collection("c", {"v": size})
    cpu, began = time.process_time(), time.perf_counter()
    for start in range(0, len(points), BATCH):
        engine.upsert("c", points[start : start + BATCH])
    write, write_cpu = time.perf_counter() - began, time.process_time() - cpu
    asked = iter([point.vector["v"] for point in points[: 2 * queries]] * 2)
    found = {
        "write_seconds": round(write, 3),
        "write_cpu_seconds": round(write_cpu, 3),
        "search_ms": milliseconds(lambda: engine.query_points("c", next(asked), using="v"), queries),
        "page_of_1000_ms": milliseconds(lambda: engine.scroll("c", limit=1000, with_vectors=True), 3),
        "count_ms": milliseconds(lambda: engine.count("c"), queries),
    }
    engine.delete_collection("c")
    return found


def opening(at: Path, times: int) -> dict:
    """Return what opening a folder takes, alone and with a socket for others."""

    def opened(make: Callable[[Path], Engine]) -> None:
        make(at).close()

    alone = milliseconds(lambda: opened(EdgeEngine), times)
    return {"open_without_socket_ms": alone, "open_ms": milliseconds(lambda: opened(open_engine), times)}


def main() -> None:
    """Measure both ways in turns, and one with a busy holder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=10_000)
    parser.add_argument("--dim", type=int, default=384)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--name", default=NAME)
    asked = parser.parse_args()
    points = points_of(asked.points, asked.dim)
    rounds = []
    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder) / "data"
        for _ in range(asked.rounds):
            engine = open_engine(at)
            direct = measured(engine, points, asked.queries)
            engine.close()
            with Holder(at) as holder:
                engine, before = open_engine(at), holder.say("cpu")
                through = measured(engine, points, asked.queries)
                through["holder_cpu_seconds"] = round(holder.say("spin") - before, 3)
                busy = measured(engine, points[:1000], min(asked.queries, 20))
                engine.close()
            rounds.append({"direct": direct, "through_socket": through, "holder_busy_1000_points": busy})
            print(rounds[-1], flush=True)
        found = {"points": asked.points, "dim": asked.dim, "rounds": rounds, **opening(at, 50)}
    print(save(HERE, asked.name, found))


if __name__ == "__main__":
    main()
