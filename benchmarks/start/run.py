"""How long commands take in a new process, and what environments weigh and take to install, beside other libraries'."""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from benchmarks.common import results_of, save
from benchmarks.start import tables
from benchmarks.start.cold import Installation
from benchmarks.start.environments import FOLDER, KINDS, PROJECT, Bench
from benchmarks.start.processes import environment, timed

HERE = Path(__file__).parent


def main() -> None:
    """Measure what is asked for, and put the tables of all results together."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", help="cold, environments; both if none is named")
    parser.add_argument("--runs", type=int, default=10, help="how often each command is timed")
    parser.add_argument("--commands", nargs="+", default=[], help="of the cold ones, some")
    parser.add_argument("--model", default="minilm", help="what embeds, in the part cold")
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=list(KINDS), help="some environments")
    parser.add_argument("--before", default="HEAD", help="the commit to compare with")
    parser.add_argument("--one", action="store_true", help="print the part cold, save nothing")
    given = parser.parse_args()
    if unknown := set(given.parts) - {"cold", "environments"}:
        parser.error(f"unknown parts {sorted(unknown)}; known: cold, environments")
    parts = given.parts or ["cold", "environments"]
    if given.one:
        print(json.dumps(started(given.model, given.runs, given.commands)))
        return
    if "cold" in parts:
        save(HERE, "cold", started(given.model, given.runs, given.commands))
    if "environments" in parts:
        with tempfile.TemporaryDirectory(prefix="qdrant-embed-start-") as at:
            bench = Bench(Path(at), given.before, given.runs)
            for kind in given.kinds:
                print(f"== {kind}", file=sys.stderr, flush=True)
                save(HERE, tables.file_of(kind), {"kind": kind, "before": given.before, **bench.measured(kind)})
    print(tables.written(results_of(HERE)))


def started(model: str, runs: int, names: list[str]) -> dict:
    """Return the cold times of this interpreter's installation, and what a search imports."""
    tree = Installation.of_tree(PROJECT)
    with tempfile.TemporaryDirectory(prefix="qdrant-embed-start-") as at:
        timed([*tree.program, "ingest", FOLDER, "--model", model, "--at", at], environment(), PROJECT)
        found = {"runs": runs, "commands": tree.measured(Path(at), runs, names)}
        return found if names else {**found, "imports_ms": tree.imports(Path(at))}


if __name__ == "__main__":
    main()
