"""A query's BM25 terms, as an engine is asked for them: over a text index, or as a sparse vector where it has none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from qdrant_embed.embedding.bm25 import Bm25Encoder
from qdrant_embed.store.methods.ranking_request import RankedWords
from qdrant_embed.types import BM25, TERMS, SparseVector

Asked: TypeAlias = RankedWords | SparseVector

SATURATION = 1.6
"""BM25's k: how slowly a term that occurs again ceases to count (Robertson and Zaragoza 2009, section 3.4)."""
LENGTH_NORMALIZATION = 0.75
"""BM25's b: how far long texts are put behind short ones."""


@dataclass(frozen=True, slots=True)
class TermQuery:
    """The terms of one query.

    :param terms: As `Bm25Encoder.query_terms` gives them, for a text index.
    :param ids: Of the same terms, for a sparse vector; only one of both is given.
    """

    terms: tuple[str, ...] = ()
    ids: tuple[int, ...] = ()

    @classmethod
    def of(cls, encoder: Bm25Encoder, query: str, *, as_vectors: bool) -> TermQuery | None:
        """Return the terms of a query; None where all its words are stop words."""
        if as_vectors:
            ids, _ = encoder.encode_query(query)
            return cls(ids=tuple(ids)) if ids else None
        terms = encoder.query_terms(query)
        return cls(terms=tuple(terms)) if terms else None

    @property
    def using(self) -> str:
        """The payload field, or the vector, that is searched."""
        return TERMS if self.terms else BM25

    def ranked(self) -> Asked:
        """Return what ranks by BM25."""
        return self._asked(self.terms, self.ids, SATURATION, LENGTH_NORMALIZATION)

    def covered(self) -> Asked:
        """Return what ranks by the sum of the idf of the terms that a text holds, however often.

        BM25 without saturation and length, which only a text index can leave out; of vectors the usual one.
        """
        return self._asked(self.terms, self.ids, 0.0, 0.0)

    def singles(self) -> list[Asked]:
        """Return, for each term, what ranks by that term's idf, or by its share of BM25."""
        by_text = [self._asked((term,), (), 0.0, 0.0) for term in self.terms]
        return by_text or [self._asked((), (number,), 0.0, 0.0) for number in self.ids]

    @staticmethod
    def _asked(terms: tuple[str, ...], ids: tuple[int, ...], k: float, b: float) -> Asked:
        if not terms:
            return SparseVector(np.array(ids, np.int64), np.ones(len(ids), np.float32))
        return RankedWords(" ".join(terms), k, b)
