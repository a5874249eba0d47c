"""The tools that change nothing: `search`, `read`, `list_documents`, `list_collections`."""

from __future__ import annotations

import re
import threading
import warnings
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from mcp_types import CallToolResult
from pydantic import Field

from qdrant_embed import Collection, Hit
from qdrant_embed.display import one_line, printable
from qdrant_embed.errors import ConfigurationError, FilterWarning, UnknownNameError
from qdrant_embed.retrieval import DocumentsWanted
from qdrant_embed_mcp import results
from qdrant_embed_mcp.cursors import cursor_at, place_of
from qdrant_embed_mcp.documents import span_of, text_between, with_places
from qdrant_embed_mcp.open_collections import OpenCollections
from qdrant_embed_mcp.quoting import document_uri, fields_of
from qdrant_embed_mcp.threads import Workers

MOST_HITS, MOST_DOCUMENTS = 50, 200
MOST_FAILURES = 50
MOST_QUESTION, MOST_PASSAGE, MOST_SPAN, MOST_NAME = 8_000, 4_000, 20_000, 8_000
"""Characters of a question, of each passage found, of what one call of `read` returns, and of what names a document."""
_warned = threading.Lock()
_RERANKERS = re.compile(r"tokens|mmr(:[\d.]+)?|recency(:\w+)?")

Name = Annotated[str | None, Field(description="Name of the collection; the usual one if left out.", max_length=255)]
Mode = Literal["hybrid", "rrf", "dense", "bm25", "sparse", "multivector"]
Root = Annotated[
    str | None, Field(description="Folder that the document is from, where several hold its name.", max_length=8_000)
]


class ReadingTools:
    """Each method is a tool; its annotations are the tool's schema."""

    def __init__(self, collections: OpenCollections, workers: Workers) -> None:
        self._collections, self._workers = collections, workers

    async def search(
        self,
        query: Annotated[str, Field(description="The question, in words.", min_length=1, max_length=MOST_QUESTION)],
        collection: Name = None,
        k: Annotated[int, Field(description="How many passages.", ge=1, le=MOST_HITS)] = 5,
        mode: Annotated[Mode, Field(description="By meanings and words (hybrid), or one of them.")] = "hybrid",
        filter: Annotated[
            dict[str, Any] | None,
            Field(description='What must hold: {"source": "guide/*"}, {"page": {"gte": 3}}, {"team": ["a", "b"]}.'),
        ] = None,
        min_score: Annotated[float | None, Field(description="Leave out weaker hits; the scale is the mode's.")] = None,
        rerank: Annotated[
            list[str] | None, Field(description="What ranks the first hits again: tokens, mmr:0.3, recency:30d.")
        ] = None,
    ) -> Annotated[CallToolResult, results.Found]:
        """Find the passages of documents that answer a question, best first."""

        def work(opened: Collection) -> results.Found:
            words = self._allowed(rerank)
            hits = opened.search(query, k, mode=mode, filter=filter, min_score=min_score, rerank=words)
            notes = [] if hits or not filter else _doubts(opened, filter)
            placed = hits if self._collections.placed_at_search(opened.name) else with_places(opened, hits)
            return results.Found(
                query=printable(query), collection=opened.name, mode=mode, confidence=hits.confidence,
                hits=[_passage(opened.name, hit) for hit in placed], notes=notes,
            )  # fmt: skip

        found = await self._workers.run(lambda: self._collections.using(collection, work))
        return results.told(found, results.found_text(found))

    async def read(
        self,
        source: Annotated[
            str, Field(description="The `source` of a hit or of a listed document.", max_length=MOST_NAME)
        ],
        start: Annotated[int, Field(description="First character; for more around a hit, less than its start.")] = 0,
        end: Annotated[int | None, Field(description="One past the last character.")] = None,
        collection: Name = None,
        root: Root = None,
    ) -> Annotated[CallToolResult, results.Span]:
        """Read a part of a document, such as what stands around a hit; at most 20,000 characters a call."""
        span = await self._workers.run(lambda: self.span(source, start, end, collection, root))
        return results.told(span, results.span_text(span))

    async def list_documents(
        self,
        collection: Name = None,
        pattern: Annotated[
            str | None, Field(description="Only sources like this: guide/*, *.pdf.", max_length=MOST_NAME)
        ] = None,
        cursor: Annotated[
            str | None, Field(description="next_cursor of the page before; left out for the first.", max_length=20_000)
        ] = None,
        limit: Annotated[int, Field(description="How many.", ge=1, le=MOST_DOCUMENTS)] = 50,
    ) -> Annotated[CallToolResult, results.DocumentList]:
        """List the documents of a collection, by folder and source, and what could not be ingested into it."""

        def work(opened: Collection) -> results.DocumentList:
            wanted = DocumentsWanted(pattern=pattern, after=place_of(cursor) if cursor else None, limit=limit)
            page, failures = opened.parts.browser.document_page(wanted), opened.failures()
            listed = [
                results.ListedDocument(
                    source=printable(one.source), root=printable(one.root), title=printable(one.title),
                    media_type=printable(one.media_type), chunks=one.chunks,
                )
                for one in page.documents
            ]  # fmt: skip
            failed = [
                results.FailedDocument(
                    source=printable(one.source), root=printable(one.root), kind=one_line(one.kind),
                    reason=one_line(one.reason), at=one_line(one.at),
                )
                for one in failures[:MOST_FAILURES]
            ]  # fmt: skip
            return results.DocumentList(
                collection=opened.name, total=page.total, documents=listed,
                next_cursor=cursor_at(page.after) if page.after else None,
                failed_total=failures.total, failed=failed if wanted.after is None else [],
            )  # fmt: skip

        page = await self._workers.run(lambda: self._collections.using(collection, work))
        return results.told(page, results.documents_text(page))

    async def list_collections(self) -> Annotated[CallToolResult, results.CollectionList]:
        """List the collections that can be searched."""

        def work() -> results.CollectionList:
            listed = Collection.list(at=self._collections.settings.at)
            return results.CollectionList(
                collections=[
                    results.ListedCollection(name=one.name, chunks=one.chunks, model=one.model, problem=one.problem)
                    for one in listed
                ]
            )

        found = await self._workers.run(work)
        return results.told(found, results.collections_text(found))

    def span(self, source: str, start: int, end: int | None, collection: str | None, root: str | None) -> results.Span:
        """Return characters of a document: no more than `MOST_SPAN`, and none beyond its end.

        :raises ConfigurationError: The range is empty, or begins behind the end.
        """
        first = max(0, start)
        last = first + MOST_SPAN if end is None else min(end, first + MOST_SPAN)
        name, there = self._collections.using(
            collection, lambda opened: (opened.name, span_of(opened, source, root, first, last))
        )
        last = min(last, there.length)
        if first >= last:
            raise ConfigurationError(
                f"characters {start} to {end} of {source!r} hold nothing; it has {there.length}. Give start < end."
            )
        return results.Span(
            text=printable(text_between(there.chunks, first, last)), collection=name, source=printable(there.source),
            root=printable(there.root), title=printable(there.title), start=first, end=last, length=there.length,
            uri=document_uri(name, there.source, there.root, first, last),
        )  # fmt: skip

    def _allowed(self, rerank: Sequence[str] | None) -> list[str] | None:
        """Return the words to rank again by; those that load a model only if the server was started with them."""
        allowed = self._collections.settings.rerankers
        for word in rerank or ():
            if word not in allowed and not _RERANKERS.fullmatch(word):
                raise UnknownNameError("reranker of this server", word, {"tokens", "mmr:0.3", "recency:30d", *allowed})
        return list(rerank) if rerank else None


def _doubts(collection: Collection, where: dict[str, Any]) -> list[str]:
    """Return what the library warns of about a filter; a process has one list of warnings, so one call at a time."""
    with _warned, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", FilterWarning)
        collection.count(filter=where)
    return [printable(str(one.message)) for one in caught if issubclass(one.category, FilterWarning)]


def _passage(collection: str, hit: Hit) -> results.Passage:
    return results.Passage(
        text=printable(hit.text[:MOST_PASSAGE]), truncated=len(hit.text) > MOST_PASSAGE, score=hit.score,
        source=printable(hit.source), root=printable(hit.root), start=hit.start, end=hit.end,
        uri=document_uri(collection, hit.source, hit.root, hit.start, hit.end), place=printable(hit.place),
        title=printable(hit.title), page=hit.page, headings=[printable(one) for one in hit.headings],
        metadata=fields_of(hit.metadata), id=hit.id,
    )  # fmt: skip
