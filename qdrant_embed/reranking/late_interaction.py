"""Late interaction: each token of a question looks for its nearest in a passage, by the collection's own model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from qdrant_embed.errors import ConfigurationError
from qdrant_embed.reranking.base import BatchReranker, RerankContext, rescored
from qdrant_embed.retrieval.hits import Hit
from qdrant_embed.types import FloatArray, join_context

DEPTH = 50
SHARPNESS = 0.25
"""How much late interaction counts: half of what a list does in `hybrid`, of which the hits mostly come.

Either half of Cranfield's questions takes it rather than 0.5; LIMIT's hardly tell the two apart."""
AT_ONCE = 128
"""Passages whose tokens are in memory at once: of 256 tokens and 384 dimensions, 50 MB."""


class TokensReranker(BatchReranker):
    """Compares every token of a question with every token of a passage (MaxSim; Khattab and Zaharia 2020, section 3).

    Any model that gives states of tokens will do, though it was trained for one vector a text. The passages are read
    again when they are asked about; where the recipe says `multivector="self"`, codes of their tokens are stored and
    compared with instead.

    What a token of the question finds in a passage is its highest cosine there. Such a token counts by how much it
    tells the passages apart, the standard deviation of what it finds in them: "who likes" is found everywhere. The
    weighted mean, in standard deviations from that of the other hits, is a hit's standing, and the score is the one
    that it came with times `exp(0.25 * standing)`: so it stays on that scale, and a list that is sure keeps its order.
    Where some are not above 0, all are first raised until the lowest is one standard deviation above it.

    :param depth: How many hits are read.
    :raises ConfigurationError: The model gives no states of tokens.
    """

    def __init__(self, context: RerankContext, depth: int = DEPTH) -> None:
        if depth < 1:
            raise ConfigurationError(f"depth={depth!r}; give a whole number of hits, 1 or more, as in 'tokens:50'.")
        context.embedder.tokens.require("rerank='tokens'")
        self._context, self.depth = context, depth

    @classmethod
    def from_word(cls, context: RerankContext, argument: str) -> TokensReranker:
        """Read `tokens` or `tokens:100`.

        :raises ConfigurationError: What stands behind the colon is no number of hits.
        """
        if argument and not argument.isdecimal():
            raise ConfigurationError(
                f"rerank='tokens:{argument}': how many hits are read was expected behind the colon; type 'tokens:50'."
            )
        return cls(context, int(argument or DEPTH))

    def rerank_each(self, queries: Sequence[str], found: Sequence[Sequence[Hit]]) -> list[list[Hit]]:
        """See `Reranker`; a passage that several questions have found is read once."""
        stored = self._context.stored_tokens
        asked = (stored or self._context.embedder.tokens).embed_queries(queries)
        nearest = [np.zeros((len(hits), len(tokens)), np.float32) for hits, tokens in zip(found, asked, strict=True)]
        wanted: dict[str, list[tuple[int, int]]] = {}
        for query, hits in enumerate(found):
            for place, hit in enumerate(hits):
                wanted.setdefault(hit.id if stored else passage_of(hit), []).append((query, place))
        for key, tokens in self._context.token_codes(list(wanted)) if stored else self._read(list(wanted)):
            for query, place in wanted[key]:
                own = asked[query]
                nearest[query][place] = stored.nearest(own, tokens) if stored else (own @ tokens.T).max(axis=1)
        return [_ranked(hits, own) for hits, own in zip(found, nearest, strict=True)]

    def _read(self, texts: Sequence[str]) -> Iterator[tuple[str, FloatArray]]:
        for start in range(0, len(texts), AT_ONCE):
            part = texts[start : start + AT_ONCE]
            yield from zip(part, self._context.embedder.tokens.embed_documents(part), strict=True)


def passage_of(hit: Hit) -> str:
    """Return what was embedded of a hit: its text with its context; of a long text with windows, the nearest window."""
    return hit.passage if hit.window else join_context(hit.context, hit.text)


def interaction(nearest: FloatArray) -> FloatArray:
    """Return the late interaction (n,) of hits with a question.

    :param nearest: (n, tokens), the highest cosine of each of its tokens in each of them.
    """
    apart = nearest.std(axis=0, dtype=np.float64)
    weights = apart if apart.any() else np.ones_like(apart)
    return np.asarray(nearest @ (weights / weights.sum()), np.float64)


def standard_scores(values: Sequence[float] | FloatArray) -> FloatArray:
    """Return values (n,) less their mean, in standard deviations; zeros where all are equal."""
    numbers = np.asarray(values, np.float64)
    spread = numbers.std() if len(numbers) else 0.0
    return np.asarray((numbers - numbers.mean()) / spread if spread > 0 else np.zeros_like(numbers), np.float64)


def _raised(scores: Sequence[float]) -> FloatArray:
    """Return scores (n,) that are all above 0."""
    numbers = np.asarray(scores, np.float64)
    least = numbers.min()
    return np.asarray(numbers if least > 0 else numbers - least + (numbers.std() or 1.0), np.float64)


def _ranked(hits: Sequence[Hit], nearest: FloatArray) -> list[Hit]:
    if not hits:
        return []
    # Six digits: the last one differs between two equal passages that were read in different batches.
    found = np.round(interaction(nearest), 6)
    return rescored(hits, _raised([hit.score for hit in hits]) * np.exp(SHARPNESS * standard_scores(found)))
