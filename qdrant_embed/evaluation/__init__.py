"""How good a search is: exact answers, metrics and questions.

Files, in reading order: exact_search, metrics, questions.

Public: `read_questions` (a file into `Question` values), `ndcg` and `bootstrap_interval`.
"""

from typing import TYPE_CHECKING

from qdrant_embed.registry import lazy_names

if TYPE_CHECKING:
    from qdrant_embed.evaluation.metrics import bootstrap_interval, ndcg
    from qdrant_embed.evaluation.questions import Question, read_questions
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "metrics": ["bootstrap_interval", "ndcg"],
            "questions": ["Question", "read_questions"],
        },
    )

__all__ = ["Question", "bootstrap_interval", "ndcg", "read_questions"]
