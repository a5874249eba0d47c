"""Looking into a collection without a query: its documents, their chunks, a hit's neighbors, a data frame."""

from __future__ import annotations

import reprlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from numbers import Integral
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np

from qdrant_embed.errors import ConfigurationError, UnknownNameError, require_type
from qdrant_embed.retrieval.document_pages import (
    DOCUMENT_FIELDS,
    DocumentPage,
    DocumentSpan,
    DocumentsWanted,
    document_page,
    document_span,
)
from qdrant_embed.retrieval.documents import Documents, StoredDocument
from qdrant_embed.retrieval.frames import frame_of, require_pandas
from qdrant_embed.retrieval.hits import COLUMNS, OF_SEARCHES, Hit, Hits
from qdrant_embed.retrieval.root_labels import KnownRoots
from qdrant_embed.store.collection_codec import CollectionCodec
from qdrant_embed.store.engine import Engine
from qdrant_embed.store.filters import FilterLike, filter_of, to_filter
from qdrant_embed.store.scroll import pages, vector_of
from qdrant_embed.types import DENSE

if TYPE_CHECKING:
    import pandas as pd
    from qdrant_client import models

PAGE = 1024
_NAMED = 5
"""Missing ids that are named at the most."""


@dataclass(frozen=True, slots=True)
class Browser:
    """Reads points of one collection."""

    engine: Engine
    name: str
    roots: KnownRoots

    def get(self, ids: Sequence[str]) -> list[Hit]:
        """Return chunks by their ids, in the order of the ids.

        :raises ConfigurationError: There is no such point.
        """
        known = [point_id for point_id in ids if _is_uuid(point_id)]
        records = self.engine.retrieve(self.name, known, with_payload=True) if known else []
        found = {str(record.id): Hit.from_point(record) for record in records}
        missing = [point_id for point_id in ids if not _is_uuid(point_id) or str(UUID(point_id)) not in found]
        if missing:
            listed = ", ".join(map(reprlib.repr, missing[:_NAMED])) + " …" * (len(missing) > _NAMED)
            raise ConfigurationError(f"collection {self.name!r} has no point {listed}.")
        return self.roots.named([[found[str(UUID(point_id))] for point_id in ids]])[0]

    def chunks(self, source: str, root: str | None) -> Hits:
        """Return all chunks of a document, in reading order.

        :raises UnknownNameError: There is no such document.
        """
        from qdrant_client import models

        require_type("source", source, str, "the source of a document, such as hit.source")
        # Not a plain filter: a file may be called `notes*.md`.
        wanted = {"source": source} | ({"root": root} if root is not None else {})
        where: list[models.Condition] = [
            models.FieldCondition(key=key, match=models.MatchValue(value=value)) for key, value in wanted.items()
        ]
        hits = [Hit.from_point(record) for record in self._scroll(models.Filter(must=where))]
        if not hits:
            stored = self.documents(None)
            if source in {document.source for document in stored}:
                raise UnknownNameError(f"root of {source!r}", str(root), {document.root for document in stored})
            there = {document.source for document in stored if root in (None, document.root)}
            raise UnknownNameError("document", source, there)
        (rooted,) = self.roots.named([hits])
        return Hits(sorted(rooted, key=lambda hit: (hit.root, hit.source, hit.chunk_index)))

    def neighborhoods(self, hits: Sequence[Hit], before: int, after: int) -> list[Hits]:
        """Return the chunks around each hit in its document, the hit included, in reading order; asked for together.

        :raises ConfigurationError: `before` or `after` is negative.
        """
        from qdrant_client import models

        require_around(hits, before, after)
        where = models.Filter(should=[_around(hit, before, after) for hit in hits])
        by_place = {}
        (around,) = self.roots.named([list(map(Hit.from_point, self._scroll(where))) if hits else []])
        for chunk in around:
            by_place[chunk.document_id, chunk.chunk_index] = chunk
        last = max((place for _, place in by_place), default=0)
        return [
            Hits(
                by_place[hit.document_id, place]
                for place in range(max(0, hit.chunk_index - before), min(last, hit.chunk_index + after) + 1)
                if (hit.document_id, place) in by_place
            )
            for hit in hits
        ]

    def placed(self, found: Sequence[Sequence[Hit]]) -> list[list[Hit]]:
        """Return lists of hits with their numbers in their documents, which payloads of this library tell."""
        return list(map(list, found))

    def documents(self, where: FilterLike) -> Documents:
        """Return the documents that have a chunk which the filter lets through, by root and source."""
        condition = filter_of(self.engine, self.name, where)
        # The first chunk speaks for its document, but what the filter asks for may stand in any other.
        passing = None if condition is None else self._scroll(condition, payload=["document_id"])
        wanted = None if passing is None else {(record.payload or {})["document_id"] for record in passing}
        heads = self._scroll(to_filter({"chunk_index": 0}), payload=DOCUMENT_FIELDS)
        found = [
            StoredDocument.from_payload(head)
            for head in (record.payload or {} for record in heads)
            if wanted is None or head["document_id"] in wanted
        ]
        return Documents(sorted(found, key=lambda document: (document.root, document.source)))

    def document_count(self) -> int | None:
        """Return how many documents there are; None where that would take too long to tell."""
        return self.engine.count(self.name, count_filter=to_filter({"chunk_index": 0}), exact=True).count

    def document_page(self, wanted: DocumentsWanted) -> DocumentPage:
        """Return a page of the documents, by root and source; however many there are, in memory is one page."""
        return document_page(self.engine, self.name, wanted)

    def span(self, source: str, root: str | None, start: int, end: int) -> DocumentSpan:
        """Return the chunks of a document that hold any of the characters `[start, end)`; no others are read.

        :raises UnknownNameError: There is no such document.
        :raises ConfigurationError: Several roots have one.
        """
        require_type("source", source, str, "the source of a document, such as hit.source")
        return document_span(self.engine, self.name, source, root, start, end)

    def to_pandas(self, where: FilterLike, codec: CollectionCodec | None) -> pd.DataFrame:
        """Return the chunks as a data frame, one row each, in reading order.

        :param codec: Adds a column `vector` with the model's vectors, which it finds in the store's.
        :raises MissingExtraError: pandas is not installed.
        :raises ConfigurationError: Vectors are wanted, and the collection keeps nothing but signs.
        """
        require_pandas()
        if codec is not None:
            codec.require_numbers()
        columns = [name for name in COLUMNS if name not in OF_SEARCHES]
        rows = []
        condition = filter_of(self.engine, self.name, where)
        found = self._scroll(condition, page=codec.page if codec else PAGE, vectors=[DENSE] * bool(codec))
        for record in found:
            row = {column: value for column, value in Hit.from_point(record).as_dict().items() if column in columns}
            if codec is not None:
                stored = np.asarray(vector_of(record, DENSE))
                raw = codec.raw(np.atleast_2d(stored))
                row["vector"] = raw if stored.ndim > 1 else raw[0]
            rows.append(row)
        rows.sort(key=lambda row: (row["root"], row["source"], row["chunk_index"]))
        return frame_of(rows, [*columns, *(["vector"] if codec else [])])

    def _scroll(
        self,
        where: models.Filter | None,
        *,
        page: int = PAGE,
        vectors: Sequence[str] = (),
        payload: Sequence[str] | bool = True,
    ) -> Iterator[models.Record]:
        found = pages(self.engine, self.name, page, where=where, fields=payload, vectors=vectors)
        return chain.from_iterable(found)


def require_around(hits: Sequence[Hit], before: int, after: int) -> None:
    """Refuse to look around what is no hit, or to look less far than not at all.

    :raises ConfigurationError: It is so.
    """
    for hit in hits:
        require_type("hit", hit, Hit, "a hit of a search; docs.get(id) makes one of an id")
    for name, value in (("before", before), ("after", after)):
        require_type(name, value, Integral, "a whole number of passages")
    if before < 0 or after < 0:
        raise ConfigurationError(f"before={before}, after={after}; give 0 or more passages on each side.")


def _around(hit: Hit, before: int, after: int) -> models.Filter:
    from qdrant_client import models

    places = models.Range(gte=hit.chunk_index - before, lte=hit.chunk_index + after)
    return models.Filter(
        must=[
            models.FieldCondition(key="document_id", match=models.MatchValue(value=hit.document_id)),
            models.FieldCondition(key="chunk_index", range=places),
        ]
    )


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except (ValueError, AttributeError, TypeError):
        return False
    return True
