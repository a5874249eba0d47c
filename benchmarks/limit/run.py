"""LIMIT: which pairs of documents can a search bring up together, by one vector, by words, and by both?"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.common import data, save, token_bytes
from benchmarks.limit.generate import PATTERNS, LimitSet, generate, read
from qdrant_embed import Collection, Document, Recipe
from qdrant_embed.evaluation.exact_search import exact_search
from qdrant_embed.retrieval import Mode

HERE = Path(__file__).parent
PARTS = ("small", "generated")
WIDTHS = (32, 64, 128, 256, 384)
MODES: tuple[Mode, ...] = ("dense", "bm25", "hybrid")
FEW = 1_000
"""Documents, at the most, of which hits are ranked again: that reads fifty for each question."""
ASKED = 50
"""Questions searched at once."""
AT = (2, 10, 20, 100)
"""The paper gives 2, 10 and 20 for its small set, 2, 10 and 100 for its large one."""


def recalls(found: Sequence[Sequence[str]], relevant: Sequence[frozenset[str]], documents: int) -> dict[str, float]:
    """Return the mean share of each question's two documents among the first k, for each k below all documents."""
    return {
        f"R@{k}": round(
            float(np.mean([len(pair & set(names[:k])) / 2 for names, pair in zip(found, relevant, strict=True)])), 4
        )
        for k in AT
        if k < documents
    }


def measure(made: LimitSet, given: argparse.Namespace) -> dict:
    """Return the recalls of each mode of a collection, and of exact search over fewer and fewer dimensions.

    Documents stay whole: one vector each.
    """
    with tempfile.TemporaryDirectory() as at:
        recipe = Recipe(model=given.model, chunker="document", multivector=given.multivector)
        with Collection.open("limit", at=Path(at), recipe=recipe) as collection:
            began = time.perf_counter()
            collection.ingest(Document(text=text, source=name) for name, text in made.documents.items())
            ingest = time.perf_counter() - began
            scores, seconds = {}, {}
            for mode in MODES:
                for rerank in (None, given.rerank) if len(made.documents) <= FEW else (None,):
                    began, name = time.perf_counter(), f"{mode}+{rerank}" if rerank else mode
                    found = names_found(collection, made, mode, rerank)
                    seconds[name] = round(time.perf_counter() - began, 2)
                    scores[name] = recalls(found, made.relevant, len(made.documents))
            scores |= of_widths(collection, made)
            capacity, per_chunk = collection.vectors.capacity(), token_bytes(collection)
    return {
        "documents": len(made.documents), "questions": len(made.questions), "model": given.model, "recalls": scores,
        "critical_n": capacity.documents, "ingest_s": round(ingest, 1), "search_s": seconds, "token_bytes": per_chunk,
    }  # fmt: skip


def names_found(collection: Collection, made: LimitSet, mode: Mode, rerank: str | None) -> list[list[str]]:
    """Return the names that a search finds for each question, some at a time: each answer holds a hundred texts."""
    k = min(max(AT), len(made.documents))
    found = []
    for start in range(0, len(made.questions), ASKED):
        answers = collection.search(made.questions[start : start + ASKED], k=k, mode=mode, rerank=rerank)
        found += [[hit.source for hit in hits] for hits in answers]
    return found


def of_widths(collection: Collection, made: LimitSet) -> dict[str, dict[str, float]]:
    """Return the recalls of exact search, of the first dimensions of the vectors that a collection holds."""
    frame = collection.to_pandas(vectors=True)
    vectors, names = np.stack(frame["vector"].to_list()), frame["source"].to_list()
    queries = collection.embedder.embed_queries(made.questions)
    scores = {}
    for width in WIDTHS:
        if width <= vectors.shape[1]:
            k = min(max(AT), len(names))
            places = exact_search(vectors[:, :width], queries[:, :width], k, "cosine").places
            found = [[names[place] for place in row] for row in places]
            scores[f"dense, exact, {width}d"] = recalls(found, made.relevant, len(names))
    return scores


def table(results: dict) -> str:
    """Return a Markdown table of recalls."""
    columns = list(results["recalls"]["bm25"])
    lines = [f"| search | {' | '.join(columns)} |", f"|---|{'---|' * len(columns)}"]
    for name, row in results["recalls"].items():
        lines.append(f"| {name} | {' | '.join(f'{row[column]:.3f}' for column in columns)} |")
    return "\n".join(lines)


def main() -> None:
    """Run the parts asked for and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"some of {', '.join(PARTS)}; all if none is named")
    parser.add_argument("--documents", type=int, default=50_000, help="of the generated set")
    parser.add_argument("--pattern", default="dense", choices=PATTERNS, help="how its questions pair up documents")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--model", default="minilm", help="what embeds")
    parser.add_argument("--rerank", default="tokens", help="what ranks the hits of each mode again")
    parser.add_argument("--multivector", default="", help="of the recipe: self for codes of tokens; named …-self")
    parser.add_argument("--quick", action="store_true", help="100 questions about 60 documents; named quick-…")
    given = parser.parse_args()
    if unknown := set(given.parts) - set(PARTS):
        parser.error(f"unknown parts {sorted(unknown)}; known: {', '.join(PARTS)}")
    for part in given.parts or PARTS:
        if part == "small":
            name, made = part, read(data("limit-small"))
        else:
            sizes = (60, 100) if given.quick else (given.documents, 1_000)
            name, made = f"{given.pattern}-{sizes[0]}", generate(*sizes, given.pattern, seed=given.seed)
        results = measure(made, given)
        name += f"-{given.multivector.replace(':', '-')}" if given.multivector else ""
        save(HERE, f"quick-{name}" if given.quick else name, results)
        print(f"{name}\n{table(results)}\n", flush=True)


if __name__ == "__main__":
    main()
