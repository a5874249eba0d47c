"""Looking into a collection without a query: its documents, their chunks, a hit's neighbours, a data frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from qdrant_embed.errors import ConfigurationError, MissingExtraError
from qdrant_embed.retrieval.hits import Hit
from qdrant_embed.store.engine import Engine
from qdrant_embed.store.filters import PlainFilter, both, to_filter
from qdrant_embed.store.points import CHUNK_COUNT
from qdrant_embed.store.schema import DENSE
from qdrant_embed.types import Json

if TYPE_CHECKING:
    import pandas as pd
    from qdrant_client import models

PAGE = 1024


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
        records = self.engine.retrieve(self.name, [point_id], with_payload=True, with_vectors=False)
        if not records:
            raise ConfigurationError(f"collection {self.name!r} has no point {point_id!r}.")
        return Hit.from_point(records[0])

    def chunks(self, source: str, root: str | None) -> list[Hit]:
        """Return all chunks of a document, in reading order."""
        plain: dict[str, Any] = {"source": source} | ({"root": root} if root is not None else {})
        hits = [Hit.from_point(record) for record in self._scroll(to_filter(plain))]
        return sorted(hits, key=lambda hit: (hit.root, hit.source, hit.index))

    def neighbours(self, hit: Hit, before: int, after: int) -> list[Hit]:
        """Return the chunks around a hit in its document, the hit included, in reading order."""
        from qdrant_client import models

        where = models.Filter(
            must=[
                models.FieldCondition(key="document_id", match=models.MatchValue(value=hit.document_id)),
                models.FieldCondition(
                    key="chunk_index", range=models.Range(gte=hit.index - before, lte=hit.index + after)
                ),
            ]
        )
        return sorted(map(Hit.from_point, self._scroll(where)), key=lambda found: found.index)

    def documents(self, where: PlainFilter | models.Filter | None) -> list[StoredDocument]:
        """Return the documents of the collection, by root and source."""
        heads = both(to_filter({"chunk_index": 0}), to_filter(where))
        found = [_document(record.payload or {}) for record in self._scroll(heads)]
        return sorted(found, key=lambda document: (document.root, document.source))

    def to_pandas(self, where: PlainFilter | models.Filter | None, *, vectors: bool) -> pd.DataFrame:
        """Return the chunks as a data frame, one row each, in reading order; `vectors` adds a column `vector`.

        :raises MissingExtraError: pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError:
            raise MissingExtraError("to_pandas()", "pandas", "qdrant-embed[pandas]") from None
        rows = []
        for record in self._scroll(to_filter(where), vectors=vectors):
            row = Hit.from_point(record).as_dict()
            del row["score"]
            if vectors:
                row["vector"] = record.vector[DENSE] if isinstance(record.vector, dict) else record.vector
            rows.append(row)
        rows.sort(key=lambda row: (row["root"], row["source"], row["index"]))
        return pd.DataFrame(rows)

    def _scroll(self, where: models.Filter | None, *, vectors: bool = False) -> Iterator[models.Record]:
        offset: Any = None
        wanted: bool | Sequence[str] = [DENSE] if vectors else False
        while True:
            records, offset = self.engine.scroll(
                self.name, scroll_filter=where, limit=PAGE, offset=offset, with_payload=True, with_vectors=wanted
            )
            yield from records
            if offset is None:
                return


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
