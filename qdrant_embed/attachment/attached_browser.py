"""Looking into a collection that something else wrote: documents as far as its payload tells of them."""

from __future__ import annotations

import reprlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from qdrant_embed.attachment.attached_engine import AttachedEngine
from qdrant_embed.attachment.filter_view import foreign_key, is_uuid, own_id
from qdrant_embed.errors import ConfigurationError, StoreError, UnknownNameError, require_type
from qdrant_embed.retrieval.browse import Browser, require_around
from qdrant_embed.retrieval.document_pages import DocumentPage, DocumentSpan, DocumentsWanted
from qdrant_embed.retrieval.documents import Documents, StoredDocument
from qdrant_embed.retrieval.hits import Hit, Hits
from qdrant_embed.store.filters import FilterLike, filter_of
from qdrant_embed.store.scroll import pages

if TYPE_CHECKING:
    from qdrant_client import models

PAGE = 1024
_NAMED = 5
MOST_READ, MOST_COUNTED = 10_000, 1_000_000
"""Points whose places are read to count their documents; documents that an index is asked to count."""


@dataclass(frozen=True, slots=True)
class AttachedBrowser(Browser):
    """Reads points of one attached collection."""

    engine: AttachedEngine

    def get(self, ids: Sequence[str]) -> list[Hit]:
        """Return chunks by their ids, numbers or UUIDs, in the order of the ids.

        :raises ConfigurationError: There is no such point.
        """
        wanted = [one for one in map(own_id, map(str, ids)) if isinstance(one, int) or is_uuid(one)]
        records = self.engine.retrieve(self.name, wanted) if wanted else []
        found = {_plain(record.id): Hit.from_point(record) for record in records}
        missing = [one for one in ids if _plain(one) not in found]
        if missing:
            listed = ", ".join(map(reprlib.repr, missing[:_NAMED])) + " …" * (len(missing) > _NAMED)
            raise ConfigurationError(f"collection {self.name!r} has no point {listed}.")
        return [found[_plain(one)] for one in ids]

    def chunks(self, source: str, root: str | None) -> Hits:
        """Return all chunks of a document, in the order that their payload tells.

        :raises UnknownNameError: There is no such document.
        """
        require_type("source", source, str, "the source of a document, such as hit.source")
        found = [hit for hit in self._matching([_equal("source", source)]) if hit.source == source]
        if not found and _plain(source) in {_plain(hit.id) for hit in self._by_id(source)}:
            found = self._by_id(source)
        if not found:
            raise UnknownNameError("document", source, {document.source for document in self.documents(None)})
        return Hits(_numbered(found))

    def neighborhoods(self, hits: Sequence[Hit], before: int, after: int) -> list[Hits]:
        """Return the chunks around each hit in its document, where the payload tells their order; else the hit alone.

        Neighbors are numbered from the hit's own number on.
        """
        require_around(hits, before, after)
        if self._numbered_there:
            return Browser.neighborhoods(self, hits, before, after)
        told = self._documents_of(hits)
        found = []
        for hit in hits:
            there = told.get(hit.document_id, [])
            place = next((at for at, chunk in enumerate(there) if chunk.id == hit.id), None)
            if place is None:
                found.append(Hits([hit]))
                continue
            near = range(max(0, place - before), min(len(there), place + after + 1))
            found.append(Hits(replace(there[at], chunk_index=hit.chunk_index + at - place) for at in near))
        return found

    def placed(self, found: Sequence[Sequence[Hit]]) -> list[list[Hit]]:
        """Return lists of hits with their numbers in their documents, where the payload tells them."""
        told = {} if self._numbered_there else self._documents_of([hit for hits in found for hit in hits])
        known = {chunk.id: chunk for there in told.values() for chunk in there}
        return [[_at(hit, known.get(hit.id, hit)) for hit in hits] for hits in found]

    def documents(self, where: FilterLike) -> Documents:
        """Return the documents that have a chunk which the filter lets through, by source."""
        condition = filter_of(self.engine, self.name, where)
        fields = ["source", "document_id", "title"]
        held: Counter[str] = Counter()
        heads: dict[str, dict[str, Any]] = {}
        for page in pages(self.engine, self.name, PAGE, fields=fields):
            for payload in (record.payload or {} for record in page):
                held[payload["document_id"]] += 1
                heads.setdefault(payload["document_id"], payload)
        wanted = set(held)
        if condition is not None:
            matching = pages(self.engine, self.name, PAGE, where=condition, fields=fields)
            wanted = {(record.payload or {})["document_id"] for page in matching for record in page}
        found = [
            StoredDocument(
                source=heads[key]["source"], root="", title=heads[key].get("title", ""), media_type="",
                chunks=held[key], size=None, modified=None,
            )
            for key in wanted
        ]  # fmt: skip
        return Documents(sorted(found, key=lambda document: document.source))

    def document_count(self) -> int | None:
        """Return how many documents there are; None where only reading every point of a large collection would tell."""
        total = self.engine.count(self.name, exact=True).count
        layout = self.engine.layout
        if not (layout.document or layout.source):
            return total
        with suppress(StoreError):  # what has no index is not counted by its values
            key = foreign_key(layout, "document_id" if layout.document else "source")
            hits = self.engine.whole.facet(self.name, key, limit=MOST_COUNTED, exact=True).hits
            if sum(hit.count for hit in hits) == total:
                return len(hits)
        return len(self.documents(None)) if total <= MOST_READ else None

    def document_page(self, wanted: DocumentsWanted) -> DocumentPage:
        """Return a page of the documents, by source; every point is looked at: nothing tells which is a first one."""
        every = ((("", one.source, one.title)[: len(wanted.named_by)], one) for one in self.documents(None))
        shown, total, after = wanted.chosen(every)
        return DocumentPage(Documents(shown), total, after)

    def span(self, source: str, root: str | None, start: int, end: int) -> DocumentSpan:
        """Return the chunks of a document that hold any of the characters `[start, end)`; it is read as a whole.

        :raises UnknownNameError: There is no such document.
        """
        chunks = self.chunks(source, root)
        return DocumentSpan(
            source=chunks[0].source, root=chunks[0].root, title=chunks[0].title,
            chunks=Hits(hit for hit in chunks if hit.end > start and hit.start < end),
            length=max(hit.end for hit in chunks),
        )  # fmt: skip

    @property
    def _numbered_there(self) -> bool:
        """Whether each chunk has its number and its place in its document, so that documents need not be read whole."""
        layout = self.engine.layout
        return bool(layout.index and layout.start and not layout.in_json and (layout.document or layout.source))

    def _documents_of(self, hits: Iterable[Hit]) -> dict[str, list[Hit]]:
        """Return the chunks of the documents of some hits, in order; none where no order is told."""
        layout = self.engine.layout
        keys = {hit.document_id for hit in hits}
        if not keys or not (layout.document or layout.source) or not (layout.index or layout.start):
            return {}
        told: defaultdict[str, list[Hit]] = defaultdict(list)
        for chunk in self._matching([_equal("document_id", key) for key in sorted(keys)]):
            told[chunk.document_id].append(chunk)
        return {key: _numbered(chunks) for key, chunks in told.items()}

    def _matching(self, should: list[Any]) -> list[Hit]:
        from qdrant_client import models

        where = models.Filter(should=should)
        found = pages(self.engine, self.name, PAGE, where=where, fields=True)
        return [Hit.from_point(record) for page in found for record in page]

    def _by_id(self, text: str) -> list[Hit]:
        try:
            return self.get([text])
        except ConfigurationError:
            return []


def _equal(key: str, value: str) -> models.FieldCondition:
    from qdrant_client import models

    return models.FieldCondition(key=key, match=models.MatchValue(value=value))


def _numbered(chunks: Iterable[Hit]) -> list[Hit]:
    """Return the chunks of a document in order, numbered from 0."""
    ordered = sorted(chunks, key=lambda hit: (hit.chunk_index, hit.start))
    if any(hit.start for hit in ordered):
        return [replace(hit, chunk_index=number) for number, hit in enumerate(ordered)]
    found, start = [], 0
    for number, hit in enumerate(ordered):  # nothing tells where they begin, so each follows the one before it
        found.append(replace(hit, chunk_index=number, start=start, end=start + len(hit.text)))
        start += len(hit.text) + 1
    return found


def _at(hit: Hit, chunk: Hit) -> Hit:
    """Return a hit where a chunk stands."""
    return replace(hit, chunk_index=chunk.chunk_index, start=chunk.start, end=chunk.end)


def _plain(point_id: object) -> str:
    """Return an id in one spelling: engines take UUIDs with and without hyphens."""
    return str(point_id).replace("-", "").lower()
