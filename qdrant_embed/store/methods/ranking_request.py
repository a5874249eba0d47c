"""What a search asks of an engine, and gets: values without `qdrant_client`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qdrant_embed.types import Json, SparseVector

if TYPE_CHECKING:
    from qdrant_client import models

    from qdrant_embed.store.methods.client_methods import PointId


@dataclass(slots=True)
class FoundPoint:
    """A point that an engine ranked.

    :param vector: By name, or the unnamed one; None where none was asked for.
    """

    id: PointId
    score: float
    payload: dict[str, Any] | None = None
    vector: Any = None

    def scored(self, score: float) -> FoundPoint:
        """Return the point with another score."""
        return FoundPoint(self.id, score, self.payload, self.vector)


@dataclass(frozen=True, slots=True)
class RankedWords:
    """Words by which a text index ranks: BM25 (Robertson and Zaragoza 2009).

    :param k: How slowly a term that occurs again ceases to count.
    :param b: How far long texts are put behind short ones.
    """

    text: str
    k: float
    b: float


@dataclass(frozen=True, slots=True)
class CodeUse:
    """How an index and codes are used.

    :param hnsw_ef: Candidates kept while walking the graph.
    :param ignored: Whether codes are passed over.
    :param rescored: Whether what codes found is ranked again by what is stored; None for the engine's own rule.
    :param oversampling: How many times more of these are looked at.
    """

    hnsw_ef: int
    ignored: bool = False
    rescored: bool | None = None
    oversampling: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingRequest:
    """One ranking of a collection's points.

    :param query: A dense vector, vectors of tokens, a sparse vector, or words for a text index.
    :param using: The vector, or the payload field, that is searched.
    :param where: What the points have to be like.
    :param among: Rank only these points; None for all.
    :param first: A ranking whose points this one ranks again.
    :param fields: Which fields of the payload come along: all, none, or these.
    :param vectors: Names of the vectors that come along.
    """

    query: list[float] | list[list[float]] | SparseVector | RankedWords
    using: str
    where: models.Filter | None = None
    among: tuple[PointId, ...] | None = None
    first: RankingRequest | None = None
    use: CodeUse | None = None
    limit: int = 10
    fields: bool | tuple[str, ...] = False
    vectors: tuple[str, ...] = ()

    @property
    def ranks_all(self) -> bool:
        """Whether it, or the ranking before it, may rank any point of a collection."""
        return self.where is None and self.among is None and (self.first is None or self.first.ranks_all)


@dataclass(frozen=True, slots=True)
class CollectionFacts:
    """What has to be known of a collection to open it.

    :param metadata: Its entries, whoever set them.
    :param sparse_vectors: Names of its sparse vectors.
    :param indexed: Fields of the payload that have an index.
    :param most_indexes: How many of these there may be; None for any number.
    :param info: All that a client is told of it; None where the engine has not asked one.
    """

    metadata: Mapping[str, Json]
    sparse_vectors: frozenset[str]
    indexed: frozenset[str]
    most_indexes: int | None = None
    info: models.CollectionInfo | None = None
