"""A search whose first hits are ranked again, before any of them is passed over, left out or made longer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from qdrant_embed.reranking.base import Reranker
from qdrant_embed.retrieval.expansion import expanded
from qdrant_embed.retrieval.hits import Hit, Hits
from qdrant_embed.retrieval.search_request import FUSED, Mode, SearchRequest
from qdrant_embed.retrieval.searcher import Searcher


def search_reranked(
    searcher: Searcher, queries: Sequence[str], wanted: SearchRequest, mode: Mode, reranker: Reranker
) -> list[Hits]:
    """Return the best passages for each query as a reranker ranks them.

    It is given as many as it says, however many are wanted; with `group_by`, the best passage of each document by the
    first list. `min_score` is compared with what it makes of them, and what is left is counted and made longer.
    """
    asked = replace(wanted, k=max(reranker.depth, wanted.last), offset=0, min_score=None, expand=0, sentences=False)
    first = searcher.search(queries, asked, mode=mode)
    ranked = reranker.rerank_each(queries, [_noted(hits) for hits in first])
    strong = [[hit for hit in hits if hit.score >= wanted.least][wanted.offset : wanted.last] for hits in ranked]
    if wanted.explain and mode in (*FUSED, "dense"):
        strong = searcher.with_sentences(strong, list(searcher.embedder.embed_queries(list(queries))))
    longer = expanded(searcher.browser, strong, wanted.expand)
    return [
        Hits(hits, query=own.query, language=own.language, offset=wanted.offset, confidence=own.confidence)
        for hits, own in zip(longer, first, strict=True)
    ]


def _noted(hits: Sequence[Hit]) -> list[Hit]:
    """Return hits that know where they stood and with which score, which whoever explains a ranking asks for."""
    return [replace(hit, first_rank=rank, first_score=hit.score) for rank, hit in enumerate(hits, 1)]
