"""Collections and the questions asked of them, the same ones every time: people's, drawn ones, and spoiled ones."""

import csv
import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from benchmarks.common import data
from qdrant_embed import Collection, Document, Recipe
from qdrant_embed.embedding.bm25 import Bm25Encoder
from qdrant_embed.evaluation import Question, StoredText, draw_questions, read_questions
from qdrant_embed.words.splitter import lowered_by, terms_of

Sets = Iterator[tuple[str, Sequence[Question]]]

DRAWN = 600
IDENTIFIERS = 150
ALIKE = 4.0
"""The grade, of 5, from which one sentence of a pair of the STS benchmark answers the other."""
FEW_SHARED = 0.5
"""The largest share of a question's words that its answer may hold, to have few words in common."""
KEYWORDS = 3
SEEN = {
    "heading": "others of the kind",
    "opening": "no",
    "words": "no",
    "sentence": "others of the kind",
    "identifiers": "others of the kind",
}
"""Whether the questions of a set were looked at when the numbers of `hybrid` were chosen; all others were."""
_IDENTIFIER = re.compile(r"\b[a-z]+_[a-z_]+\b|\b[A-Z][a-z]+[A-Z]\w+\b")


@dataclass(frozen=True)
class Corpus:
    """A collection, and what is asked of it.

    :param window: The recipe's.
    :param fill: Ingests, and yields named sets of questions; of a few only where it is given a number.
    :param metric: What says how well a question is answered: `nDCG@10` or `R@2`.
    """

    fill: Callable[[Collection], Sets]
    window: str | None = None
    metric: str = "nDCG@10"

    def recipe(self, model: str) -> Recipe:
        """Return how the collection is made."""
        return Recipe(model=model, window=self.window) if self.window else Recipe(model=model)


def judged(name: str, docs: Collection) -> Sets:
    """Ask what people asked of a set in the BEIR layout."""
    rows = [json.loads(line) for line in (data(name) / "corpus.jsonl").read_text().splitlines() if line.strip()]
    texts = ((row["_id"], f"{row.get('title', '')}. {row['text']}".strip(". ")) for row in rows)
    docs.ingest(Document(text=text, source=key) for key, text in texts if text)
    yield name, [one for one in read_questions(data(name)) if any(grade > 0 for grade in one.relevant.values())]


def cranfield(docs: Collection) -> Sets:
    """Ask Cranfield's questions, their three rarest words, and the questions as hurried people type them."""
    [(name, questions)] = judged("cranfield", docs)
    yield name, questions
    encoder = docs.parts.bm25
    held = Counter(term for chunk in stored(docs) for term in set(encoder.document_terms(chunk.text)))
    yield "keywords", [Question(rarest_words(one.text, held, encoder), one.relevant) for one in questions]
    generator = random.Random(3)
    yield "typing mistakes", [Question(mistyped(one.text, generator), one.relevant) for one in questions]


def rarest_words(text: str, held: Mapping[str, int], encoder: Bm25Encoder) -> str:
    """Return the rarest words of a question that some text holds, in their order; all of it if there are none."""
    words = list(dict.fromkeys(terms_of(lowered_by(encoder.language, text))))
    found = {word: held.get(terms[0], 0) for word in words if (terms := encoder.query_terms(word))}
    rarest = sorted((count, word) for word, count in found.items() if count)[:KEYWORDS]
    kept = {word for _, word in rarest}
    return " ".join(word for word in words if word in kept) or text


def mistyped(text: str, generator: random.Random) -> str:
    """Return a question with two neighboring letters changed about in half of its longer words."""
    words = []
    for word in text.split():
        if len(word) > 4 and generator.random() < 0.5:
            place = generator.randrange(1, len(word) - 2)
            word = word[:place] + word[place + 1] + word[place] + word[place + 2 :]
        words.append(word)
    return " ".join(words)


def fastapi(docs: Collection) -> Sets:
    """Ask FastAPI's pages what `evaluate` draws, kind by kind, and names of code that one or two pages hold."""
    docs.ingest(data("docs") / "fastapi")
    texts = stored(docs)
    drawn = draw_questions(texts, DRAWN, 3)
    for kind in ("heading", "opening", "words", "sentence"):
        if asked := [one for one in drawn if one.kind == kind]:
            yield kind, asked
    holders: dict[str, set[str]] = defaultdict(set)
    for text in texts:
        for name in _IDENTIFIER.findall(text.text):
            holders[name].add(text.source)
    rare = sorted(name for name, sources in holders.items() if len(sources) <= 2)
    random.Random(5).shuffle(rare)
    if rare:
        yield "identifiers", [Question(name, dict.fromkeys(holders[name], 1.0)) for name in rare[:IDENTIFIERS]]


def stsb(docs: Collection) -> Sets:
    """Ask with one sentence of each pair that means the same; also those alone that share few words."""
    with (data("stsb") / "test.csv").open() as file:
        pairs = [row for row in csv.reader(file) if len(row) == 3 and row[2][:1].isdigit()]
    alike: dict[str, set[str]] = defaultdict(set)
    for one, other, grade in pairs:
        if float(grade) >= ALIKE and one != other:
            alike[one].add(other)
    texts = sorted({text for one, other, _ in pairs for text in (one, other)} - alike.keys())
    docs.ingest(Document(text=text, source=text) for text in texts)
    answers = {one: others - alike.keys() for one, others in sorted(alike.items())}
    questions = [Question(one, dict.fromkeys(sorted(others), 1.0)) for one, others in answers.items() if others]
    yield "paraphrases", questions
    encoder = docs.parts.bm25
    yield "paraphrases, few words shared", [one for one in questions if shared(one, encoder) <= FEW_SHARED]


def shared(question: Question, encoder: Bm25Encoder) -> float:
    """Return the share of a question's words that the nearest of its answers holds."""
    asked = set(encoder.query_terms(question.text))
    held = [len(asked & set(encoder.document_terms(text))) for text in question.relevant or ()]
    return max(held, default=0) / max(1, len(asked))


def stored(docs: Collection) -> list[StoredText]:
    """Return all chunks, as questions are drawn from them."""
    hits = [hit for document in docs.documents() for hit in docs.chunks(document.source)]
    return [
        StoredText(
            id=hit.id, text=hit.text, source=hit.source, title=hit.title, headings=hit.headings, index=hit.chunk_index
        )
        for hit in hits
    ]


CORPORA = {
    "cranfield": Corpus(cranfield),
    "limit": Corpus(partial(judged, "limit-small"), metric="R@2"),
    "fastapi": Corpus(fastapi),
    "stsb": Corpus(stsb),
    "qmsum": Corpus(partial(judged, "qmsum-test"), window="late"),
}
