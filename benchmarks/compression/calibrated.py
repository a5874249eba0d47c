"""Both sets calibrated as a user would: ingested, then `qdrant-embed calibrate` with the questions in a file."""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmarks.common import data
from qdrant_embed import Collection, Document, Recipe

RESULTS = Path(__file__).parent / "results"
TARGET = "0.99"
QUICK = ("float32", "binary", "binary2", "center+rotate+binary+query8", "bits")


def calibrate(name: str, documents: Iterable[Document], questions: Iterable[dict], *, quick: bool) -> dict:
    """Ingest, calibrate for a recall of 0.99, and keep the plot and the page; return what the command printed."""
    with tempfile.TemporaryDirectory() as temporary:
        at, asked, out = (Path(temporary) / part for part in ("at", "questions.jsonl", "out"))
        asked.write_text("".join(json.dumps(question) + "\n" for question in questions))
        with Collection.open(name, at=at, recipe=Recipe(model="minilm")) as collection:
            collection.ingest(documents)
            capacity = str(collection.vectors.capacity())
        command = [sys.executable, "-m", "qdrant_embed", "calibrate", "--at", str(at), "--collection", name]
        command += ["--queries", str(asked), "--target-recall", TARGET, "--out", str(out), "--json"]
        command += [word for setting in (QUICK if quick else ()) for word in ("--setting", setting)]
        # Exit code 1 says that nothing met the target, which is a result too.
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        found = json.loads(done.stdout)
        shutil.copyfile(out / "calibration.png", RESULTS / f"{'quick-' if quick else ''}{name}.png")
    unstored = {"at", "files", "applied"}
    return {**{key: value for key, value in found.items() if key not in unstored}, "capacity": capacity}


def cranfield(*, quick: bool) -> dict:
    """Calibrate Cranfield with its own questions and judgments."""
    folder = data("cranfield")
    judged: dict[str, dict[str, float]] = {}
    for line in (folder / "qrels" / "test.tsv").read_text().splitlines()[1:]:
        query, document, grade = line.split("\t")
        judged.setdefault(query, {})[document] = max(0.0, float(grade))
    asked = [query for query in read_jsonl(folder / "queries.jsonl") if query["_id"] in judged]
    questions = ({"text": query["text"], "relevant": judged[query["_id"]]} for query in asked)
    return calibrate("cranfield", abstracts(), questions, quick=quick)


def sentences(stored: list[str], asked: list[str], *, quick: bool) -> dict:
    """Calibrate sentences with others of them as questions."""
    documents = (Document(text=text, source=str(number)) for number, text in enumerate(stored))
    return calibrate("sentences", documents, ({"text": text} for text in asked), quick=quick)


def abstracts() -> Iterator[Document]:
    """Yield Cranfield's documents; one of them is empty and left out."""
    for item in read_jsonl(data("cranfield") / "corpus.jsonl"):
        text = f"{item.get('title', '')}. {item['text']}".strip(". ")
        if text:
            yield Document(text=text, source=item["_id"])


def read_jsonl(path: Path) -> list[dict]:
    """Read one JSON value a line."""
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
