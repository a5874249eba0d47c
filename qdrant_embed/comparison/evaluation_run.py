"""An evaluation: questions, every setting asked all of them, and what none of them answered."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from numbers import Integral
from pathlib import Path

from qdrant_embed.calibration.collection_sample import CollectionSample, sample_texts, sample_vectors
from qdrant_embed.calibration.trial_runner import Transforms, possible_settings
from qdrant_embed.collection_parts import CollectionParts
from qdrant_embed.comparison.evaluation_report import Evaluation, Missed
from qdrant_embed.comparison.judgments import JudgedQuestions, judged_questions
from qdrant_embed.comparison.question_session import QuestionSession
from qdrant_embed.comparison.search_setting import SearchSetting
from qdrant_embed.errors import ConfigurationError, require_type
from qdrant_embed.evaluation.drawn_questions import DRAWN, StoredText, draw_questions
from qdrant_embed.evaluation.questions import Question, read_questions
from qdrant_embed.retrieval.search_request import SearchRequest

MOST_VECTORS = 500_000
"""More are not copied to try compressions, and some of them would give other answers."""
EXCERPT = 300
"""Characters shown of a passage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationPlan:
    """What is to be measured.

    :param settings: Modes of search, perhaps with rerankers (`hybrid+mmr:0.3`); the others are compared with the first;
        empty for all modes.
    :param compressions: To be tried beside the collection's own.
    :param k: Passages, or documents, that a question asks for.
    :param n: Questions drawn, where none are given.
    :param progress: Called before each setting, with its name.
    :raises ConfigurationError: A number is not whole, or too small, or what should be a list is none.
    """

    settings: Sequence[str] = ()
    compressions: Sequence[str] = ()
    k: int = 10
    n: int = DRAWN
    seed: int = 0
    progress: Callable[[str], None] | None = None

    def __post_init__(self) -> None:
        SearchRequest(k=self.k)
        require_type("n", self.n, Integral, "how many questions to draw, such as 200")
        require_type("seed", self.seed, Integral, "a whole number")
        if self.n < 1:
            raise ConfigurationError(f"n={self.n}; draw at least 1 question.")
        for name in ("settings", "compressions"):
            require_type(name, getattr(self, name), (list, tuple), "a list of texts")


Questions = str | Path | Sequence[Question] | None
"""A file or folder of them, a list, or None to draw them from the texts."""


def evaluate(parts: CollectionParts, questions: Questions, plan: EvaluationPlan) -> Evaluation:
    """Measure how well settings answer questions; changes nothing.

    :raises ConfigurationError: There is no such setting, a question is not judged, or there is nothing to ask about.
    """
    named = list(dict.fromkeys(plan.settings)) or parts.modes
    searches = [SearchSetting.parse(setting, parts) for setting in named]
    tell = plan.progress or (lambda setting: None)
    transforms = Transforms(parts.codec.vector_codec, {})
    compressions = possible_settings(parts, plan.compressions, transforms)
    sample = _whole(parts) if compressions else None
    texts = sample.texts if sample else sample_texts(parts.points, parts.name)
    asked = _asked(questions, texts, plan)
    session = QuestionSession(parts, asked.questions, texts, plan.k)
    scores = []
    for setting in searches:
        tell(setting.name)
        scores.append(session.search(setting))
    scores += session.compressed(compressions, sample, transforms, tell) if sample else []
    found = Evaluation(
        collection=parts.name,
        k=plan.k,
        questions=asked.questions,
        settings=tuple(scores),
        missed=(),
        unknown=asked.unknown,
    )
    return replace(found, missed=tuple(_missed(found, texts)))


def _whole(parts: CollectionParts) -> CollectionSample:
    """Return all vectors of a collection.

    :raises ConfigurationError: They are too many, or too few.
    """
    sample = sample_vectors(parts.points, parts.name, parts.codec, MOST_VECTORS).in_order()
    held = parts.points.count(parts.name, exact=True).count
    if len(sample.texts) < held:
        raise ConfigurationError(
            f"collection {parts.name!r} holds {held:,} chunks; compressions are tried on copies of at most "
            f"{MOST_VECTORS:,} vectors. Leave compressions out; calibrate() measures them on a part of the vectors."
        )
    return sample


def _asked(questions: Questions, texts: Sequence[StoredText], plan: EvaluationPlan) -> JudgedQuestions:
    if questions is None:
        return JudgedQuestions(tuple(draw_questions(texts, plan.n, plan.seed)), ())
    listed = read_questions(questions) if isinstance(questions, str | Path) else questions
    return judged_questions(listed, texts)


def _missed(found: Evaluation, texts: Sequence[StoredText]) -> Iterator[Missed]:
    """Yield the questions that no setting answered."""
    chunks = {text.id: text for text in texts}
    documents: dict[str, StoredText] = {}
    for text in sorted(texts, key=lambda text: text.index):
        documents.setdefault(text.source, text)
    for place, question in enumerate(found.questions):
        if any(one.ranks[place] for one in found.settings):
            continue
        name = next(name for name, grade in (question.relevant or {}).items() if grade > 0)
        answer, first = chunks.get(name) or documents.get(name), chunks.get(found.chosen.first[place])
        yield Missed(
            question=question.text,
            kind=question.kind,
            expected=answer.place if answer else name,
            expected_text=answer.text[:EXCERPT] if answer else "not in the collection",
            found=first.place if first else "",
            found_text=first.text[:EXCERPT] if first else "nothing was found",
        )
