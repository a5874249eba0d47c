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
from qdrant_embed.ingest import RecordedFailure
from qdrant_embed.retrieval import DocumentsWanted, StoredDocument
from qdrant_embed_mcp import results
from qdrant_embed_mcp.cursors import MOST_CURSOR, cursor_at, place_of
from qdrant_embed_mcp.documents import span_of, text_between, with_places
from qdrant_embed_mcp.open_collections import OpenCollections
from qdrant_embed_mcp.quoting import clipped, document_uri, fields_of
from qdrant_embed_mcp.threads import Workers

MOST_HITS, MOST_DOCUMENTS = 50, 200
MOST_FAILURES, MOST_HEADINGS = 50, 12
MOST_TITLE, MOST_LISTING = 500, 60_000
"""Characters of a title or heading, and of all names of one page of documents."""
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
        min_score: Annotated[
            float | None, Field(description="Drop hits with a lower score; the scale depends on the mode.")
        ] = None,
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
            str | None,
            Field(description="next_cursor of the page before, if any.", max_length=MOST_CURSOR),
        ] = None,
        limit: Annotated[int, Field(description="How many.", ge=1, le=MOST_DOCUMENTS)] = 50,
    ) -> Annotated[CallToolResult, results.DocumentList]:
        """List the documents of a collection, by folder and source, and what could not be ingested into it."""

        def work(opened: Collection) -> results.DocumentList:
            wanted = DocumentsWanted(pattern=pattern, after=place_of(cursor) if cursor else None, limit=limit)
            page, failures = opened.parts.browser.document_page(wanted), opened.failures()
            shown = _fitting(page.documents)
            after = (shown[-1].root, shown[-1].source) if len(shown) < len(page.documents) else page.after
            return results.DocumentList(
                collection=opened.name, total=page.total, documents=list(map(_listed, shown)),
                next_cursor=cursor_at(after) if after else None, failed_total=failures.total,
                failed=list(map(_failed, failures[:MOST_FAILURES])) if wanted.after is None else [],
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


def _fitting(documents: Sequence[StoredDocument]) -> Sequence[StoredDocument]:
    """Return the first documents, as many as have room in an answer, and one at least."""
    room = MOST_LISTING
    for number, one in enumerate(documents):
        room -= len(one.source) + len(one.root) + len(one.title)
        if room < 0 < number:
            return documents[:number]
    return documents


def _listed(one: StoredDocument) -> results.ListedDocument:
    return results.ListedDocument(
        source=clipped(one.source, MOST_NAME), root=clipped(one.root, MOST_NAME), title=clipped(one.title, MOST_TITLE),
        media_type=clipped(one.media_type, MOST_TITLE), chunks=one.chunks,
    )  # fmt: skip


def _failed(one: RecordedFailure) -> results.FailedDocument:
    return results.FailedDocument(
        source=clipped(one.source, MOST_TITLE), root=clipped(one.root, MOST_TITLE), kind=one_line(one.kind),
        reason=one_line(one.reason), at=one_line(one.at),
    )  # fmt: skip


def _doubts(collection: Collection, where: dict[str, Any]) -> list[str]:
    """Return what the library warns of about a filter; a process has one list of warnings, so one call at a time."""
    with _warned, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", FilterWarning)
        collection.count(filter=where)
    return [printable(str(one.message)) for one in caught if issubclass(one.category, FilterWarning)]


def _passage(collection: str, hit: Hit) -> results.Passage:
    return results.Passage(
        text=printable(hit.text[:MOST_PASSAGE]), truncated=len(hit.text) > MOST_PASSAGE, score=hit.score,
        source=clipped(hit.source, MOST_NAME), root=clipped(hit.root, MOST_NAME), start=hit.start, end=hit.end,
        uri=document_uri(collection, hit.source, hit.root, hit.start, hit.end) if len(hit.source) <= MOST_NAME else "",
        place=clipped(hit.place, MOST_TITLE), title=clipped(hit.title, MOST_TITLE), page=hit.page,
        headings=[clipped(one, MOST_TITLE) for one in hit.headings[:MOST_HEADINGS]],
        metadata=fields_of(hit.metadata), id=hit.id,
    )  # fmt: skip
