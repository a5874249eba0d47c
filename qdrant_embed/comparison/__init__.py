"""Settings of search compared on questions: what each answers, whether they differ, which to take.

Files, in reading order: setting_scores, evaluation_report, judgments, search_setting, question_session,
evaluation_run.

Public: `EvaluationPlan` (what `Collection.evaluate` is told),
`Evaluation` (what it returns), `SettingScores`, `Estimate`, `Comparison` and `Missed`, of which that is made.
"""

from typing import TYPE_CHECKING

from qdrant_embed.registry import lazy_names

if TYPE_CHECKING:
    from qdrant_embed.comparison.evaluation_report import Evaluation as Evaluation
    from qdrant_embed.comparison.evaluation_report import Missed as Missed
    from qdrant_embed.comparison.evaluation_run import EvaluationPlan as EvaluationPlan
    from qdrant_embed.comparison.setting_scores import Comparison as Comparison
    from qdrant_embed.comparison.setting_scores import Estimate as Estimate
    from qdrant_embed.comparison.setting_scores import SettingScores as SettingScores
else:
    __getattr__, __dir__, __all__ = lazy_names(
        __name__,
        {
            "evaluation_report": ["Evaluation", "Missed"],
            "evaluation_run": ["EvaluationPlan"],
            "setting_scores": ["Comparison", "Estimate", "SettingScores"],
        },
    )
