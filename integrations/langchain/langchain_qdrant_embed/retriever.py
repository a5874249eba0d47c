"""The retriever: questions in, passages of a collection out."""

from __future__ import annotations

import asyncio
from typing import Any, NoReturn

from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict, Field

from langchain_qdrant_embed.documents import of_passage, stays_here
from qdrant_embed import Collection


class QdrantEmbedRetriever(BaseRetriever):
    """Retrieve the best `k` passages of a collection, with exact character positions and scores in their metadata.

    `retriever.invoke(question, k=3)` overrides any of the fields for one question. The asynchronous methods search in a
    thread.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    collection: Collection = Field(repr=False, exclude=True, description="An open collection.")
    k: int = Field(default=5, description="How many passages.")
    filter: Any = Field(default=None, description="A plain dict, or a `qdrant_client.models.Filter`.")
    mode: str = Field(default="hybrid", description="hybrid, rrf, dense, bm25, sparse or multivector.")
    min_score: float | None = Field(default=None, description="Leave out passages below it, on the mode's scale.")
    min_confidence: float = Field(default=0.0, description="Nothing, where an answer is more doubtful (hybrid).")
    group_by: str | None = Field(default=None, description="'document' for the best passage of each document.")
    expand: int | str = Field(default=0, description="Chunks joined with each passage on each side, or 'section'.")
    rerank: Any = Field(default=None, description="What ranks the first passages again, such as 'mmr:0.3'.")

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise stays_here(self, self.collection, "(collection=Collection.open({name!r}, at=…))")

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun, **changes: Any
    ) -> list[Document]:
        return self._found(query, changes)

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun, **changes: Any
    ) -> list[Document]:
        return await asyncio.to_thread(self._found, query, changes)

    def _found(self, query: str, changes: dict[str, Any]) -> list[Document]:
        names = ("k", "filter", "mode", "min_score", "min_confidence", "group_by", "expand", "rerank")
        hits = self.collection.search(query, **{name: getattr(self, name) for name in names} | changes)
        return [of_passage(hit, hits.confidence) for hit in hits]
