"""Looking into a collection without a query: its documents, their chunks, a hit's neighbours, a data frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from itertools import chain
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np

from qdrant_embed.errors import ConfigurationError, MissingExtraError
from qdrant_embed.retrieval.hits import Hit, Hits
from qdrant_embed.store.access import pages, vector_of
from qdrant_embed.store.coding import Coding
from qdrant_embed.store.engine import Engine
from qdrant_embed.store.filters import PlainFilter, filter_of, to_filter
from qdrant_embed.store.points import CHUNK_COUNT
from qdrant_embed.store.schema import DENSE
from qdrant_embed.types import Json

if TYPE_CHECKING:
    import pandas as pd
    from qdrant_client import models

PAGE = 1024
_DOCUMENT_FIELDS = ("source", "root", "title", "media_type", "size", "modified", "document_id", CHUNK_COUNT)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDocument:
    """A document as the collection has it.

    :param chunks: Number of chunks; None if an ingest of it did not finish.
    """

    source: str
    root: str
    title: str
    media_type: str
    chunks: int | None
    size: int | None
    modified: str | None

    def as_dict(self) -> dict[str, Json]:
        """Return the document as JSON-ready values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Browser:
    """Reads points of one collection."""

    engine: Engine
    name: str

    def get(self, point_id: str) -> Hit:
        """Return one chunk by its id.

        :raises ConfigurationError: There is no such point.
        """
        records = self.engine.retrieve(self.name, [point_id], with_payload=True) if _is_uuid(point_id) else []
        if not records:
            raise ConfigurationError(f"collection {self.name!r} has no point {point_id!r}.")
        return Hit.from_point(records[0])

    def chunks(self, source: str, root: str | None) -> Hits:
        """Return all chunks of a document, in reading order."""
        from qdrant_client import models

        # Not a plain filter: a file may be called `notes*.md`.
        wanted = {"source": source} | ({"root": root} if root is not None else {})
        where: list[models.Condition] = [
            models.FieldCondition(key=key, match=models.MatchValue(value=value)) for key, value in wanted.items()
        ]
        hits = [Hit.from_point(record) for record in self._scroll(models.Filter(must=where))]
        return Hits(sorted(hits, key=lambda hit: (hit.root, hit.source, hit.index)))

    def neighbours(self, hit: Hit, before: int, after: int) -> Hits:
        """Return the chunks around a hit in its document, the hit included, in reading order.

        :raises ConfigurationError: `before` or `after` is negative.
        """
        from qdrant_client import models

        if before < 0 or after < 0:
            raise ConfigurationError(f"before={before}, after={after}; give 0 or more passages on each side.")
        where = models.Filter(
            must=[
                models.FieldCondition(key="document_id", match=models.MatchValue(value=hit.document_id)),
                models.FieldCondition(
                    key="chunk_index", range=models.Range(gte=hit.index - before, lte=hit.index + after)
                ),
            ]
        )
        return Hits(sorted(map(Hit.from_point, self._scroll(where)), key=lambda found: found.index))

    def documents(self, where: PlainFilter | models.Filter | None) -> list[StoredDocument]:
        """Return the documents that have a chunk which the filter lets through, by root and source."""
        condition = filter_of(self.engine, self.name, where)
        # The first chunk speaks for its document, but what the filter asks for may stand in any other.
        wanted = None if condition is None else self._document_ids(condition)
        heads = self._scroll(to_filter({"chunk_index": 0}), payload=_DOCUMENT_FIELDS)
        found = [
            _document(head)
            for head in (record.payload or {} for record in heads)
            if wanted is None or head["document_id"] in wanted
        ]
        return sorted(found, key=lambda document: (document.root, document.source))

    def _document_ids(self, where: models.Filter) -> set[str]:
        return {(record.payload or {})["document_id"] for record in self._scroll(where, payload=["document_id"])}

    def to_pandas(self, where: PlainFilter | models.Filter | None, coding: Coding | None) -> pd.DataFrame:
        """Return the chunks as a data frame, one row each, in reading order.

        :param coding: Adds a column `vector` with the model's vectors, which it finds in the store's.
        :raises MissingExtraError: pandas is not installed.
        :raises ConfigurationError: Vectors are wanted, and the collection keeps nothing but signs.
        """
        try:
            import pandas as pd
        except ImportError:
            raise MissingExtraError("to_pandas()", "pandas", "qdrant-embed[pandas]") from None
        if coding is not None:
            coding.require_numbers()
        columns = [column.name for column in fields(Hit) if column.name not in ("score", "window")]
        rows = []
        condition = filter_of(self.engine, self.name, where)
        found = self._scroll(condition, page=coding.page if coding else PAGE, vectors=[DENSE] * bool(coding))
        for record in found:
            row = {column: value for column, value in Hit.from_point(record).as_dict().items() if column in columns}
            if coding is not None:
                stored = np.asarray(vector_of(record, DENSE))
                raw = coding.raw(np.atleast_2d(stored))
                row["vector"] = raw if stored.ndim > 1 else raw[0]
            rows.append(row)
        rows.sort(key=lambda row: (row["root"], row["source"], row["index"]))
        return pd.DataFrame(rows, columns=[*columns, *(["vector"] if coding else [])])

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


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except (ValueError, AttributeError, TypeError):
        return False
    return True


def _document(payload: dict[str, Any]) -> StoredDocument:
    return StoredDocument(
        source=payload["source"],
        root=payload.get("root", ""),
        title=payload.get("title", ""),
        media_type=payload.get("media_type", ""),
        chunks=payload.get(CHUNK_COUNT) or None,
        size=payload.get("size"),
        modified=payload.get("modified"),
    )
