"""How good a search is: exact answers, metrics, questions, and how what was measured is drawn.

Files, in reading order: exact_search, metrics, answer_confidence, questions, drawn_questions, report_drawing.

Public: `read_questions` (a file into `Question` values), `draw_questions` (from `StoredText` values), `recall`, `ndcg`,
`first_ranks`, `bootstrap_interval`, `randomization_test`, `holm`, `confidence` (whether the collection seems to hold an
answer), and `figures` (whether reports can be drawn).
"""

from typing import TYPE_CHECKING

from qdrant_embed.registry import lazy_names

if TYPE_CHECKING:
    from qdrant_embed.evaluation.answer_confidence import confidence as confidence
    from qdrant_embed.evaluation.drawn_questions import StoredText as StoredText
    from qdrant_embed.evaluation.drawn_questions import draw_questions as draw_questions
    from qdrant_embed.evaluation.metrics import bootstrap_interval as bootstrap_interval
    from qdrant_embed.evaluation.metrics import first_ranks as first_ranks
    from qdrant_embed.evaluation.metrics import holm as holm
    from qdrant_embed.evaluation.metrics import ndcg as ndcg
    from qdrant_embed.evaluation.metrics import randomization_test as randomization_test
    from qdrant_embed.evaluation.metrics import recall as recall
    from qdrant_embed.evaluation.questions import Question as Question
    from qdrant_embed.evaluation.questions import read_questions as read_questions
    from qdrant_embed.evaluation.report_drawing import figures as figures
else:
    __getattr__, __dir__, __all__ = lazy_names(
        __name__,
        {
            "answer_confidence": ["confidence"],
            "drawn_questions": ["StoredText", "draw_questions"],
            "metrics": ["bootstrap_interval", "first_ranks", "holm", "ndcg", "randomization_test", "recall"],
            "questions": ["Question", "read_questions"],
            "report_drawing": ["figures"],
        },
    )
