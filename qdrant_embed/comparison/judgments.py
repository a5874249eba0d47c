"""What is relevant, in the names that a collection has for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

from qdrant_embed.errors import ConfigurationError, require_type
from qdrant_embed.evaluation.drawn_questions import StoredText
from qdrant_embed.evaluation.questions import Question


@dataclass(frozen=True, slots=True)
class JudgedQuestions:
    """Questions whose relevant documents or chunks are named as the collection names them.

    :param unknown: Names that the collection has nothing for; they stay, and count as not found.
    """

    questions: tuple[Question, ...]
    unknown: tuple[str, ...]


def judged_questions(given: Any, texts: Sequence[StoredText]) -> JudgedQuestions:
    """Return judged questions in the names of a collection.

    A document is named by its source, whole or without its ending or its folders, as long as that fits one document
    only; a chunk by its id.

    :raises ConfigurationError: These are no questions, one is not judged, or the collection knows none of the names.
    """
    require_type("questions", given, (list, tuple), "a file, a folder in BEIR's layout, or a list of Question values")
    for one in given:
        require_type("questions", one, Question, "Question('how often are keys rotated?', {'guide/keys.md': 1})")
    judged = [one for one in given if any(grade > 0 for grade in (one.relevant or {}).values())]
    if len(judged) < len(given) or not given:
        raise ConfigurationError(
            f"{len(given) - len(judged)} of {len(given)} questions do not say what answers them. Say it for each, as "
            "Question(text, {source: 1}), or leave questions out, and they are drawn from the texts."
        )
    names = _names(text.source for text in texts) | {text.id: text.id for text in texts}
    asked = {name for one in judged for name, grade in (one.relevant or {}).items() if grade > 0}
    unknown = tuple(sorted(asked - names.keys()))
    if len(unknown) == len(asked):
        raise ConfigurationError(
            f"no judged document is in the collection, which holds {texts[0].source!r} and others; judged was "
            f"{unknown[0]!r}. Name documents by their sources, as docs.documents() lists them."
            if texts
            else "the collection is empty; ingest something first."
        )
    return JudgedQuestions(tuple(replace(one, relevant=_renamed(one, names)) for one in judged), unknown)


def _renamed(question: Question, names: Mapping[str, str]) -> dict[str, float]:
    return {names.get(name, name): grade for name, grade in (question.relevant or {}).items()}


def _names(sources: Iterable[str]) -> dict[str, str]:
    """Return sources by all that they can be called."""
    whole = set(sources)
    shorter: dict[str, set[str]] = defaultdict(set)
    for source in whole:
        path = PurePosixPath(source)
        for name in (str(path.with_suffix("")) if path.name else source, path.name, path.stem):
            shorter[name].add(source)
    single = {name: next(iter(found)) for name, found in shorter.items() if len(found) == 1}
    return single | {source: source for source in whole}
