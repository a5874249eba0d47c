"""Confidence: does `confidence` tell questions whose answers were taken away from those whose answers are there?"""

import argparse
import csv
import json
import math
import random
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.common import data, save
from qdrant_embed import Collection, Document, Recipe
from qdrant_embed.embedding.bm25 import Bm25Encoder
from qdrant_embed.evaluation import Question, StoredText, draw_questions, read_questions
from qdrant_embed.evaluation.answer_confidence import BIAS, WEIGHTS, features
from qdrant_embed.retrieval.term_query import SATURATION

HERE = Path(__file__).parent
SETS = ("fastapi", "cranfield", "limit-small", "qmsum-test", "stsb")
DEPTH, LIST = 400, 100
"""Hits asked for, so that a list is whole after the answers have been taken out of it."""
ASKED = 300
ALIKE = 4.2
"""The grade from which one sentence of a pair of the STS benchmark answers the other."""
HIGHEST = SATURATION + 1.0
"""What BM25 multiplies a term's inverse document frequency by at the most."""


@dataclass(frozen=True)
class Asked:
    """A question's features while the answers are there, and when they are not."""

    kind: str
    answered: tuple[float, ...]
    taken: tuple[float, ...]


def main() -> None:
    """Measure every set, or one, which is printed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one", choices=SETS, help="measure this set alone, print it, save nothing")
    parser.add_argument("--model", default="minilm")
    parser.add_argument("--at", help="a folder for the collections, which are kept there")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        at = Path(given.at or temporary)
        asked = {name: list(measured(name, at, given.model)) for name in ([given.one] if given.one else SETS)}
    results = {"model": given.model, "aucs": aucs(asked, WEIGHTS), "kept": {n: kept(rows) for n, rows in asked.items()}}
    if given.one:
        print(json.dumps(results))
        return
    every = fitted(list(asked.values()))
    results["fitted_weights_then_bias"] = [round(float(weight), 2) for weight in every]
    results["aucs_by_weights_of_the_other_sets"] = {}
    for name in asked:
        weights = fitted([rows for other, rows in asked.items() if other != name])[:-1]
        results["aucs_by_weights_of_the_other_sets"] |= aucs({name: asked[name]}, weights)
    print(save(HERE, "confidence", results).read_text())


def measured(name: str, at: Path, model: str) -> Iterator[Asked]:
    """Yield a set's questions, each ranked with and without what answers it."""
    with Collection.open(name, at=at / name, recipe=Recipe(model=model)) as docs:
        questions = list(filled(name, docs))
        chunks = [hit for document in docs.documents() for hit in docs.chunks(document.source)]
        terms = Terms(docs.parts.bm25, [f"{' '.join((hit.title, *hit.headings))} {hit.text}" for hit in chunks])
        sources = {hit.id: hit.source for hit in chunks}
        texts = [question.text for question in questions]
        lists = [docs.search(texts, k=DEPTH, mode=mode) for mode in ("dense", "bm25")]
        for question, dense, words in zip(questions, *lists, strict=True):
            relevant = {sources.get(key, key) for key, grade in (question.relevant or {}).items() if grade > 0}
            yield Asked(
                question.kind,
                *(
                    features(*(scores(hits, question, gone) for hits in (dense, words)), **terms.of(question.text))
                    for gone in (set(), relevant)
                ),
            )


def scores(hits: Sequence, question: Question, gone: set[str]) -> list[float]:
    """Return the scores of a list without some documents, and without the chunk that holds the question."""
    return [hit.score for hit in hits if hit.source not in gone and hit.id != question.left_out][:LIST]


class Terms:
    """How much the terms of a question weigh in a collection."""

    def __init__(self, encoder: Bm25Encoder, texts: Sequence[str]) -> None:
        self._encoder, self._count = encoder, len(texts)
        self._frequency = Counter(term for text in texts for term in set(encoder.encode_query(text)[0]))

    def of(self, question: str) -> dict[str, float]:
        """Return the highest score that BM25 could give, and the number of terms."""
        found = self._encoder.encode_query(question)[0]
        held = [self._frequency[term] for term in found]
        mass = sum(math.log(1 + (self._count - n + 0.5) / (n + 0.5)) for n in held)
        return {"most": HIGHEST * mass, "terms": len(found)}


def filled(name: str, docs: Collection) -> list[Question]:
    """Fill a collection, if it is empty, and return the questions to ask."""
    if name == "fastapi":
        docs.ingest(data("docs") / "fastapi")
        chunks = [hit for document in docs.documents() for hit in docs.chunks(document.source)]
        texts = [StoredText(id=hit.id, text=hit.text, source=hit.source, title=hit.title, headings=hit.headings,
                            index=hit.chunk_index) for hit in chunks]  # fmt: skip
        return [one for one in draw_questions(texts, 2 * ASKED, 3) if one.kind != "sentence"]
    if name == "stsb":
        return paraphrases(docs)
    rows = [json.loads(line) for line in (data(name) / "corpus.jsonl").read_text().splitlines() if line.strip()]
    texts = ((row["_id"], f"{row.get('title', '')}. {row['text']}".strip(". ")) for row in rows)
    docs.ingest(Document(text=text, source=key) for key, text in texts if text)
    return drawn([one for one in read_questions(data(name)) if any(grade > 0 for grade in one.relevant.values())])


def paraphrases(docs: Collection) -> list[Question]:
    """Ask with one sentence of each pair that means the same; the others are the documents."""
    with (data("stsb") / "test.csv").open() as file:
        pairs = [row for row in csv.reader(file) if len(row) == 3 and row[2][:1].isdigit()]
    alike = drawn([(one, other) for one, other, grade in pairs if float(grade) >= ALIKE and one != other])
    asking = {one for one, _ in alike}
    texts = sorted({text for one, other, _ in pairs for text in (one, other)} - asking)
    docs.ingest(Document(text=text, source=text) for text in texts)
    return [Question(one, {other: 1.0}) for one, other in alike if other not in asking]


def drawn(pool: list) -> list:
    """Return so many of them, the same ones every time."""
    random.Random(1).shuffle(pool)
    return pool[:ASKED]


def aucs(asked: dict[str, list[Asked]], weights: Sequence[float]) -> dict[str, float]:
    """Return the AUC of each set, and of each kind of drawn questions."""
    groups = dict(asked)
    for name, rows in asked.items():
        kinds = sorted({one.kind for one in rows} - {"given"})
        groups |= {f"{name} {kind}": [one for one in rows if one.kind == kind] for kind in kinds}
    return {name: round(auc(rows, weights), 3) for name, rows in groups.items() if rows}


def auc(rows: Sequence[Asked], weights: Sequence[float]) -> float:
    """Return how often a question with its answers is trusted more than one without."""
    there, taken = (np.array([getattr(one, side) for one in rows]) @ weights for side in ("answered", "taken"))
    return float(((there[:, None] > taken).mean() + (there[:, None] >= taken).mean()) / 2)


def kept(rows: Sequence[Asked]) -> dict[str, list[float]]:
    """Return the shares of questions kept at several confidences, with their answers and without."""
    levels = {}
    for least in (0.3, 0.5, 0.7):
        bound = math.log(least / (1 - least)) - BIAS
        sides = [[getattr(one, side) for one in rows] for side in ("answered", "taken")]
        levels[str(least)] = [round(float((np.array(side) @ WEIGHTS >= bound).mean()), 2) for side in sides]
    return levels


def fitted(sets: Sequence[Sequence[Asked]]) -> np.ndarray:
    """Return weights and bias of a logistic regression over every other question, each set counting the same."""
    halves = [rows[::2] for rows in sets]
    x = np.array([row for rows in halves for side in ("answered", "taken") for row in (getattr(o, side) for o in rows)])
    y = np.concatenate([np.repeat([1.0, 0.0], len(rows)) for rows in halves])
    share = np.concatenate([np.full(2 * len(rows), 1 / len(rows)) for rows in halves]) / len(sets)
    mean, deviation = x.mean(axis=0), x.std(axis=0) + 1e-9
    x = np.column_stack([(x - mean) / deviation, np.ones(len(x))])
    weights, ridge = np.zeros(x.shape[1]), np.diag([0.01] * (x.shape[1] - 1) + [1e-9])
    for _ in range(50):
        p = 1 / (1 + np.exp(-x @ weights))
        hessian = (x.T * (share * p * (1 - p))) @ x + ridge
        weights -= np.linalg.solve(hessian, x.T @ (share * (p - y)) + ridge @ weights)
    plain = weights[:-1] / deviation
    return np.append(plain, weights[-1] - plain @ mean)


if __name__ == "__main__":
    main()
