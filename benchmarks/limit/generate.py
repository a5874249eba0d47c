"""LIMIT (Weller et al. 2025, section 5): people who like things, and questions whose two right answers pair up people.

The paper's own files, or a set made in their way of words of ours, of any size and the same for the same seed.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations, count, islice
from math import comb
from pathlib import Path
from random import Random

from benchmarks.limit.words import FIRST_NAMES, SURNAMES, THINGS

ASK, END = "Who likes ", "?"
Pairs = list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class LimitSet:
    """Documents, questions and right answers.

    :param documents: Name of a person to the text that says what they like.
    :param relevant: For each question, the names of the two people who are right.
    """

    documents: dict[str, str]
    questions: list[str]
    relevant: list[frozenset[str]]


def every_pair(_documents: int, questions: int, _random: Random) -> Pairs:
    """Return all pairs of as few documents as have so many (46 for 1 000 questions), in their order."""
    few = next(number for number in count(2) if comb(number, 2) >= questions)
    return list(islice(combinations(range(few), 2), questions))


def random_pairs(documents: int, questions: int, random: Random) -> Pairs:
    """Return pairs drawn from all documents, each once."""
    drawn: dict[tuple[int, int], None] = {}
    while len(drawn) < min(questions, comb(documents, 2)):
        left, right = sorted(random.sample(range(documents), 2))
        drawn.setdefault((left, right))
    return list(drawn)


def cycle(_documents: int, questions: int, _random: Random) -> Pairs:
    """Return pairs of which each shares a document with the next one, and the last with the first."""
    return [(place, (place + 1) % questions) for place in range(questions)]


def disjoint(_documents: int, questions: int, _random: Random) -> Pairs:
    """Return pairs that share no document."""
    return [(2 * place, 2 * place + 1) for place in range(questions)]


PATTERNS: dict[str, Callable[[int, int, Random], Pairs]] = {
    "dense": every_pair, "random": random_pairs, "cycle": cycle, "disjoint": disjoint,
}  # fmt: skip


def generate(
    documents: int = 50_000, questions: int = 1_000, pattern: str = "dense", attributes: int = 45, seed: int = 42
) -> LimitSet:
    """Make a set and check it.

    :param pattern: How the questions pair up documents; a key of `PATTERNS`.
    :param attributes: How many things each person likes.
    :raises ValueError: No such set can be made; the numbers that do not fit together are given.
    """
    random = Random(seed)
    if documents > len(FIRST_NAMES) * len(SURNAMES):
        raise ValueError(f"{documents} documents; there are names for {len(FIRST_NAMES) * len(SURNAMES)}")
    if questions + attributes > len(THINGS):
        raise ValueError(f"{questions} questions and {attributes} attributes; there are only {len(THINGS)} things")
    pairs = PATTERNS[pattern](documents, questions, random)
    needed = 1 + max(map(max, pairs))
    if needed > documents or len(pairs) < questions:
        raise ValueError(f"{documents} documents are too few for {questions} questions of the pattern {pattern!r}")
    things = random.sample(THINGS, len(THINGS))
    asked, others = things[:questions], things[questions:]
    liked: dict[int, list[str]] = defaultdict(list)
    for thing, pair in zip(asked, pairs, strict=True):
        for person in pair:
            liked[person].append(thing)
    if (most := max(map(len, liked.values()))) > attributes:
        raise ValueError(f"a document answers {most} questions and has only {attributes} attributes")
    names = _names(documents, random)
    texts = [_text(name, liked[person], others, attributes, random) for person, name in enumerate(names)]
    # Those that answer stand anywhere among the others, so that equal scores favor nobody.
    mixed = random.sample(range(documents), documents)
    made = LimitSet(
        documents={names[person]: texts[person] for person in mixed},
        questions=[f"{ASK}{thing}{END}" for thing in asked],
        relevant=[frozenset(names[person] for person in pair) for pair in pairs],
    )
    check(made)
    return made


def _names(how_many: int, random: Random) -> list[str]:
    drawn = random.sample(range(len(FIRST_NAMES) * len(SURNAMES)), how_many)
    return [f"{FIRST_NAMES[place % len(FIRST_NAMES)]} {SURNAMES[place // len(FIRST_NAMES)]}" for place in drawn]


def _text(name: str, asked: list[str], others: list[str], attributes: int, random: Random) -> str:
    """Say what a person likes, in any order: what is asked for, and others that no question names."""
    things = [*asked, *random.sample(others, attributes - len(asked))]
    random.shuffle(things)
    return f"{name} likes {', '.join(things[:-1])} and {things[-1]}."


def likes(name: str, text: str) -> list[str]:
    """Read what a person likes back from a text."""
    *first, last = text.removeprefix(f"{name} likes ").removesuffix(".").split(", ")
    return [*first, *last.rsplit(" and ", 1)]


def check(made: LimitSet) -> None:
    """Read a set back and hold it to what the paper says of one.

    :raises ValueError: Two questions have the same answers, a question's thing is not liked by exactly these, or people
        like unequally many things, or one twice.
    """
    if len(set(made.relevant)) < len(made.questions) or any(len(pair) != 2 for pair in made.relevant):
        raise ValueError("the questions' answers are not pairs that differ")
    holders: dict[str, set[str]] = defaultdict(set)
    sizes: Counter[int] = Counter()
    for name, text in made.documents.items():
        things = likes(name, text)
        sizes[len(things)] += 1
        if len(set(things)) < len(things):
            raise ValueError(f"{name} likes something twice: {text}")
        for thing in things:
            holders[thing].add(name)
    if len(sizes) > 1:
        raise ValueError(f"people like unequally many things (number: people): {dict(sizes)}")
    for question, pair in zip(made.questions, made.relevant, strict=True):
        thing = question.removeprefix(ASK).removesuffix(END)
        if holders[thing] != pair:
            raise ValueError(f"{thing} should be liked by {sorted(pair)}, and is by {sorted(holders[thing])}")


def read(folder: Path) -> LimitSet:
    """Read a set in BEIR's layout, such as the paper's `limit-small`."""

    def entries(name: str) -> dict[str, str]:
        lines = map(json.loads, (folder / name).read_text().splitlines())
        return {line["_id"]: line["text"] for line in lines}

    questions = entries("queries.jsonl")
    right: dict[str, set[str]] = defaultdict(set)
    for line in (folder / "qrels" / "test.tsv").read_text().splitlines()[1:]:
        question, document, _ = line.split("\t")
        right[question].add(document)
    return LimitSet(entries("corpus.jsonl"), list(questions.values()), [frozenset(right[key]) for key in questions])
