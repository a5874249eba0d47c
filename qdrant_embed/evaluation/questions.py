"""Questions and what answers them, read from a file or from a folder in BEIR's layout."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qdrant_embed.display import reason
from qdrant_embed.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Question:
    """A question, and what answers it where somebody judged that.

    :param relevant: Grades by `source` of a document, or by `id` of a chunk; None if nobody judged.
    :param kind: How it was drawn, `given` where somebody asked it.
    :param left_out: Id of a chunk that does not count as an answer, since it holds the question; empty for none.
    """

    text: str
    relevant: Mapping[str, float] | None = None
    kind: str = "given"
    left_out: str = ""


def read_questions(path: str | Path) -> list[Question]:
    """Read questions: one a line, or JSON lines with a `text` each and perhaps `relevant`, grades by source.

    Of a folder with `queries.jsonl` and `qrels/test.tsv` (BEIR's layout), the questions that are judged.

    :raises ConfigurationError: The file is missing or empty, or only some of its questions are judged.
    """
    place = Path(path)
    found = _judged_in(place) if place.is_dir() else [_question(line) for line in _lines(place)]
    if not found:
        raise ConfigurationError(f"{str(path)!r} holds no question; write one a line.")
    judged = sum(question.relevant is not None for question in found)
    if judged not in (0, len(found)):
        raise ConfigurationError(f"{judged} of {len(found)} questions in {str(path)!r} say what is relevant; all must.")
    return found


def _lines(path: Path) -> list[str]:
    try:
        return [line for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        why = reason(error) if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigurationError(f"the questions in {str(path)!r} cannot be read: {why}.") from error


def _judged_in(folder: Path) -> list[Question]:
    grades: dict[str, dict[str, float]] = defaultdict(dict)
    for line in _lines(folder / "qrels" / "test.tsv")[1:]:
        try:
            query, document, grade = line.split("\t")
            grades[query][document] = float(grade)
        except ValueError:
            raise ConfigurationError(f"{line[:80]!r} is not a query, a document and a grade, parted by tabs.") from None
    rows = [_value(line, "_id", "text") for line in _lines(folder / "queries.jsonl")]
    return [Question(str(row["text"]), grades[str(row["_id"])]) for row in rows if str(row["_id"]) in grades]


def _question(line: str) -> Question:
    if not line.lstrip().startswith("{"):
        return Question(line.strip())
    values = _value(line, "text")
    relevant = values.get("relevant")
    try:
        grades = None if relevant is None else {str(name): float(grade) for name, grade in relevant.items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise ConfigurationError(f"{line[:80]!r}: 'relevant' must be grades by source.") from error
    return Question(str(values["text"]), grades)


def _value(line: str, *names: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
        if isinstance(value, dict) and all(name in value for name in names):
            return value
    except ValueError:
        pass
    raise ConfigurationError(f"{line[:80]!r} is not a JSON line with {' and '.join(map(repr, names))}.")
