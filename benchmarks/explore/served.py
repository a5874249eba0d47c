"""A process that makes a collection of made-up texts, and one that serves its page and says what it takes."""

import json
import random
import resource
import sys
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path

from qdrant_embed import Collection, Document, Recipe
from qdrant_embed.explore import ExplorerPage

NAME = "explored"
TOPICS = 60
_PARTS = (
    ("ka", "lo", "mi", "ru", "se", "ta", "ve", "zo", "pa", "ne"),
    ("ra", "li", "mo", "tu", "ne"),
    ("ck", "nd", "sh", "rt", "lm", "st", "x", "p"),
)
WORDS = ["".join(parts) for parts in product(*_PARTS)]


def documents(count: int) -> Iterator[Document]:
    """Yield made-up documents of one chunk each, most of whose words are those of a topic."""
    draw = random.Random(1)
    topics = [draw.sample(WORDS, 30) for _ in range(TOPICS)]
    for number in range(count):
        topic = topics[number % TOPICS]
        words = (draw.choice(topic if draw.random() < 0.8 else WORDS) for _ in range(30))
        yield Document(text=" ".join(words), source=f"folder {number % 97}/{number:06}.txt", title=f"Note {number}")


def make(at: Path, points: int) -> None:
    """Make the collection where it is not there yet."""
    with Collection.open(NAME, at=at, recipe=Recipe(model="hashing")) as docs:
        if docs.count() < points:
            docs.ingest(documents(points), root="made", progress=None)


def serve(at: Path) -> None:
    """Serve the page; for each line that comes in, print what this process has taken, as JSON."""
    with Collection.open(NAME, at=at) as docs, ExplorerPage.of(docs) as page:
        print(page.url, flush=True)
        for line in sys.stdin:
            if line.strip() == "map":
                page._session._map.wait()
            held = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
            print(json.dumps({"cpu": time.process_time(), "megabytes": round(held / 2**20)}), flush=True)


if __name__ == "__main__":
    make(Path(sys.argv[1]), int(sys.argv[2]))
    serve(Path(sys.argv[1]))
