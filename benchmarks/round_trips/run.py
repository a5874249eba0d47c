"""Count what opening, searching and ingesting ask of a server, through a proxy that counts."""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.common import data, save
from benchmarks.round_trips.proxy import CountingProxy
from qdrant_embed import Collection, Recipe

HERE = Path(__file__).parent
NAME = "round-trips"
MODES = ("dense", "bm25", "rrf", "hybrid")
QUESTIONS = (
    "how are path parameters declared", "return a custom status code", "dependency injection with yield",
    "upload several files at once", "run a background task after the response",
)  # fmt: skip


@contextmanager
def server(url: str | None) -> Iterator[str]:
    """Give a server's URL: the given one's, or that of one that is played."""
    if url:
        yield url
        return
    from tests.support.server_stand_in import StandIn

    with StandIn() as played:
        yield played.url


def measured(proxy: CountingProxy, action: Callable[[], Any]) -> dict[str, Any]:
    """Do something and return what passed meanwhile."""
    proxy.take()
    began = time.perf_counter()
    action()
    seconds = time.perf_counter() - began
    traffic = proxy.take()
    return {
        "requests": len(traffic.requests), "sent": traffic.sent, "received": traffic.received,
        "ms": round(1000 * seconds, 1), "paths": traffic.requests,
    }  # fmt: skip


def searches(proxy: CountingProxy, docs: Collection, mode: str) -> dict[str, Any]:
    """Return the medians over the questions, and the most requests that one took."""
    found = [measured(proxy, lambda q=question: docs.search(q, k=5, mode=mode)) for question in QUESTIONS]
    medians = {key: statistics.median(one[key] for one in found) for key in ("requests", "sent", "received", "ms")}
    return {**medians, "most_requests": max(one["requests"] for one in found)}


def by_command(at: str, *words: str) -> None:
    """Run the command line in a process of its own."""
    command = [sys.executable, "-m", "qdrant_embed", *words, "--at", at, "-c", NAME]
    environment = {**os.environ, "QDRANT_EMBED_RUNTIME": "torch"}
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)


def measure(url: str, proxy: CountingProxy, folder: Path) -> dict[str, Any]:
    """Return what each step takes, for a folder of pages."""
    results: dict[str, Any] = {}
    with Collection.open(NAME, at=url, recipe=Recipe(model="hashing")) as docs:
        docs.ingest(folder)
        results["chunks"] = docs.count()
    opened: list[Collection] = []
    steps = {"open": measured(proxy, lambda: opened.append(Collection.open(NAME, at=proxy.url)))}
    with opened[0] as docs:
        steps |= {f"search, {mode}": searches(proxy, docs, mode) for mode in MODES}
        filtered = {"filter": {"chunk_index": {"gte": 0}}, "mode": "dense"}
        steps["search, dense, filtered"] = measured(proxy, lambda: docs.search(QUESTIONS[0], **filtered))
        steps["ingest of nothing new"] = measured(proxy, lambda: docs.ingest(folder))
    words = ("search", QUESTIONS[0], "--mode", "dense")
    steps["command line, search, dense"] = measured(proxy, lambda: by_command(proxy.url, *words))
    return {**results, "steps": steps}


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=40, help="Markdown pages to ingest")
    parser.add_argument("--delay", type=float, default=0.0, help="milliseconds that a round trip takes longer")
    parser.add_argument("--name", default="stand-in", help="what the results are called")
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as place,
        server(os.environ.get("QDRANT_URL")) as url,
        CountingProxy(url, given.delay / 1000) as proxy,
    ):
        for number, page in enumerate(sorted(data("docs/fastapi").rglob("*.md"))[: given.pages]):
            shutil.copyfile(page, Path(place) / f"{number:03}.md")
        Collection.drop(NAME, at=url)
        found = measure(url, proxy, Path(place))
        Collection.drop(NAME, at=url)
    for what, step in found["steps"].items():
        sizes = f"{step['sent']:9,} B sent {step['received']:10,} B received"
        print(f"{what:28} {step['requests']:4} requests {sizes} {step['ms']:8} ms")
    print(save(HERE, given.name, {"delay_ms": given.delay, "pages": given.pages, **found}))


if __name__ == "__main__":
    main()
