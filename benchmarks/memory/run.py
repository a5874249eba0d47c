"""Peak anonymous memory of an ingest of few and of many chunks, the engine's own share shown apart."""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

from benchmarks.common import save

HERE = Path(__file__).parent
CHUNKS_PER_DOCUMENT = 20
BATCH = 256
WORDS = (
    "vector", "payload", "shard", "segment", "replica", "index", "filter", "query", "point", "collection", "score",
    "token", "batch", "stream", "window",
)  # fmt: skip


def rss_anon_mb(process: str = "self") -> float:
    """Return a process's anonymous resident memory in MiB."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) / 1024
    raise SystemExit("this benchmark needs /proc/self/status with RssAnon (Linux)")


def children() -> dict[str, float]:
    """Return the same of the processes that this one started: what reads files, and what builds the engine's graph."""
    import psutil

    found = {"reading": 0.0, "graph": 0.0}
    for child in psutil.Process().children():
        with suppress(OSError, SystemExit, psutil.Error):  # it has ended
            kind = "reading" if "qdrant_embed.reading.worker" in child.cmdline() else "graph"
            found[kind] = max(found[kind], rss_anon_mb(str(child.pid)))
    return found


class Peak:
    """The highest RssAnon while the `with` block ran, sampled 50 times a second.

    :param children: Whether that of the process's children is looked at too.
    """

    def __init__(self, *, children: bool = False) -> None:
        self.children_mb = {"reading": 0.0, "graph": 0.0}
        self._children = children

    def __enter__(self) -> "Peak":
        self.mb, self._done = rss_anon_mb(), threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def _watch(self) -> None:
        while not self._done.wait(0.02):
            self.mb = max(self.mb, rss_anon_mb())
            if self._children:
                self.children_mb = {kind: max(mb, self.children_mb[kind]) for kind, mb in children().items()}

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()


def paragraph(number: int) -> str:
    """Return a paragraph of its own, near 80 words, so that its section is a chunk of its own."""
    chosen = (WORDS[(number * 7 + step * (1 + number % 11)) % len(WORDS)] for step in range(76))
    return f"Paragraph {number}. " + " ".join(chosen) + f" and the number {number * 37}."


def documents(chunks: int):
    """Yield documents whose paragraphs are one chunk each, made as they are asked for."""
    from qdrant_embed import Document

    for start in range(0, chunks, CHUNKS_PER_DOCUMENT):
        text = "\n\n".join(f"# Part {n}\n\n{paragraph(n)}" for n in range(start, start + CHUNKS_PER_DOCUMENT))
        yield Document(text=text, source=f"doc-{start}.md", media_type="text/markdown")


def measure(chunks: int) -> dict:
    """Ingest in this process and return what it took; then load the same points with no ingest around them."""
    from qdrant_embed import Collection, Recipe

    with tempfile.TemporaryDirectory() as at:
        collection = Collection.open("memory", at=at, recipe=Recipe(model="hashing"))
        start = rss_anon_mb()
        with Peak() as peak:
            began = time.perf_counter()
            report = collection.ingest(documents(chunks))
            seconds = time.perf_counter() - began
        collection.close()
        engine = subprocess.run(
            [sys.executable, "-m", "benchmarks.memory.run", "--load", at], capture_output=True, text=True, check=True
        )
    return {
        "chunks": report.chunks,
        "chunks_per_s": round(report.chunks / seconds),
        "stage_seconds": report.stage_seconds,
        "rss_anon_before_mb": round(start, 1),
        "rss_anon_peak_mb": round(peak.mb, 1),
        "engine_alone_mb": float(engine.stdout.split()[-1]),
    }


def one_file(megabytes: int) -> dict:
    """Ingest one text file of this size; the peaks of this process, the one that reads, and the one of the graph."""
    from qdrant_embed import Collection, IngestOptions, ReadOptions, Recipe

    with tempfile.TemporaryDirectory() as at:
        path = Path(at) / "one.md"
        with path.open("w") as file:
            number = 0
            while file.tell() < megabytes * 2**20:
                file.write(f"# Part {number}\n\n{paragraph(number)}\n\n")
                number += 1
        options = IngestOptions(reading=ReadOptions(max_file_bytes=2 * megabytes * 2**20))
        collection = Collection.open("memory", at=f"{at}/q", recipe=Recipe(model="hashing"))
        start, began = rss_anon_mb(), time.perf_counter()
        with Peak(children=True) as peak:
            report = collection.ingest(path, options=options)
            seconds = time.perf_counter() - began
        collection.close()
    return {
        "megabytes": megabytes,
        "chunks": report.chunks,
        "seconds": round(seconds),
        "seconds_until_closed": round(time.perf_counter() - began),
        "stage_seconds": report.stage_seconds,
        "rss_anon_before_mb": round(start, 1),
        "rss_anon_peak_mb": round(peak.mb, 1),
        **{f"{kind}_process_peak_mb": round(mb, 1) for kind, mb in peak.children_mb.items()},
    }


def engine_share(chunks: int) -> dict:
    """Write as many points of the same kind with nothing but the engine, and return what that takes."""
    import numpy as np

    from qdrant_embed import Collection, Recipe

    with tempfile.TemporaryDirectory() as at, Collection.open("m", at=at, recipe=Recipe(model="hashing")) as collection:
        target, generator = collection.parts.target, np.random.default_rng(3)
        start = rss_anon_mb()
        with Peak() as peak:
            for first in range(0, chunks, BATCH):
                numbers = range(first, min(first + BATCH, chunks))
                target.engine.upsert(target.name, points=[_point(target, generator, number) for number in numbers])
            target.engine.finish_bulk_load(target.name)
        return {"chunks": chunks, "rss_anon_before_mb": round(start, 1), "rss_anon_peak_mb": round(peak.mb, 1)}


def _point(target, generator, number: int):
    from qdrant_client import models

    from qdrant_embed import Chunk, Document
    from qdrant_embed.store.points import DocumentKey, chunk_id, payload, text_hash

    text = paragraph(number)
    key = DocumentKey.of(Document(text=text, source=f"doc-{number // CHUNKS_PER_DOCUMENT}.md"), "documents")
    chunk = Chunk(text=text, start=0, end=len(text), index=number % CHUNKS_PER_DOCUMENT)
    embedded = text_hash(text)
    identity = chunk_id(key.id, chunk, embedded, "x")
    vector = generator.standard_normal(256).astype("float32")
    indices, values = target.bm25.encode_document(text)
    sparse = models.SparseVector.model_construct(indices=indices, values=values)
    fields = payload(key, chunk, embedded)
    return models.PointStruct.model_construct(id=identity, vector={"dense": vector, "bm25": sparse}, payload=fields)


def load(at: str) -> None:
    """Print what the engine holds once the collection is open and has answered a query, less what came before."""
    from qdrant_embed import Collection

    collection = Collection.open("memory", at=at)
    collection.embedder.embed_queries(["warm"])
    before = rss_anon_mb()
    collection.search("paragraph 7 with the number 259", k=3)
    print(round(rss_anon_mb() - before, 1))


def main() -> None:
    """Measure both sizes, each in a fresh process, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chunks", type=int, nargs="*", default=[20_000, 200_000])
    parser.add_argument("--one", type=int)
    parser.add_argument("--load")
    parser.add_argument("--engine", type=int)
    parser.add_argument("--one-file", type=int, nargs="*", metavar="MEGABYTES")
    arguments = parser.parse_args()
    if arguments.load:
        load(arguments.load)
    elif arguments.engine:
        print(json.dumps(engine_share(arguments.engine)))
    elif arguments.one_file:
        runs = []
        for megabytes in arguments.one_file:
            if len(arguments.one_file) == 1:
                print(json.dumps(one_file(megabytes)))
                return
            command = [sys.executable, "-m", "benchmarks.memory.run", "--one-file", str(megabytes)]
            runs.append(json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
            print(runs[-1], flush=True)
        save(HERE, "one_file", {"runs": runs})
    elif arguments.one:
        print(json.dumps(measure(arguments.one)))
    else:
        runs = []
        for chunks in arguments.chunks:
            command = [sys.executable, "-m", "benchmarks.memory.run", "--one", str(chunks)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            runs.append(json.loads(done.stdout))
            print(runs[-1], flush=True)
        growth = runs[-1]["rss_anon_peak_mb"] - runs[0]["rss_anon_peak_mb"]
        save(HERE, "memory", {"runs": runs, "growth_of_peak_mb": round(growth, 1)})
        print(f"peak grew by {growth:.0f} MiB")


if __name__ == "__main__":
    main()
