"""Hits as an HTML table, as a terminal table and as plain text: query words marked, all text made safe to show."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from qdrant_embed.display import TABLE_START, TABLE_STYLE, as_html, one_line, printable
from qdrant_embed.embedding.bm25 import Bm25Encoder
from qdrant_embed.types import CharSpan
from qdrant_embed.words.splitter import lowered_by, split

if TYPE_CHECKING:
    from rich.table import Table

Spans = Sequence[CharSpan]

PRINTED = 400
"""Characters of a passage that `print` shows."""
_LEAD = 80
"""Characters before the first marked word that an excerpt begins with, at the most."""
_ANCHOR = re.compile(r"[ \t]*\{:?[ \t]*[#.][\w.#:= \t-]*\}[ \t]*$", re.MULTILINE)
"""`{ #anchor }` behind a heading: an attribute list of Markdown, which says nothing to a reader."""


class Passage(Protocol):
    """What is shown of a hit."""

    @property
    def score(self) -> float:
        """How well it answers, the higher the better."""
        ...

    @property
    def place(self) -> str:
        """Where a person would look it up."""
        ...

    @property
    def passage(self) -> str:
        """The text."""
        ...

    @property
    def column_names(self) -> str:
        """The row of names of the table that it is a part of."""
        ...

    @property
    def explanation(self) -> object | None:
        """Why it was found, where that was asked for."""
        ...

    def explain(self) -> object:
        """Return that, with what rerankers changed."""
        ...


class PassageList(Protocol):
    """Hits with what they are shown under; see `qdrant_embed.retrieval.Hits`."""

    query: str
    language: str
    title: str
    asked: bool
    offset: int

    def __iter__(self) -> Iterator[Passage]:
        """Yield them, best first."""
        ...

    def __len__(self) -> int:
        """Return how many there are."""
        ...


def marked_spans(text: str, query: str, language: str) -> list[CharSpan]:
    """Return the spans of the words in `text` that BM25 takes for words of `query` (same stem, no stop words).

    Words that a single character parts are marked as one.
    """
    wanted = _terms(query, language)
    if not wanted:
        return []
    found = [
        (term.start, term.end)
        for term in split(lowered_by(language, text), singles=True)
        if _terms(term.text, language) & wanted
    ]
    return _merged(text, found)


def shown(text: str) -> str:
    """Return a passage as it is shown: safe to print, without the anchors of Markdown headings."""
    return _ANCHOR.sub("", printable(text)) if "{" in text else printable(text)


def excerpt(text: str, spans: Spans, most: int) -> tuple[str, Spans]:
    """Return the part of a text, at most `most` characters long, in which most words are marked, with their spans."""
    if len(text) <= most:
        return text, spans
    starts = [0, *(max(0, start - _LEAD) for start, _ in spans)]
    best = max(starts, key=lambda begin: sum(begin <= start and end <= begin + most for start, end in spans))
    # At the next word, if one begins close behind.
    word = re.compile(r"\s\S").search(text, max(0, best - 1), best + _LEAD) if best else None
    begin = word.end() - 1 if word else best
    end = begin + most
    end = end if end >= len(text) else max(text.rfind(" ", begin, end), text.rfind("\n", begin, end), begin + most // 2)
    before, after = "… " * bool(begin), " …" * (end < len(text))
    shift = len(before) - begin
    kept = [(start + shift, stop + shift) for start, stop in spans if begin <= start and stop <= end]
    return f"{before}{text[begin:end].rstrip()}{after}", kept


def to_html(hits: PassageList) -> str:
    """Return a self-contained HTML table; rank and scores are left out where nothing was asked."""
    head = f"{'<th>#</th><th>score</th>' * hits.asked}<th>{as_html(hits.title)}</th>"
    rows = "".join(_html_row(place, hit, hits) for place, hit in enumerate(hits, hits.offset + 1))
    nothing = f"<tr>{'<td></td><td></td>' * hits.asked}<td>nothing found</td></tr>"
    return f"{TABLE_STYLE}{TABLE_START}<tr>{head}</tr>{rows or nothing}</table>"


def to_rich(hits: PassageList, most: int | None = None) -> Table:
    """Return a table for the terminal; rank and scores are left out where nothing was asked.

    :param most: Characters shown of each passage, those around the marked words; None for all.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.HORIZONTALS, show_lines=True, pad_edge=False)
    if hits.asked:
        table.add_column("#", justify="right", no_wrap=True)
        table.add_column("score", justify="right", no_wrap=True)
    table.add_column(Text(one_line(hits.title)), overflow="fold")
    for place, hit in enumerate(hits, hits.offset + 1):
        text, spans = _passage(hit, hits, most)
        body = Text(text)
        for start, end in spans:
            body.stylize("bold yellow", start, end)
        why = [("\n" + str(hit.explain()), "dim")] if hit.explanation else []
        passage = Text.assemble((one_line(hit.place), "cyan"), "\n", body, *why)
        table.add_row(*([str(place), f"{hit.score:.3f}"] if hits.asked else []), passage)
    if not hits:
        table.add_row(*[""] * (2 * hits.asked), "nothing found")
    return table


def to_text(hits: PassageList) -> str:
    """Return hits as lines for `print`: place and score, and of each passage what is around the words of the query."""
    lines = [one_line(hits.title)] if hits.title else []
    for place, hit in enumerate(hits, hits.offset + 1):
        score = f"{hit.score:.3f}  " if hits.asked else ""
        text, _ = _passage(hit, hits, PRINTED)
        lines += [
            f"{place}. {score}{one_line(hit.place)}",
            *(f"   {line}" for line in text.splitlines() if line.strip()),
            *(f"   | {line}" for line in (str(hit.explain()).splitlines() if hit.explanation else ())),
        ]
    return "\n".join(lines if hits else [*lines, "nothing found"])


def _passage(hit: Passage, hits: PassageList, most: int | None) -> tuple[str, Spans]:
    whole = shown(hit.passage)
    marked = marked_spans(whole, hits.query, hits.language)
    text, spans = (whole, marked) if most is None else excerpt(whole, marked, most)
    if not hit.column_names:
        return text, spans
    names = f"{shown(hit.column_names)}\n"
    return names + text, [(start + len(names), end + len(names)) for start, end in spans]


def _html_row(place: int, hit: Passage, hits: PassageList) -> str:
    score = f"<td>{place}</td><td>{hit.score:.3f}</td>" if hits.asked else ""
    text, spans = _passage(hit, hits, None)
    parts: list[str] = []
    done = 0
    for start, end in spans:
        parts += [as_html(text[done:start]), "<mark>", as_html(text[start:end]), "</mark>"]
        done = end
    marked = "".join([*parts, as_html(text[done:])])
    where = as_html(one_line(hit.place))
    why = f"<div class='qe-text'><small>{as_html(hit.explain())}</small></div>" if hit.explanation else ""
    return f"<tr>{score}<td><div class='qe-place'>{where}</div><div class='qe-text'>{marked}</div>{why}</td></tr>"


@lru_cache(maxsize=4096)
def _terms(text: str, language: str) -> frozenset[int]:
    return frozenset(Bm25Encoder(language).encode_query(text)[0])


def _merged(text: str, spans: Iterable[CharSpan]) -> list[CharSpan]:
    merged: list[CharSpan] = []
    for start, end in spans:
        last = merged[-1][1] if merged else -2
        if start <= last or (start == last + 1 and not text[last].isalnum()):
            merged[-1] = (merged[-1][0], max(last, end))
        else:
            merged.append((start, end))
    return merged
