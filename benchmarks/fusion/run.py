"""Fusion: what is the default search worth beside its parts, fusion by rank, and other libraries' hybrid searches?"""

import argparse
import tempfile
from pathlib import Path

from benchmarks.common import results_of, save
from benchmarks.fusion import drawing
from benchmarks.fusion.peers import installed
from benchmarks.fusion.scoring import compared, scores
from benchmarks.fusion.sets import CORPORA, SEEN, Corpus
from benchmarks.fusion.ways import Chunks, embedded_once, ours
from qdrant_embed import Collection

HERE = Path(__file__).parent
FEW = 40


def measure(name: str, corpus: Corpus, model: str, most: int | None) -> dict:
    """Return what every way is worth on each set of questions of one collection."""
    with tempfile.TemporaryDirectory() as at, Collection.open(name, at=Path(at), recipe=corpus.recipe(model)) as docs:
        sets = {asked: list(questions)[:most] for asked, questions in corpus.fill(docs)}
        chunks = Chunks.of(docs)
        ways = {**ours(docs), **installed(docs, chunks)}
        found = {}
        for asked, questions in sets.items():
            texts = [question.text for question in questions]
            with embedded_once(docs, texts):
                rankings = {way: search(texts) for way, search in ways.items()}
            by_way = {way: scores(questions, row, chunks.sources, corpus.metric) for way, row in rankings.items()}
            found[asked] = {"seen": SEEN.get(asked, "yes"), **compared(by_way)}
            print(f"{asked}: { ({way: round(float(row.mean()), 3) for way, row in by_way.items()}) }", flush=True)
    return {"model": model, "metric": corpus.metric, "chunks": len(chunks.sources), "sets": found}


def main() -> None:
    """Run the parts asked for, write the results, and draw those of all parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"some of {', '.join(CORPORA)}; all if none is named")
    parser.add_argument("--model", default="minilm", help="what embeds")
    parser.add_argument("--quick", action="store_true", help=f"{FEW} questions of each set; named quick-…")
    given = parser.parse_args()
    if unknown := set(given.parts) - CORPORA.keys():
        parser.error(f"unknown parts {sorted(unknown)}; known: {', '.join(CORPORA)}")
    prefix = "quick-" if given.quick else ""
    for part in given.parts or CORPORA:
        save(HERE, f"{prefix}{part}", measure(part, CORPORA[part], given.model, FEW if given.quick else None))
    drawing.draw(results_of(HERE), prefix)
    print(drawing.table(results_of(HERE), prefix))


if __name__ == "__main__":
    main()
