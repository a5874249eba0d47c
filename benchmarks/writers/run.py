"""What it costs to find out that nothing is new, and to write: CPU seconds and requests, of a folder of many files."""

import argparse
import json
import os
import tempfile
import time
from collections import Counter
from pathlib import Path

from benchmarks.common import save
from qdrant_embed import Collection, Recipe
from qdrant_embed.store.edge import EdgeEngine
from qdrant_embed.store.engine_wrappers import WrappedEngine

HERE = Path(__file__).parent
RECIPE = Recipe(model="hashing", chunker="recursive", chunk_tokens=24)


class Counting(WrappedEngine):
    """An engine that counts what it is asked."""

    def __init__(self, engine):
        super().__init__(engine)
        self.requests = Counter()

    def forward(self, method, *arguments, **named):
        """Call the engine, and count it."""
        self.requests[method.__name__] += 1
        return super().forward(method, *arguments, **named)


def write(folder: Path, files: int, chunks: int, word: str) -> None:
    """Write files of as many paragraphs each, all of their own."""
    for number in range(files):
        lines = (
            f"Paragraph {place} of note {number} says that the gate of pier {place * number} opens at nine: {word}."
            for place in range(chunks)
        )
        (folder / f"{number}.txt").write_text("\n\n".join(lines))


def measured(docs: Collection, engine: Counting, folder: Path) -> dict:
    """Ingest a folder; return CPU seconds of this process and of its reader, and requests by their kind."""
    engine.requests.clear()
    before, started = os.times(), time.perf_counter()
    report = docs.ingest(folder, progress=None)
    after = os.times()
    return {
        "cpu_s": round(sum(after[:4]) - sum(before[:4]), 2),
        "wall_s": round(time.perf_counter() - started, 2),
        "requests": engine.requests.total(),
        "of_these": dict(engine.requests.most_common()),
        "embedded": report.embedded,
        "deleted": report.deleted,
        "chunks": report.chunks,
    }


def main() -> None:
    """Measure a first ingest, one of nothing new, and one of a tenth of the files changed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=1360)
    parser.add_argument("--chunks", type=int, default=12, help="paragraphs of each file")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "files"
        folder.mkdir()
        write(folder, arguments.files, arguments.chunks, "alpha")
        engine = Counting(EdgeEngine(Path(place) / "q"))
        docs = Collection.open("notes", at=engine, recipe=RECIPE)
        found = {"first": measured(docs, engine, folder), "nothing_new": measured(docs, engine, folder)}
        write(folder, arguments.files // 10, arguments.chunks, "bravo")
        found["a_tenth_changed"] = measured(docs, engine, folder)
        engine.close()
    print(save(HERE, "folder", {"files": arguments.files, **found}))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
