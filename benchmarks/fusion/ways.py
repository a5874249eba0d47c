"""Ways to search the same vectors and words: the modes of a collection, and the engine's own fusions of its lists."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from unittest import mock

import numpy as np
from qdrant_client import models

from qdrant_embed import Collection
from qdrant_embed.retrieval.query_plan import DEPTH, HNSW_EF
from qdrant_embed.retrieval.term_query import TermQuery
from qdrant_embed.store.methods.client_requests import prefetch
from qdrant_embed.store.methods.ranking_request import RankingRequest
from qdrant_embed.types import DENSE

Found = list[list[str]]
"""For each question the ids of chunks, best first."""
Way = Callable[[Sequence[str]], Found]

MODES = ("dense", "bm25", "hybrid", "rrf")
ASKED = 32
"""Questions searched at once: each answer holds a hundred texts."""


@dataclass(frozen=True)
class Chunks:
    """What a collection holds, as peers are given it.

    :param texts: By id, what BM25 reads: the context, then the text.
    :param vectors: By id, (dim,).
    """

    sources: Mapping[str, str]
    texts: Mapping[str, str]
    vectors: Mapping[str, np.ndarray]

    @classmethod
    def of(cls, docs: Collection) -> "Chunks":
        """Read all that a collection holds."""
        frame = docs.to_pandas(vectors=True)
        ids = [str(key) for key in frame["id"]]
        parts = zip(frame["context"], frame["text"], strict=True)
        texts = [f"{context}\n\n{text}" if context else text for context, text in parts]
        vectors = [np.asarray(row, np.float32).reshape(-1) for row in frame["vector"]]
        return cls(*(dict(zip(ids, column, strict=True)) for column in (frame["source"], texts, vectors)))


@contextmanager
def embedded_once(docs: Collection, questions: Sequence[str]) -> Iterator[None]:
    """Have every way given the same vectors of the questions, for whose sake the model runs only once."""
    embedder = docs.embedder
    known = dict(zip(questions, embedder.embed_queries(list(questions)), strict=True))
    with mock.patch.object(type(embedder), "embed_queries", lambda _, texts: np.stack([known[text] for text in texts])):
        yield


def ours(docs: Collection) -> dict[str, Way]:
    """Return the modes of a collection, and the engine's fusions, by name."""
    ways: dict[str, Way] = {mode: partial(_searched, docs, mode) for mode in MODES}
    for name, fusion in (("Qdrant RRF", models.Fusion.RRF), ("Qdrant DBSF", models.Fusion.DBSF)):
        ways[name] = partial(_fused_by_engine, docs, fusion)
    return ways


def _searched(docs: Collection, mode: str, questions: Sequence[str]) -> Found:
    return [
        [hit.id for hit in hits]
        for start in range(0, len(questions), ASKED)
        for hits in docs.search(list(questions[start : start + ASKED]), k=DEPTH, mode=mode)
    ]


def _fused_by_engine(docs: Collection, fusion: models.Fusion, questions: Sequence[str]) -> Found:
    """Ask for both lists as prefetches, which the engine fuses, as Qdrant's examples do."""
    vectors = docs.embedder.embed_queries(list(questions))
    found = []
    for question, vector in zip(questions, vectors, strict=True):
        params = models.SearchParams(hnsw_ef=HNSW_EF)
        lists = [models.Prefetch(query=vector.tolist(), using=DENSE, limit=DEPTH, params=params)]
        if terms := TermQuery.of(docs.parts.bm25, question, as_vectors=docs.parts.searcher.bm25_vectors):
            lists.append(prefetch(RankingRequest(query=terms.ranked(), using=terms.using, limit=DEPTH)))
        query = models.FusionQuery(fusion=fusion)
        answer = docs.engine.query_points(docs.name, query=query, prefetch=lists, limit=DEPTH, with_payload=False)
        found.append([str(point.id) for point in answer.points])
    return found
