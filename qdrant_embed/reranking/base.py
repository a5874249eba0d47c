"""What a reranker is, and what it is given of a collection."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from qdrant_embed.embedding import Embedder
from qdrant_embed.embedding.stored_tokens import StoredTokens
from qdrant_embed.errors import ConfigurationError
from qdrant_embed.retrieval.best_window import found_vectors
from qdrant_embed.retrieval.hits import Hit
from qdrant_embed.retrieval.search_request import SearchSettings
from qdrant_embed.store.collection_codec import CollectionCodec
from qdrant_embed.store.engine import Engine
from qdrant_embed.store.scroll import payloads_of, vector_of
from qdrant_embed.types import TOKENS, FloatArray

DEPTH = 100
"""Hits of the first list that are ranked again, where a reranker says no other number."""
PAGE_OF_TOKENS = 64
"""Points whose codes of tokens are read at once: as lists of Python's floats, they take 200 kB each."""


class Reranker(ABC):
    """Puts the hits of a first list into a better order.

    It gives the same hits, each once, with scores of its own: none higher than the one before it. Hits with equal
    scores keep their order, and nothing but the score is changed.

    `depth` says how many of the first hits it is given; the others stay behind these in their order. It does not depend
    on how many are asked for, so that the first hits are the same for every `k`.
    """

    depth: int = DEPTH

    @abstractmethod
    def rerank(self, query: str, hits: Sequence[Hit]) -> list[Hit]:
        """Return the hits of one query, best first."""

    def rerank_each(self, queries: Sequence[str], found: Sequence[Sequence[Hit]]) -> list[list[Hit]]:
        """Return the hits of several queries; one that runs a model gives it all of them at once."""
        return [self.rerank(query, hits) for query, hits in zip(queries, found, strict=True)]


class BatchReranker(Reranker):
    """Ranks the hits of several queries together, because a model reads them."""

    def rerank(self, query: str, hits: Sequence[Hit]) -> list[Hit]:
        """See `Reranker`."""
        return self.rerank_each([query], [hits])[0]

    @abstractmethod
    def rerank_each(self, queries: Sequence[str], found: Sequence[Sequence[Hit]]) -> list[list[Hit]]:
        """Return the hits of several queries, each best first."""


Rerank = str | Reranker | Sequence[str | Reranker]
"""What ranks hits again: `mmr:0.3`, an object, or several of these, each ranking what the one before it gave."""


class RerankedSearchSettings(SearchSettings, total=False):
    """The keywords of `Collection.search`."""

    rerank: Rerank | None


@dataclass(frozen=True, slots=True)
class RerankContext:
    """What a reranker may need of the collection that its hits are from.

    :param engine: Where the collection's points are.
    :param name: The collection's name there.
    :param embedder: Its model.
    :param codec: What turns stored vectors into the model's.
    :param stored_tokens: What made the codes of tokens that it keeps; None where it keeps none.
    :param made: What was made of each word so far, with the models that were loaded for it.
    """

    engine: Engine
    name: str
    embedder: Embedder
    codec: CollectionCodec
    stored_tokens: StoredTokens | None = None
    made: dict[str, Reranker] = field(default_factory=dict, compare=False, repr=False)

    def vectors(self, hits: Sequence[Hit]) -> FloatArray:
        """Return the model's vector (n, dim) of each hit, as it is stored; the mean of those of its windows.

        A hit that was removed since it was found has zeros.

        :raises ConfigurationError: The collection holds none of them, or keeps nothing but signs.
        """
        self.codec.require_numbers()
        found = found_vectors(self.engine, self.name, self.codec, [hit.id for hit in hits])
        if hits and not found:
            raise ConfigurationError(
                f"collection {self.name!r} has none of these {len(hits)} passages, the first of which is "
                f"{hits[0].id!r}; give hits of its own searches."
            )
        nothing = np.zeros(self.embedder.dim, np.float32)
        return np.stack([found.get(hit.id, nothing) for hit in hits]) if hits else nothing[None][:0]

    def token_codes(self, ids: Sequence[str]) -> Iterator[tuple[str, FloatArray]]:
        """Yield the id and the codes (vectors, bytes) of the tokens of each hit that is still there."""
        for start in range(0, len(ids), PAGE_OF_TOKENS):
            page = ids[start : start + PAGE_OF_TOKENS]
            for record in self.engine.retrieve(self.name, page, with_payload=False, with_vectors=[TOKENS]):
                yield str(record.id), np.atleast_2d(np.asarray(vector_of(record, TOKENS), np.float32))

    def payloads(self, hits: Sequence[Hit], field: str) -> list[Mapping[str, Any]]:
        """Return a field of the payload of each hit, as it is stored; nothing of one that is gone."""
        found = payloads_of(self.engine, self.name, [hit.id for hit in hits], fields=[field])
        named = {str(key): fields for key, fields in found.items()}
        return [named.get(hit.id, {}) for hit in hits]


def rescored(hits: Sequence[Hit], scores: Iterable[float]) -> list[Hit]:
    """Return hits with other scores, best first.

    Of six digits: the last one differs between two equal passages that were read in different batches.
    """
    scored = [replace(hit, score=float(f"{score:.6g}")) for hit, score in zip(hits, scores, strict=True)]
    return sorted(scored, key=lambda hit: -hit.score)


def relevance(hits: Sequence[Hit]) -> FloatArray:
    """Return the scores (n,) of a list on a scale from 0 (its last) to 1 (its first), whatever theirs is.

    Where all are equal, all are 1.
    """
    scores = np.array([hit.score for hit in hits], np.float64)
    if not len(scores):
        return scores.astype(np.float32)
    lowest, highest = scores.min(), scores.max()
    spread = highest - lowest
    return ((scores - lowest) / spread if spread else np.ones_like(scores)).astype(np.float32)
