"""What a collection has to choose its settings by: searches and compressions, measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from qdrant_embed.calibration import calibration_run
from qdrant_embed.calibration.calibration_report import Calibration
from qdrant_embed.calibration.calibration_run import CalibrateOptions
from qdrant_embed.comparison import evaluation_run
from qdrant_embed.comparison.evaluation_report import Evaluation
from qdrant_embed.comparison.evaluation_run import EvaluationPlan, EvaluationSettings, Questions
from qdrant_embed.errors import UnknownNameError
from qdrant_embed.evaluation.questions import Question
from qdrant_embed.operations.collection_handle import CollectionHandle


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


def _require_known(settings: Mapping[str, object], typed: type, method: str) -> None:
    """Refuse a keyword that a method does not have.

    :raises UnknownNameError: There is one.
    """
    for name in settings:
        if name not in typed.__annotations__:
            raise UnknownNameError(f"option of {method}", name, typed.__annotations__)
