"""A way to search in one word: a mode, and the rerankers that its hits go through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qdrant_embed.collection_parts import CollectionParts
from qdrant_embed.errors import UnknownNameError
from qdrant_embed.reranking.base import Reranker
from qdrant_embed.retrieval.hits import Hit
from qdrant_embed.retrieval.search_request import Mode, SearchRequest
from qdrant_embed.retrieval.searcher import Searcher


@dataclass(frozen=True, slots=True)
class SearchSetting:
    """A mode and what ranks its hits again, as `hybrid+mmr:0.3` says it."""

    name: str
    mode: Mode
    reranker: Reranker | None

    @classmethod
    def parse(cls, text: str, parts: CollectionParts) -> SearchSetting:
        """Read a setting.

        :raises UnknownNameError: The collection has no such mode, or there is no such reranker.
        """
        mode, *words = text.split("+")
        if mode not in parts.modes:
            raise UnknownNameError("setting", text, parts.modes)
        return cls(text, mode, parts.reranker(words) if words else None)

    def search(self, searcher: Searcher, questions: Sequence[str], depth: int) -> Sequence[Sequence[Hit]]:
        """Return so many hits of each question, or more."""
        wanted = SearchRequest(k=max(depth, self.reranker.depth if self.reranker else 0))
        found = searcher.search(questions, wanted, mode=self.mode)
        return self.reranker.rerank_each(questions, found) if self.reranker else found
