"""The documents of a collection, as it has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, SupportsIndex, overload

from qdrant_embed.display import aligned, counted, html_table, one_line
from qdrant_embed.retrieval.frames import frame_of
from qdrant_embed.store.points import CHUNK_COUNT
from qdrant_embed.types import Json

if TYPE_CHECKING:
    import pandas as pd


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

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> StoredDocument:
        """Read a document from the payload of its first chunk."""
        return cls(
            source=payload["source"],
            root=payload.get("root", ""),
            title=payload.get("title", ""),
            media_type=payload.get("media_type", ""),
            chunks=payload.get(CHUNK_COUNT) or None,
            size=payload.get("size"),
            modified=payload.get("modified"),
        )

    def as_dict(self) -> dict[str, Json]:
        """Return the document as JSON-ready values."""
        return asdict(self)


_SHOWN = ("source", "root", "chunks", "title")
_COLUMNS = tuple(column.name for column in fields(StoredDocument))


class Documents(list[StoredDocument]):
    """Documents, by root and source: a list that also draws itself as a table, and prints as one line for each."""

    @overload
    def __getitem__(self, place: SupportsIndex) -> StoredDocument: ...
    @overload
    def __getitem__(self, place: slice) -> Documents: ...
    def __getitem__(self, place: SupportsIndex | slice) -> StoredDocument | Documents:
        if isinstance(place, slice):
            return Documents(super().__getitem__(place))
        return super().__getitem__(place)

    def to_pandas(self) -> pd.DataFrame:
        """Return the documents as a data frame, one row each.

        :raises MissingExtraError: pandas is not installed.
        """
        return frame_of([document.as_dict() for document in self], _COLUMNS)

    def __str__(self) -> str:
        return f"{aligned([_SHOWN, *self._rows()])}\n{counted(len(self), 'document')}"

    def _repr_html_(self) -> str:
        return html_table(_SHOWN, self._rows(), nothing="no documents")

    def _rows(self) -> Iterator[tuple[str, ...]]:
        for document in self:
            chunks = "unfinished" if document.chunks is None else f"{document.chunks:,}"
            yield (one_line(document.source), one_line(document.root), chunks, one_line(document.title))
