"""What is wanted of a search: queries, how many hits, ranked how, joined how."""

from __future__ import annotations

import math
from collections.abc import Container, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Literal, TypedDict, get_args

import numpy as np

from qdrant_embed.errors import ConfigurationError
from qdrant_embed.retrieval.expansion import Expansion, require_expansion
from qdrant_embed.retrieval.hits import Hit
from qdrant_embed.store.filters import FilterLike
from qdrant_embed.types import MULTIVECTOR, SPARSE, FloatArray

Mode = Literal["hybrid", "rrf", "dense", "bm25", "sparse", "multivector"]
FUSED: tuple[Mode, ...] = ("hybrid", "rrf")
"""Modes that put several lists together."""
GroupBy = Literal["document"]


def modes_with(auxiliary: Container[str]) -> list[Mode]:
    """Return the modes of a collection, first what searches take by themselves.

    :param auxiliary: Names of the vectors that stand beside the dense ones.
    """
    return [mode for mode in get_args(Mode) if mode not in (SPARSE, MULTIVECTOR) or mode in auxiliary]


class SearchSettings(TypedDict, total=False):
    """The keywords of `Collection.search`."""

    filter: FilterLike
    mode: Mode
    min_score: float | None
    offset: int
    group_by: GroupBy | None
    expand: Expansion
    min_confidence: float
    explain: bool
    feedback: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRequest:
    """What is wanted of a search.

    :param k: Hits of each query.
    :param offset: Hits passed over before the first of them.
    :param group_by: `document` for the best passage of each document: `k` and `offset` count documents.
    :param expand: Chunks around each hit that are joined with it, on each side; see `expansion`.
    :param min_confidence: Return nothing where it is more doubtful that the collection holds an answer.
    :param explain: Say of each hit why it was found.
    :param sentences: Whether explanations have the nearest sentence, for which those of all hits are embedded.
    :param feedback: Whether a question may be moved toward its first passage (mode `hybrid`).
    :raises ConfigurationError: A number is not whole, or too small, `min_score` is no number, or `group_by` is another
        word.
    """

    k: int
    offset: int = 0
    where: FilterLike = None
    min_score: float | None = None
    group_by: GroupBy | None = None
    expand: Expansion = 0
    min_confidence: float = 0.0
    explain: bool = False
    sentences: bool = True
    feedback: bool = True

    @property
    def least(self) -> float:
        """The score below which nothing is wanted."""
        return -math.inf if self.min_score is None else self.min_score

    @property
    def last(self) -> int:
        """Hits down to the last one wanted."""
        return self.offset + self.k

    def __post_init__(self) -> None:
        if not _is_whole(self.k) or self.k < 1:
            raise ConfigurationError(f"k={self.k!r}; ask for a whole number of hits, at least 1.")
        if not _is_whole(self.offset) or self.offset < 0:
            raise ConfigurationError(f"offset={self.offset!r}; pass over a whole number of hits, 0 or more.")
        if self.group_by not in (None, *get_args(GroupBy)):
            raise ConfigurationError(f"group_by={self.group_by!r}; give group_by='document', or leave it out.")
        require_expansion(self.expand)
        for name in ("k", "offset"):
            object.__setattr__(self, name, int(getattr(self, name)))  # engines refuse numpy's whole numbers
        sure: object = self.min_confidence
        if not isinstance(sure, Real) or not 0 <= float(sure) <= 1:
            raise ConfigurationError(f"min_confidence={sure!r}; give a number from 0 (all answers) to 1.")
        least: object = self.min_score
        if least is not None and not (isinstance(least, Real) and least == least):
            raise ConfigurationError(f"min_score={least!r}; give a number, or None for all hits.")


def as_queries(given: str | Sequence[str] | Hit) -> list[str]:
    """Return one query or several as a list.

    :raises ConfigurationError: It is neither a text nor a list.
    """
    if isinstance(given, str):
        return [given]
    if isinstance(given, Hit):
        raise ConfigurationError("a query must be a text, not a Hit; for passages like one, type: docs.similar(hit)")
    try:
        return list(given)
    except TypeError:
        raise ConfigurationError(f"a query must be a text, or a list of texts, not {given!r}.") from None


def as_vector(given: Sequence[float] | FloatArray, dim: int) -> FloatArray:
    """Return a vector as one row (1, dim).

    :raises ConfigurationError: It has another number of dimensions, or holds what is no number.
    """
    try:
        row = np.asarray(given, np.float32)
    except (TypeError, ValueError):
        raise ConfigurationError(f"a vector must be {dim} numbers, not {given!r:.80}.") from None
    if row.shape not in ((dim,), (1, dim)) or not np.isfinite(row).all():
        raise ConfigurationError(
            f"a vector must be {dim} finite numbers, as docs.embedder.embed_queries gives them; this has the shape "
            f"{row.shape}."
        )
    return row.reshape(1, dim)


def require_queries(queries: Sequence[str], mode: str) -> None:
    """Refuse queries that are blank, and modes that there are not.

    :raises ConfigurationError: One is such.
    """
    if mode not in get_args(Mode):
        raise ConfigurationError(f"unknown search mode {mode!r}; choose one of {', '.join(get_args(Mode))}.")
    for query in queries:
        if not isinstance(query, str) or not query.strip():
            raise ConfigurationError(f"a query must be a text that is not blank, not {query!r}.")


def _is_whole(number: object) -> bool:
    return isinstance(number, Integral) and not isinstance(number, bool)
