"""What a search returns: passages with their scores and places, readable in a notebook and in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, SupportsIndex, overload

from qdrant_embed.types import Json

if TYPE_CHECKING:
    from qdrant_client import models
    from rich.console import Console, ConsoleOptions, RenderResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A chunk found, and where it stands.

    :param score: The higher the better; for `dense` a cosine, or what else the model compares by: a dot product, or
        the negative of a distance; a BM25 score for `bm25`, a dot product for `sparse`, the sum of the best cosines of
        the question's tokens for `multivector`; for `hybrid` a fused rank, or that sum where a multi-vector model
        ranked.
    :param start: First character of the passage in the document's text; `end` is one past its last.
    :param page: 1-based page, None for documents without pages.
    :param index: Position among the document's chunks, from 0.
    :param window: Characters `[start, end)` of the document whose vector was nearest, where each window of a long text
        has one (window strategy `windows`); None where the text has one window, or was found by its words alone.
    """

    id: str
    score: float
    text: str
    source: str
    start: int
    end: int
    page: int | None = None
    headings: tuple[str, ...] = ()
    metadata: Mapping[str, Json] = field(default_factory=dict)
    title: str = ""
    index: int = 0
    document_id: str = ""
    root: str = ""
    media_type: str = ""
    text_type: str = ""
    window: tuple[int, int] | None = None

    @classmethod
    def from_payload(cls, point_id: object, payload: Mapping[str, Any], score: float = 0.0) -> Hit:
        """Read a hit from a stored point."""
        return cls(
            id=str(point_id),
            score=score,
            text=payload["text"],
            source=payload["source"],
            start=payload["start"],
            end=payload["end"],
            page=payload.get("page"),
            headings=tuple(payload.get("headings", ())),
            metadata=payload.get("metadata", {}),
            title=payload.get("title", ""),
            index=payload["chunk_index"],
            document_id=payload["document_id"],
            root=payload.get("root", ""),
            media_type=payload.get("media_type", ""),
            text_type=payload.get("text_type", payload.get("media_type", "")),
        )

    @classmethod
    def from_point(cls, point: models.ScoredPoint | models.Record) -> Hit:
        """Read a hit from what an engine returned."""
        return cls.from_payload(point.id, point.payload or {}, float(getattr(point, "score", 0.0)))

    @property
    def passage(self) -> str:
        """What answers: the text of the window, if one was nearest, else the whole text."""
        if self.window is None:
            return self.text
        start, end = self.window
        return self.text[start - self.start : end - self.start]

    @property
    def place(self) -> str:
        """Where a person would look it up: `guide.md › Keys › Rotation`, `paper.pdf, page 3`."""
        page = f", page {self.page}" if self.page is not None else ""
        return " › ".join((self.source + page, *self.headings))

    def as_dict(self) -> dict[str, Json]:
        """Return the hit as JSON-ready values."""
        return asdict(self)


class Hits(list[Hit]):
    """The hits of one query, best first: a list that also draws itself as a table.

    :param query: The question asked; its words are marked where they occur.
    :param language: Language whose word stems decide what counts as the same word.
    """

    def __init__(self, hits: Iterable[Hit] = (), *, query: str = "", language: str = "english") -> None:
        super().__init__(hits)
        self.query = query
        self.language = language

    @overload
    def __getitem__(self, place: SupportsIndex) -> Hit: ...
    @overload
    def __getitem__(self, place: slice) -> Hits: ...
    def __getitem__(self, place: SupportsIndex | slice) -> Hit | Hits:
        if isinstance(place, slice):
            return Hits(super().__getitem__(place), query=self.query, language=self.language)
        return super().__getitem__(place)

    def _repr_html_(self) -> str:
        from qdrant_embed.retrieval.render import to_html

        return to_html(self)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from qdrant_embed.retrieval.render import to_rich

        yield to_rich(self)
