"""Held-out questions for a collection: given, or drawn from its own chunks."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from qdrant_embed.display import reason
from qdrant_embed.errors import ConfigurationError

_SENTENCE_END = re.compile(r"(?<=[.!?。])\s+|\n+")
SHORTEST, LONGEST = 25, 300
"""Characters of a sentence that can stand for a question."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question, and what answers it where somebody judged that.

    :param relevant: Grades by `source` of a document; None if nobody judged.
    """

    text: str
    relevant: Mapping[str, float] | None = None


def read_questions(path: str | Path) -> list[Question]:
    """Read questions: one a line, or JSON lines with a `text` each and perhaps `relevant`, grades by source.

    :raises ConfigurationError: The file is missing or empty, or only some of its questions are judged.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ConfigurationError(f"the questions in {str(path)!r} cannot be read: {reason(error)}.") from error
    found = [_question(line) for line in lines if line.strip()]
    if not found:
        raise ConfigurationError(f"{str(path)!r} holds no question; write one a line.")
    judged = sum(question.relevant is not None for question in found)
    if judged not in (0, len(found)):
        raise ConfigurationError(f"{judged} of {len(found)} questions in {str(path)!r} say what is relevant; all must.")
    return found


def draw_questions(texts: Iterable[tuple[str, str]], count: int, seed: int = 0) -> list[str]:
    """Return up to `count` questions drawn from chunks: sentences (as in the inverse cloze task) and titles.

    A sentence is a harder and fairer question than its whole chunk: it says a part of what the chunk says, in the
    words of whoever wrote it (Lee, Chang and Toutanova 2019, section 4). What is a chunk by itself is not asked, since
    it would find its own vector whatever the compression; of a chunk of one sentence, one half of it is.

    :param texts: Title and text of each chunk.
    :raises ConfigurationError: There is nothing to draw from.
    """
    generator = random.Random(seed)  # noqa: S311 - repeatable, not secret
    # The order in which chunks come says nothing, and must not decide what is drawn.
    chunks = sorted(set(texts))
    stored = {text.strip() for _, text in chunks}
    drawn = {question for title, text in chunks for question in _candidates(title, text, stored, generator)}
    pool = sorted(drawn - stored)
    if not pool:
        raise ConfigurationError("no chunk holds a sentence to ask with; give questions of your own: --queries FILE.")
    return generator.sample(pool, min(count, len(pool)))


def _candidates(title: str, text: str, stored: Collection[str], generator: random.Random) -> Iterator[str]:
    sentences = [part.strip() for part in _SENTENCE_END.split(text)]
    fitting = [part for part in sentences if _fits(part) and part not in stored]
    if fitting:
        yield generator.choice(fitting)
    else:
        yield from filter(_fits, [_half(text.strip(), generator)])
    if _fits(title.strip()):
        yield title.strip()


def _fits(text: str) -> bool:
    return SHORTEST <= len(text) <= LONGEST and not text.startswith(("```", "|"))


def _half(text: str, generator: random.Random) -> str:
    """Return the words of one half of a text, the first or the second."""
    words = text.split()
    middle = len(words) // 2
    return " ".join(generator.choice([words[:middle], words[middle:]]))


def _question(line: str) -> Question:
    if not line.lstrip().startswith("{"):
        return Question(line.strip())
    try:
        values = json.loads(line)
        relevant = values.get("relevant")
        grades = None if relevant is None else {str(name): float(grade) for name, grade in relevant.items()}
        return Question(str(values["text"]), grades)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigurationError(
            f"{line[:80]!r} is not a JSON line with a 'text' (and 'relevant', grades by source)."
        ) from error
