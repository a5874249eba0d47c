"""LlamaIndex's queries as those of an engine."""

from __future__ import annotations

from typing import Any

from llama_index.core.vector_stores.types import VectorStoreQuery, VectorStoreQueryMode
from llama_index.vector_stores.qdrant_embed.node_vectors import NodeVectors
from qdrant_client import models

from qdrant_embed.errors import ConfigurationError

CANDIDATES_PER_HIT = 4
"""Hits of each list before fusion, and candidates of MMR, for each one that is returned."""

_WORDS = frozenset({VectorStoreQueryMode.SPARSE, VectorStoreQueryMode.TEXT_SEARCH})
_FUSED = frozenset({VectorStoreQueryMode.HYBRID, VectorStoreQueryMode.SEMANTIC_HYBRID})


def engine_query(
    query: VectorStoreQuery,
    chosen: models.Filter,
    vectors: NodeVectors,
    more: dict[str, Any],
) -> dict[str, Any]:
    """Return what an engine is asked for a query, as arguments of `query_points`.

    :raises ConfigurationError: The mode is none of ours, or the query or the collection lacks what it needs.
    """
    mode, k = query.mode, query.similarity_top_k
    if mode in _FUSED:
        k = query.hybrid_top_k or k
        alpha = 0.5 if query.alpha is None else query.alpha
        if not 0 <= alpha <= 1:
            raise ConfigurationError(f"alpha={query.alpha} is no share; give 0 (words alone) to 1 (embeddings alone).")
        if alpha in (0, 1):
            mode = VectorStoreQueryMode.DEFAULT if alpha else VectorStoreQueryMode.SPARSE
    dense = vectors.dense or None
    if mode == VectorStoreQueryMode.DEFAULT:
        return {"query": _embedding(query, vectors), "using": dense, "limit": k}
    if mode in _WORDS | _FUSED and not vectors.sparse:
        raise ConfigurationError(
            f"the mode {query.mode.value!r} needs BM25 weights, and this collection has none: it was made without."
        )
    if mode in _WORDS:
        return {"query": _words(query, vectors), "using": vectors.sparse, "limit": query.sparse_top_k or k}
    if mode in _FUSED:
        each, words = CANDIDATES_PER_HIT * k, query.sparse_top_k
        lists = [
            (_embedding(query, vectors), dense, each),
            (_words(query, vectors), vectors.sparse, max(words or each, k)),
        ]
        prefetch = [models.Prefetch(query=one, using=name, limit=n, filter=chosen) for one, name, n in lists]
        return {"query": models.RrfQuery(rrf=models.Rrf(weights=[alpha, 1 - alpha])), "prefetch": prefetch, "limit": k}
    if mode != VectorStoreQueryMode.MMR:
        known = ", ".join(sorted(one.value for one in (*_WORDS, *_FUSED)))
        raise ConfigurationError(
            f"the mode {query.mode.value!r} has no counterpart here; known: default, mmr, {known}."
        )
    relevance = more.get("mmr_threshold", query.mmr_threshold)
    mmr = models.Mmr(
        diversity=0.5 if relevance is None else 1 - relevance, candidates_limit=max(100, CANDIDATES_PER_HIT * k)
    )
    return {"query": models.NearestQuery(nearest=_embedding(query, vectors), mmr=mmr), "using": dense, "limit": k}


def _embedding(query: VectorStoreQuery, vectors: NodeVectors) -> list[float]:
    if query.query_embedding is None:
        raise ConfigurationError(f"the mode {query.mode.value!r} needs query_embedding, which is None.")
    return vectors.require(query.query_embedding)


def _words(query: VectorStoreQuery, vectors: NodeVectors) -> models.SparseVector:
    if query.query_str is None:
        raise ConfigurationError(f"the mode {query.mode.value!r} needs query_str, which is None.")
    return vectors.of_question(query.query_str)
