"""What a collection has to choose its settings by: searches and compressions, measured; codes, trained and written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from qdrant_embed.calibration import calibration_run
from qdrant_embed.calibration.calibration_report import Calibration
from qdrant_embed.calibration.calibration_run import CalibrateOptions
from qdrant_embed.comparison import evaluation_run
from qdrant_embed.comparison.evaluation_report import Evaluation
from qdrant_embed.comparison.evaluation_run import EvaluationPlan, EvaluationSettings, Questions
from qdrant_embed.compression import Transform
from qdrant_embed.compression import capacity as ranked_pairs
from qdrant_embed.compression.capacity import Capacity
from qdrant_embed.errors import UnknownNameError
from qdrant_embed.evaluation.questions import Question
from qdrant_embed.operations import collection_queries
from qdrant_embed.operations.collection_handle import CollectionHandle
from qdrant_embed.runtimes.paragraph_vectors import BinaryParagraphVectors, ParagraphTraining
from qdrant_embed.store.export import code_export
from qdrant_embed.training import collection_codes
from qdrant_embed.training.collection_codes import CodeFiles, CodeTrainingSettings, ParagraphTrainingSettings
from qdrant_embed.training.learned_codes import CodeTraining


def evaluate(handle: CollectionHandle, questions: Questions, settings: EvaluationSettings) -> Evaluation:
    """See `Collection.evaluate`."""
    _require_known(settings, EvaluationSettings, "evaluate")
    parts = handle.parts
    return evaluation_run.evaluate(parts.points, handle.name, parts, questions, EvaluationPlan(**settings))


def calibrate(
    handle: CollectionHandle, questions: Sequence[str | Question] | None, options: CalibrateOptions | None
) -> Calibration:
    """See `Collection.calibrate`."""
    parts = handle.parts
    return calibration_run.calibrate(parts.points, handle.name, parts, questions, options or CalibrateOptions())


def train_codes(handle: CollectionHandle, bits: int, settings: CodeTrainingSettings) -> Transform:
    """See `Collection.train_codes`."""
    _require_known(settings, CodeTrainingSettings, "train_codes")
    numbers: dict[str, Any] = {name: value for name, value in settings.items() if name in ("seed", "steps", "progress")}
    training, parts = CodeTraining(bits=bits, **numbers), handle.parts
    words, files = settings.get("words", False), CodeFiles(settings.get("model_out"), settings.get("codes_out"))
    return collection_codes.train_codes(parts.points, handle.name, parts.codec, training, words=words, files=files)


def train_paragraphs(
    handle: CollectionHandle, bits: int, settings: ParagraphTrainingSettings
) -> BinaryParagraphVectors:
    """See `Collection.train_paragraphs`."""
    _require_known(settings, ParagraphTrainingSettings, "train_paragraphs")
    training = ParagraphTraining(bits=bits, seed=settings.get("seed", 0))
    files = CodeFiles(settings.get("model_out"), settings.get("codes_out"))
    return collection_codes.train_paragraphs(handle.parts.points, handle.name, training, files=files)


def export_codes(handle: CollectionHandle, path: str | Path) -> Path:
    """See `Collection.export_codes`."""
    parts = handle.parts
    return code_export.export_codes(parts.points, handle.name, parts.codec, path)


def capacity(handle: CollectionHandle) -> Capacity:
    """See `Collection.capacity`."""
    return ranked_pairs.capacity(handle.parts.codec.ranked_width, collection_queries.count(handle))


def _require_known(settings: Mapping[str, object], typed: type, method: str) -> None:
    """Refuse a keyword that a method does not have.

    :raises UnknownNameError: There is one.
    """
    for name in settings:
        if name not in typed.__annotations__:
            raise UnknownNameError(f"option of {method}", name, typed.__annotations__)
