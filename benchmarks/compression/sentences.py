"""Real sentences: everything in the data folder, read with the library's own reader, cut into sentences and clauses."""

import csv
import json
import re
from collections.abc import Iterator

from benchmarks.common import data

SENTENCE_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+|\n{2,}|\n(?=[-*#|>]|\d+\.)")
CLAUSE_END = re.compile(r"(?<=[,;:])\s+")
SHORTEST, LONG = 12, 150
"""Characters: what is shorter is no sentence, what is longer is cut into its clauses."""


def texts() -> Iterator[str]:
    """Yield every text of the data folder: retrieval sets, sentence pairs, and the folder of real files."""
    for name in ("cranfield", "limit-small", "qmsum-test"):
        for file in ("corpus.jsonl", "queries.jsonl"):
            for line in (data(name) / file).read_text().splitlines():
                item = json.loads(line)
                yield f"{item.get('title', '')}\n\n{item['text']}"
    with (data("stsb") / "test.csv").open(newline="") as file:
        yield from ("\n\n".join(row[:2]) for row in csv.reader(file))
    yield from files()


def files() -> Iterator[str]:
    """Yield the texts of the real files; those that cannot be read are passed over."""
    from qdrant_embed.errors import ReadError
    from qdrant_embed.reading.files import ReadOptions, SourceFile, find_root, walk
    from qdrant_embed.reading.reader import Reader

    with Reader(ReadOptions()) as reader:
        for file in walk(find_root(data("docs")), ReadOptions()):
            if isinstance(file, SourceFile):
                try:
                    yield reader.read(file).text
                except ReadError:
                    continue


def sentences() -> list[str]:
    """Return every distinct sentence or clause, in reading order."""
    found: dict[str, None] = {}
    for text in texts():
        for sentence in SENTENCE_END.split(text):
            squashed = " ".join(sentence.split())
            for part in [squashed] if len(squashed) <= LONG else CLAUSE_END.split(squashed):
                if len(part) >= SHORTEST:
                    found.setdefault(part)
    return list(found)
