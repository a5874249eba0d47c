"""A trial collection asked as collections are searched: hits, seconds and recall of each query."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np

from qdrant_embed.compression import Compression
from qdrant_embed.evaluation.exact_search import ExactAnswers
from qdrant_embed.evaluation.metrics import bootstrap_interval
from qdrant_embed.retrieval.lists import Lists
from qdrant_embed.retrieval.query_plan import QueryPlan, QueryVector
from qdrant_embed.store.collection_codec import CollectionCodec
from qdrant_embed.store.engine import Engine
from qdrant_embed.types import FloatArray

NAME = "trial"
WARM_UP = 10


@dataclass(frozen=True, slots=True)
class TrialAnswers:
    """What a setting answered: hits, seconds and recall of each query."""

    found: list[list[int]]
    seconds: list[float]
    recalls: FloatArray

    def figures(self) -> dict[str, Any]:
        """Return the fields of a trial that follow from them."""
        low, high = bootstrap_interval(self.recalls)
        p50, p95 = (float(1000 * value) for value in np.quantile(self.seconds, (0.5, 0.95)))
        found = tuple(map(tuple, self.found))
        return {"recall": float(self.recalls.mean()), "low": low, "high": high, "p50": p50, "p95": p95, "found": found}


def answers(
    engine: Engine, codec: CollectionCodec, settings: Sequence[Compression], truth: ExactAnswers, queries: FloatArray
) -> dict[Compression, TrialAnswers]:
    """Search in several ways; more rescoring than answers everything exactly is left out.

    :param queries: (q, dim) as the embedder of such a collection gives them.
    """
    answered: dict[Compression, TrialAnswers] = {}
    for setting in settings:
        found, seconds = _ask(engine, codec.with_compression(setting), queries, truth.places.shape[1])
        recalls = truth.recall(found)
        answered[setting] = TrialAnswers(found, seconds, recalls)
        if setting.rescore is not None and recalls.min() >= 1:
            break
    return answered


def _ask(engine: Engine, codec: CollectionCodec, queries: FloatArray, k: int) -> tuple[list[list[int]], list[float]]:
    encoded = codec.vector_codec.queries(queries)
    asked = [
        QueryPlan(codec=codec, condition=None, terms=None, vector=QueryVector(*row))
        for row in zip(encoded.vectors, queries, map(float, encoded.offsets), strict=True)
    ]
    lists = Lists(engine, NAME, codec)
    for ranked in asked[:WARM_UP]:
        _answer(lists, ranked, k)
    found, seconds = [], []
    for ranked in asked:
        began = time.perf_counter()
        found.append(_answer(lists, ranked, k))
        seconds.append(time.perf_counter() - began)
    return found, seconds


def _answer(lists: Lists, ranked: QueryPlan, k: int) -> list[int]:
    (points,) = lists.best([ranked], [k])
    # Ids are UUIDs, as in every collection, that were made of numbers.
    return [UUID(str(point.id)).int for point in points[:k]]
