"""Texts longer than the model: accuracy of every strategy on LongEmbed's synthetic tasks and on real transcripts."""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.common import results_of, save
from benchmarks.long_context.cost import DIM_BYTES, apart, scanning
from benchmarks.long_context.drawing import draw, table
from benchmarks.long_context.official import SETS, official
from benchmarks.long_context.reading import Documents, embedder
from benchmarks.long_context.scoring import measured
from benchmarks.long_context.strategies import STRATEGIES, lexical
from benchmarks.long_context.tasks import LENGTHS, Task, beir, needle, passkey, prose

HERE = Path(__file__).parent
READ = (
    ("truncate", 256), ("truncate", 512), ("pcw", 256), ("pcw", 512), ("pcw:length-weighted", 256), ("windows", 256),
    ("windows", 512), ("windows:128", 256), ("gp:4096", 256), ("rp:4096", 256), ("pi:4096", 256), ("late", 256),
    ("pi:4096+late", 256),
)  # fmt: skip
"""Window strategies whose speed is measured, and what the preset says the model reads."""


def measure(task: Task, part: str) -> dict:
    """Return every strategy's accuracy and vectors on one task.

    :param part: Decides which strategies are measured at this length.
    """
    documents = Documents(list(task.documents.values()))
    questions = list(task.queries.values())
    asked = embedder("truncate").embed_queries(questions)
    rows = {}
    for strategy in STRATEGIES:
        if task.length <= strategy.longest(part) and strategy.longest(part):
            began = time.perf_counter()
            bags = strategy.bags(documents)
            count = sum(map(len, bags)) / len(bags)
            rows[strategy.name] = {
                **measured(task, strategy.score(asked, bags)),
                "kind": strategy.kind,
                "vectors_per_document": round(count, 1),
                "bytes_per_document": round(count * bags[0].shape[1] * DIM_BYTES),
            }
            seconds = time.perf_counter() - began
            print(f"{task.name} {task.length or ''} {strategy.name}: {rows[strategy.name]} {seconds:.0f} s", flush=True)
    for name, scores in lexical(questions, asked, documents).items():
        rows[name] = {**measured(task, scores), "kind": "built here"}
        print(f"{task.name} {task.length or ''} {name}: {rows[name]}", flush=True)
    return {"length": task.length, "queries": len(task.queries), "documents": len(task.documents), "strategies": rows}


def synthetic(name: str, *, quick: bool) -> dict:
    """Measure one of the synthetic tasks at every length."""
    lengths = (512, 2048) if quick else LENGTHS
    counts = {"documents": 20, "queries": 10} if quick else {"documents": 100, "queries": 50}
    make: Callable[[int], Task] = lambda length: passkey(length, **counts)  # noqa: E731 - chosen below
    if name == "needle":
        haystack = prose()
        make = lambda length: needle(length, haystack, **counts)  # noqa: E731 - as above
    return {"tasks": [measure(make(length), name) for length in lengths]}


def real(name: str, *, quick: bool) -> dict:
    """Measure a data set in BEIR layout."""
    task = beir(name)
    if quick:
        kept = dict(list(task.documents.items())[:4])
        relevant = {query: found for query, found in task.relevant.items() if set(found) <= set(kept)}
        queries = {query: task.queries[query] for query in relevant}
        task = Task(task.name, task.length, queries, kept, relevant)
    return {"tasks": [measure(task, "qmsum")]}


def costs(*, quick: bool) -> dict:
    """Measure what reading costs, and comparing a question with what is stored."""
    documents = "2" if quick else "16"
    reading = [apart(window, "--tokens", str(tokens), "--documents", documents) for window, tokens in READ]
    rounds = "1" if quick else "3"
    ratios = [apart(method, "--ratio", rounds, "--documents", "1" if quick else "8") for method in ("gp", "pi")]
    compared = {str(vectors): scanning(vectors) for vectors in (1, 8, 16, 32, 128, 256)}
    return {"reading": reading, "token_cost_at_4096_over_512": ratios, "ms_to_compare_1000_documents": compared}


def parts(*, quick: bool) -> dict[str, Callable[[], dict]]:
    """Return what can be run, by name."""
    made: dict[str, Callable[[], dict]] = {
        "passkey": lambda: synthetic("passkey", quick=quick),
        "needle": lambda: synthetic("needle", quick=quick),
        "qmsum": lambda: real("qmsum-test", quick=quick),
        "cost": lambda: costs(quick=quick),
    }
    return made | {f"official-{name}": lambda name=name: {"tasks": list(_official(name))} for name in SETS}


def _official(name: str) -> Iterator[dict]:
    for task in official(name):
        yield measure(task, name if name in ("passkey", "needle") else "qmsum")


def main() -> None:
    """Run the parts asked for, write the results, and draw what there is."""
    parser = argparse.ArgumentParser(description=__doc__)
    known = parts(quick=False)
    usual = [name for name in known if not name.startswith("official-")]
    parser.add_argument("parts", nargs="*", help=f"some of {', '.join(known)}; those that need no network if none")
    parser.add_argument("--quick", action="store_true", help="few documents and lengths; results are named quick-…")
    parser.add_argument("--memory", type=Path, help="a file in which window vectors are kept between runs")
    given = parser.parse_args()
    if unknown := set(given.parts) - set(known):
        parser.error(f"unknown parts {sorted(unknown)}; known: {', '.join(known)}")
    with tempfile.TemporaryDirectory() as temporary:
        # Strategies share windows, and documents of a synthetic task share filler: each is read once.
        os.environ["QDRANT_EMBED_EMBEDDINGS"] = str(given.memory or Path(temporary) / "vectors.sqlite")
        prefix = "quick-" if given.quick else ""
        for part in given.parts or usual:
            began = time.perf_counter()
            results = parts(quick=given.quick)[part]()
            save(HERE, prefix + part, {**results, "run_s": round(time.perf_counter() - began, 1)})
    draw(results_of(HERE), prefix)
    (results_of(HERE) / f"{prefix}table.md").write_text(table(results_of(HERE), prefix))


if __name__ == "__main__":
    main()
