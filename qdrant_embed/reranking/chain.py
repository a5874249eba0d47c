"""Rerankers one after the other, made of the words that people type."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from qdrant_embed.errors import ConfigurationError
from qdrant_embed.registry import Registry
from qdrant_embed.reranking.base import BatchReranker, Rerank, RerankContext, Reranker
from qdrant_embed.retrieval.hits import Hit

RERANKERS: Registry[Callable[[RerankContext, str], Reranker]] = Registry(
    "reranker",
    "qdrant_embed.rerankers",
    {
        "cross-encoder": "qdrant_embed.reranking.cross_encoder:CrossEncoderReranker.from_word",
        "listwise": "qdrant_embed.reranking.listwise:ListwiseReranker.from_word",
        "mmr": "qdrant_embed.reranking.diversity:MmrReranker.from_word",
        "tokens": "qdrant_embed.reranking.late_interaction:TokensReranker.from_word",
        "recency": "qdrant_embed.reranking.recency:RecencyReranker.from_word",
    },
)
"""Every known reranker; other packages add theirs with the entry-point group `qdrant_embed.rerankers`.

Each is called with the context and what stands behind the colon of its word, empty if nothing does.
"""


def make_reranker(given: Rerank, context: RerankContext) -> RerankChain:
    """Return what words, objects or a list of these rank by.

    :param given: A name, with what it is told behind a colon (`mmr:0.3`), a `Reranker`, or several to go through.
    :raises UnknownNameError: There is none of this name; those that there are are listed.
    :raises ConfigurationError: It is neither, or what stands behind the colon makes no sense.
    """
    steps = [given] if isinstance(given, str | Reranker) or not isinstance(given, Sequence) else given
    return RerankChain([_step(step, context) for step in steps])


def _step(step: object, context: RerankContext) -> Reranker:
    if isinstance(step, Reranker):
        return step
    if not isinstance(step, str):
        raise ConfigurationError(
            f"rerank={step!r:.80} is of type {type(step).__name__}; give a word such as 'mmr:0.3', a Reranker, or a "
            f"list of these. Known: {', '.join(RERANKERS)}."
        )
    if step not in context.made:  # so that a model is loaded once
        name, _, argument = step.partition(":")
        context.made[step] = RERANKERS.get(name)(context, argument)
    return context.made[step]


class RerankChain(BatchReranker):
    """Goes through rerankers: each is given the list that the one before it made.

    Those that a reranker is not given (see `depth`) stay behind, in their order, with the score of the last that it
    was.
    """

    def __init__(self, steps: Sequence[Reranker]) -> None:
        self._steps = steps
        self.depth = max((step.depth for step in steps), default=0)

    def rerank_each(self, queries: Sequence[str], found: Sequence[Sequence[Hit]]) -> list[list[Hit]]:
        """See `Reranker`.

        :raises ConfigurationError: A step gave other hits than it was given.
        """
        lists = [list(hits) for hits in found]
        for step in self._steps:
            heads = [hits[: step.depth] for hits in lists]
            ranked = step.rerank_each(queries, heads)
            for head, own in zip(heads, ranked, strict=True):
                _require_same(step, head, own)
            lists = [
                [*own, *(replace(hit, score=own[-1].score) for hit in hits[step.depth :])]
                for own, hits in zip(ranked, lists, strict=True)
            ]
        return lists


def _require_same(step: Reranker, given: Sequence[Hit], made: Sequence[Hit]) -> None:
    if sorted(hit.id for hit in given) != sorted(hit.id for hit in made):
        raise ConfigurationError(
            f"the reranker {type(step).__name__} was given {len(given)} hits and returned {len(made)}, which are not "
            "the same; it must return each hit that it is given, once."
        )
