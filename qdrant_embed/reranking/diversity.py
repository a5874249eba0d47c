"""Maximal marginal relevance: passages that answer, and do not say what those before them have said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from qdrant_embed.errors import ConfigurationError
from qdrant_embed.evaluation.exact_search import unit_rows
from qdrant_embed.reranking.base import RerankContext, Reranker, relevance
from qdrant_embed.retrieval.hits import Hit
from qdrant_embed.types import FloatArray

DIVERSITY = 0.5
"""As much weight for what is new as for what is relevant, as in Qdrant's own MMR."""


class MmrReranker(Reranker):
    """Takes the best hit again and again, less what it repeats (Carbonell and Goldstein 1998).

    The score is `(1 - diversity) · relevance - diversity · similarity`: relevance is the list's own score on a scale
    from 0 to 1, similarity the highest cosine, 0 at the least, of the stored vector to those of the hits taken before.
    Engines have an MMR too, but theirs knows the score of one vector alone, and not that of a fused or reranked list.

    :param diversity: From 0 (the list as it is) to 1 (as unlike each other as can be).
    :raises ConfigurationError: It is no such number, or the collection keeps nothing but signs of its vectors.
    """

    def __init__(self, context: RerankContext, diversity: float = DIVERSITY) -> None:
        if not 0 <= diversity <= 1:
            raise ConfigurationError(f"diversity={diversity!r}; give a number from 0 to 1, as in rerank='mmr:0.3'.")
        context.codec.require_numbers()
        self._context, self.diversity = context, diversity

    @classmethod
    def from_word(cls, context: RerankContext, argument: str) -> MmrReranker:
        """Read `mmr` or `mmr:0.3`.

        :raises ConfigurationError: What stands behind the colon is no number from 0 to 1.
        """
        try:
            return cls(context, float(argument or DIVERSITY))
        except ValueError as error:
            if isinstance(error, ConfigurationError):
                raise
            raise ConfigurationError(
                f"rerank='mmr:{argument}': a diversity from 0 to 1 was expected behind the colon; type 'mmr:0.3'."
            ) from None

    def rerank(self, query: str, hits: Sequence[Hit]) -> list[Hit]:
        """See `Reranker`."""
        if len(hits) < 2:
            return list(hits)
        units = unit_rows(self._context.vectors(hits))
        similar = np.asarray(np.maximum(units @ units.T, 0.0), np.float32)
        order, scores = _picked(relevance(hits), similar, self.diversity)
        return [replace(hits[place], score=score) for place, score in zip(order, scores, strict=True)]


def _picked(relevant: FloatArray, similar: FloatArray, diversity: float) -> tuple[list[int], list[float]]:
    """Return places in the order in which they are taken, with their scores; of equal ones the first is taken."""
    wanted = (1.0 - diversity) * relevant.astype(np.float64)
    repeated = np.zeros(len(relevant))
    left, order, scores = np.ones(len(relevant), bool), [], []
    for _ in relevant:
        now = np.where(left, wanted - diversity * repeated, -np.inf)
        best = int(np.argmax(now))
        order.append(best)
        scores.append(float(now[best]))
        left[best] = False
        repeated = np.maximum(repeated, similar[best])
    return order, scores
