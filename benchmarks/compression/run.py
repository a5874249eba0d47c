"""Which bytes give which answers: every compression on Cranfield and on real sentences, in the embedded engine."""

import argparse
import os
import time
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks.common import results_of, save
from benchmarks.compression import calibrated, codes
from benchmarks.compression.plotting import draw, table
from benchmarks.compression.sentences import sentences

HERE = Path(__file__).parent
QUESTIONS, MORE_QUESTIONS = 300, 2000
"""Sentences held out to search with: few for the whole grid, more where small differences are told apart."""
QUICK_SENTENCES = 5000


@cache
def split(quick: bool) -> tuple[list[str], list[str]]:
    """Return the sentences to search, and those to search with."""
    listed = sentences()
    order = np.random.default_rng(0).permutation(len(listed))
    chosen = [listed[place] for place in order[: QUICK_SENTENCES if quick else None]]
    held = QUESTIONS if quick else MORE_QUESTIONS
    return chosen[held:], chosen[:held]


@cache
def vectors(quick: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return the MiniLM vectors of both."""
    from qdrant_embed import load_embedder

    model = load_embedder("minilm")
    stored, asked = split(quick)
    return model.embed_documents(stored), model.embed_queries(asked)


def cranfield_vectors() -> tuple[np.ndarray, np.ndarray]:
    """Return the MiniLM vectors of Cranfield's abstracts and questions."""
    from benchmarks.common import data
    from qdrant_embed import load_embedder

    model = load_embedder("minilm")
    questions = [query["text"] for query in calibrated.read_jsonl(data("cranfield") / "queries.jsonl")]
    return model.embed_documents([d.text for d in calibrated.abstracts()]), model.embed_queries(questions)


def run(part: str, *, quick: bool) -> dict:
    """Return one part's results."""
    if part == "cranfield":
        return calibrated.cranfield(quick=quick)
    stored, asked = split(quick)
    if part == "sentences":
        return calibrated.sentences(stored, asked[:QUESTIONS], quick=quick)
    if part == "rotations":
        found = {"sentences": codes.rotations(*vectors(quick), quick=quick)}
        return found if quick else {**found, "cranfield": codes.rotations(*cranfield_vectors(), quick=False)}
    if part == "peer":
        return codes.peer(vectors(quick)[0], vectors(quick)[1][:QUESTIONS])
    found = {"sentences": codes.learned(*vectors(quick), quick=quick)}
    if not quick:
        found["cranfield"] = codes.learned(*cranfield_vectors(), quick=True)
    return found


def main() -> None:
    """Run the parts asked for, write the results, and draw all that there are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=["cranfield", "sentences", "rotations", "learned", "peer"])
    parser.add_argument("--quick", action="store_true", help="few vectors and settings; results are named quick-…")
    parser.add_argument("--cache", type=Path, help="a file to keep vectors in between runs")
    given = parser.parse_args()
    if given.cache is not None:
        os.environ["QDRANT_EMBED_EMBEDDINGS"] = str(given.cache.resolve())
    prefix = "quick-" if given.quick else ""
    for part in given.parts:
        began = time.perf_counter()
        results = run(part, quick=given.quick)
        save(HERE, f"{prefix}{part}", {**results, "run_s": round(time.perf_counter() - began, 1)})
        print(part, {key: value for key, value in results.items() if key != "trials"}, flush=True)
    draw(results_of(HERE), prefix)
    table(results_of(HERE), prefix)


if __name__ == "__main__":
    main()
