"""What a search returns: passages with their scores and places, readable in a notebook and in a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, SupportsIndex, overload

from qdrant_embed.errors import ConfigurationError
from qdrant_embed.retrieval.explanation import Explanation
from qdrant_embed.retrieval.frames import frame_of
from qdrant_embed.store.methods.ranking_request import FoundPoint
from qdrant_embed.store.points import own_metadata
from qdrant_embed.types import Json

if TYPE_CHECKING:
    import pandas as pd
    from qdrant_client import models
    from rich.console import Console, ConsoleOptions, RenderResult

_HEADING_ANCHOR = re.compile(r"\s*\{:?\s*[#.][\w.#:=\s-]*\}\s*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A chunk found, and where it stands.

    :param score: The higher the better; for `dense` a cosine, or what else the model compares by: a dot product, or
        the negative of a distance; a BM25 score for `bm25`, a dot product for `sparse`, the sum of the best cosines of
        the question's tokens for `multivector`; for `hybrid` from 0 to 1, the best hit with the confidence,
        and for `rrf` a sum of reciprocal ranks, or for both that sum of cosines where
        a multi-vector model ranked; where hits were reranked, what the last reranker makes of it.
    :param start: First character of the passage in the document's text; `end` is one past its last.
    :param page: 1-based page, None for documents without pages.
    :param chunk_index: Position among the document's chunks, from 0.
    :param context: What was embedded before the text: the path of headings, and a table's row of names where the text
        is a later part of the table.
    :param window: Characters `[start, end)` of the document whose vector was nearest, where each window of a long text
        has one (window strategy `windows`); None where the text has one window, or was found by its words alone.
    :param first_rank: Place in the list that was reranked, from 1; None where none was.
    :param first_score: Score there.
    :param explanation: Why it was found, where the search was asked for that; see `explain`.
    :param several_roots: Whether the collection holds several ingested folders, so that `place` has to name one.
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
    chunk_index: int = 0
    document_id: str = ""
    root: str = ""
    media_type: str = ""
    text_type: str = ""
    context: str = ""
    window: tuple[int, int] | None = None
    first_rank: int | None = None
    first_score: float | None = None
    explanation: Explanation | None = field(default=None, repr=False, compare=False)
    several_roots: bool = field(default=False, repr=False, compare=False)

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
            metadata=own_metadata(payload),
            title=payload.get("title", ""),
            chunk_index=payload["chunk_index"],
            document_id=payload["document_id"],
            root=payload.get("root", ""),
            media_type=payload.get("media_type", ""),
            text_type=payload.get("text_type", payload.get("media_type", "")),
            context=payload.get("context", ""),
        )

    @classmethod
    def from_point(cls, point: FoundPoint | models.Record) -> Hit:
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
    def column_names(self) -> str:
        """The row of names of the table that the text is a later part of, as it stands in Markdown; empty if none."""
        names = self.context.rpartition("\n\n")[2]
        return "" if " › ".join(self.headings).endswith(names) or "|" not in names else names

    @property
    def place(self) -> str:
        """Where a person would look it up: `guide.md › Keys › Rotation`, `paper.pdf, page 3`.

        In a collection of several folders the label of the folder comes first: `handbook: guide.md`.
        """
        root = f"{self.root}: " if self.root and self.several_roots else ""
        page = f", page {self.page}" if self.page is not None else ""
        headings = (_HEADING_ANCHOR.sub("", heading) for heading in self.headings)
        return " › ".join((root + self.source + page, *headings))

    def explain(self) -> Explanation:
        """Return why it was found: what each list gave to its score, the words it shares, its nearest sentence.

        :raises ConfigurationError: The search was not asked for explanations.
        """
        if self.explanation is None:
            raise ConfigurationError("this hit was found without explain=True; type: docs.search(…, explain=True)")
        if self.first_rank is None or self.first_score is None:
            return self.explanation
        return replace(self.explanation, reranked=(self.first_rank, self.first_score, self.score))

    def as_dict(self) -> dict[str, Json]:
        """Return the hit as JSON-ready values, with its explanation if it has one."""
        told = {} if self.explanation is None else {"explanation": self.explain().as_dict()}
        left_out = ("several_roots", "explanation")
        return {key: value for key, value in asdict(self).items() if key not in left_out} | told

    def __str__(self) -> str:
        return str(Hits([self]))

    def _repr_html_(self) -> str:
        return Hits([self])._repr_html_()


class Hits(list[Hit]):
    """The hits of one query, best first: a list that also draws itself as a table, and prints as readable lines.

    :param query: The question asked; its words are marked where they occur.
    :param language: Language whose word stems decide what counts as the same word.
    :param title: What was asked, in words, where that is no question; the question itself otherwise.
    :param offset: Hits that were passed over before the first of these.
    :param confidence: How much the scores of the lists look as if the collection held an answer, 0 to 1; None for
        searches that fuse no scores. See `qdrant_embed.evaluation.confidence` for how far to trust it.
    """

    def __init__(
        self,
        hits: Iterable[Hit] = (),
        *,
        query: str = "",
        language: str = "english",
        title: str = "",
        offset: int = 0,
        confidence: float | None = None,
    ) -> None:
        super().__init__(hits)
        self.confidence = confidence
        self.query = query
        self.language = language
        self.asked = bool(query or title)
        self.title = title or query or "passages"
        self.offset = offset

    @overload
    def __getitem__(self, place: SupportsIndex) -> Hit: ...
    @overload
    def __getitem__(self, place: slice) -> Hits: ...
    def __getitem__(self, place: SupportsIndex | slice) -> Hit | Hits:
        if not isinstance(place, slice):
            return super().__getitem__(place)
        start, _, step = place.indices(len(self))
        title = self.title if self.asked and not self.query else ""
        # A list that is turned round, or of which hits are left out, is numbered anew.
        offset = self.offset + start if step == 1 else 0
        return Hits(
            super().__getitem__(place),
            query=self.query,
            language=self.language,
            title=title,
            offset=offset,
            confidence=self.confidence,
        )

    def to_pandas(self) -> pd.DataFrame:
        """Return the hits as a data frame, one row each, best first.

        :raises MissingExtraError: pandas is not installed.
        """
        return frame_of([{"rank": rank, **hit.as_dict()} for rank, hit in enumerate(self, self.offset + 1)], RANKED)

    def __str__(self) -> str:
        from qdrant_embed.retrieval.render import to_text

        return to_text(self)

    def _repr_html_(self) -> str:
        from qdrant_embed.retrieval.render import to_html

        return to_html(self)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from qdrant_embed.retrieval.render import to_rich

        yield to_rich(self)


class Answers(list[Hits]):
    """The hits of several queries, in the order of the queries: a list that also draws itself, a table for each."""

    def to_pandas(self) -> pd.DataFrame:
        """Return all hits as one data frame, with a column `query`.

        :raises MissingExtraError: pandas is not installed.
        """
        rows = [
            {"query": hits.query, "rank": rank, **hit.as_dict()}
            for hits in self
            for rank, hit in enumerate(hits, hits.offset + 1)
        ]
        return frame_of(rows, ("query", *RANKED))

    def __str__(self) -> str:
        return "\n\n".join(map(str, self))

    def _repr_html_(self) -> str:
        return "".join(hits._repr_html_() for hits in self)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield from self


COLUMNS = tuple(column.name for column in fields(Hit) if column.name not in ("several_roots", "explanation"))
RANKED = ("rank", *COLUMNS)
OF_SEARCHES = ("score", "window", "first_rank", "first_score")
"""What a chunk has only where it was found."""
