"""Questions drawn from the texts of a collection, each with what answers it: nobody has to judge anything."""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import cycle

from qdrant_embed.errors import ConfigurationError
from qdrant_embed.evaluation.questions import Question
from qdrant_embed.words.splitter import split, terms_of

DRAWN = 200
SHORTEST, LONGEST = 25, 300
"""Characters of a sentence that can stand for a question."""
SHORTEST_HEADING = 8
FEWEST_WORDS, MOST_WORDS = 3, 8
"""Words that are left of a sentence, as many as people type."""
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])|\n+")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredText:
    """A chunk to draw questions from.

    :param index: Its place in its document, from 0.
    """

    id: str
    text: str
    source: str
    title: str = ""
    headings: tuple[str, ...] = ()
    index: int = 0

    @property
    def place(self) -> str:
        """Where a person would look it up."""
        return " › ".join((self.source, *self.headings))


def draw_questions(texts: Iterable[StoredText], count: int = DRAWN, seed: int = 0) -> list[Question]:
    """Return up to `count` questions, twice as many of the first two kinds, as long as there are enough.

    - `heading`: a heading that occurs once, answered by the chunks below it, or a title, answered by its document.
    - `opening`: the first sentence of a document, answered by the rest of it; the chunk that holds the sentence does
      not count (body first selection of Chang and others 2020).
    - `words`: half of a sentence's words, none of which occurs in that chunk alone; the chunk answers them.
    - `sentence`: one sentence of a chunk, which answers it (the inverse cloze task of Lee, Chang and Toutanova 2019).

    The last two stand in what answers them, word for word, so that a search by words can hardly miss it. What is a
    chunk by itself is not asked, since it would find its own vector whatever the setting.

    :raises ConfigurationError: There is nothing to draw from.
    """
    generator = random.Random(seed)  # noqa: S311 - repeatable, not secret
    drawing = _Drawing(texts)
    kinds = (drawing.headings(), drawing.openings(), drawing.words(generator), drawing.sentences(generator))
    pools = [sorted(kind, key=lambda question: (question.text, sorted(question.relevant or ()))) for kind in kinds]
    for pool in pools:
        generator.shuffle(pool)
    if not any(pools):
        raise ConfigurationError("no chunk holds a sentence to ask with; give questions of your own.")
    drawn: list[Question] = []
    heads, tails = pools[:2], pools[2:]
    for pool in cycle([*heads, tails[0], *heads, tails[1]]):
        if len(drawn) == count or not any(pools):
            return sorted(drawn, key=lambda question: (question.kind, question.text))
        drawn += [pool.pop()] if pool else []
    raise AssertionError


class _Drawing:
    """All chunks, and what is known of them together."""

    def __init__(self, texts: Iterable[StoredText]) -> None:
        # The order in which chunks come says nothing, and must not decide what is drawn.
        self._chunks = sorted(texts, key=lambda chunk: (chunk.source, chunk.index, chunk.id))
        self._whole = {chunk.text.strip() for chunk in self._chunks}

    def sentences(self, generator: random.Random) -> Iterator[Question]:
        """Yield one sentence of each chunk that has one of its own."""
        for chunk, own in zip(self._chunks, self._own, strict=True):
            fitting = [sentence for sentence in own if sentence not in self._whole]
            if fitting:
                yield Question(generator.choice(fitting), {chunk.id: 1.0}, kind="sentence")

    def words(self, generator: random.Random) -> Iterator[Question]:
        """Yield half of the words of a sentence of each chunk, without those that no other chunk has."""
        for chunk, own in zip(self._chunks, self._own, strict=True):
            if not own:
                continue
            sentence = generator.choice(own)
            spans = {term.text: sentence[term.start : term.end] for term in split(sentence)}
            shared = [shown for term, shown in spans.items() if self._frequency[term] > 1 and len(term) > 1]
            kept = min(MOST_WORDS, len(shared) // 2)
            if kept >= FEWEST_WORDS:
                places = sorted(generator.sample(range(len(shared)), kept))
                yield Question(" ".join(shared[place] for place in places), {chunk.id: 1.0}, kind="words")

    def headings(self) -> Iterator[Question]:
        """Yield the titles and headings that occur once in the collection."""
        titled: Mapping[str, set[str]] = defaultdict(set)
        below: Mapping[str, Mapping[tuple[str, ...], list[str]]] = defaultdict(lambda: defaultdict(list))
        for chunk in self._chunks:
            titled[chunk.title.strip()].add(chunk.source)
            for depth, heading in enumerate(chunk.headings, 1):
                below[heading.strip()][chunk.source, *chunk.headings[:depth]].append(chunk.id)
        for title, sources in titled.items():
            if len(sources) == 1 and len(title) >= SHORTEST_HEADING:
                yield Question(title, dict.fromkeys(sources, 1.0), kind="heading")
        for heading, paths in below.items():
            if len(paths) == 1 and len(heading) >= SHORTEST_HEADING and heading not in titled:
                yield Question(heading, dict.fromkeys(next(iter(paths.values())), 1.0), kind="heading")

    def openings(self) -> Iterator[Question]:
        """Yield the first sentence of each document of several chunks."""
        counts = Counter(chunk.source for chunk in self._chunks)
        for chunk, own in zip(self._chunks, self._own, strict=True):
            if own and chunk.index == 0 and counts[chunk.source] > 1:
                yield Question(own[0], {chunk.source: 1.0}, kind="opening", left_out=chunk.id)

    @cached_property
    def _own(self) -> Sequence[list[str]]:
        """The sentences of each chunk that no other chunk has."""
        parts = [[s for part in _SENTENCE_END.split(chunk.text) if _fits(s := part.strip())] for chunk in self._chunks]
        holders = Counter(sentence for sentences in parts for sentence in set(sentences))
        return [[sentence for sentence in sentences if holders[sentence] == 1] for sentences in parts]

    @cached_property
    def _frequency(self) -> Counter[str]:
        """In how many chunks each word occurs."""
        return Counter(term for chunk in self._chunks for term in set(terms_of(chunk.text)))


def _fits(text: str) -> bool:
    return SHORTEST <= len(text) <= LONGEST and not text.startswith(("```", "|", "#"))
