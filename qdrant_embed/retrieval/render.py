"""Hits as an HTML table and as a terminal table: query words marked, all text escaped."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING

from qdrant_embed.embedding.bm25 import Bm25Encoder

if TYPE_CHECKING:
    from rich.table import Table

    from qdrant_embed.retrieval.hits import Hits

_WORD = re.compile(r"\w+")
_STYLE = (
    "<style>.qe-hits{border-collapse:collapse;font-size:90%}.qe-hits th,.qe-hits td{text-align:left!important;"
    "vertical-align:top;padding:.3em .6em;border-bottom:1px solid #8884}.qe-hits .qe-text{white-space:pre-wrap}"
    ".qe-hits mark{background:#ffd54f80;color:inherit}.qe-hits .qe-place{opacity:.7}</style>"
)


def marked_spans(text: str, query: str, language: str) -> list[tuple[int, int]]:
    """Return the spans of the words in `text` that BM25 takes for words of `query` (same stem, no stop words)."""
    wanted = _terms(query, language)
    return [word.span() for word in _WORD.finditer(text) if _terms(word.group(), language) & wanted]


def to_html(hits: Hits) -> str:
    """Return a self-contained HTML table."""
    rows = "".join(
        f"<tr><td>{hit.score:.3f}</td><td><div class='qe-place'>{escape(hit.place)}</div>"
        f"<div class='qe-text'>{_with_marks(hit.text, hits, escape, '<mark>', '</mark>')}</div></td></tr>"
        for hit in hits
    )
    head = f"<tr><th>score</th><th>{escape(hits.query)}</th></tr>"
    return f"{_STYLE}<table class='qe-hits'>{head}{rows or '<tr><td></td><td>nothing found</td></tr>'}</table>"


def to_rich(hits: Hits) -> Table:
    """Return a table for the terminal."""
    from rich.table import Table
    from rich.text import Text

    table = Table(show_header=True, show_lines=True, title=Text(hits.query) if hits.query else None)
    table.add_column("score", justify="right", no_wrap=True)
    table.add_column("passage", overflow="fold")
    for hit in hits:
        passage = Text(f"{hit.place}\n", style="dim")
        body = Text(hit.text, style="not dim")
        for start, end in marked_spans(hit.text, hits.query, hits.language):
            body.stylize("bold yellow", start, end)
        table.add_row(f"{hit.score:.3f}", passage.append_text(body))
    if not hits:
        table.add_row("", "nothing found")
    return table


@lru_cache(maxsize=4096)
def _terms(text: str, language: str) -> frozenset[int]:
    return frozenset(Bm25Encoder(language).encode_query(text)[0])


def _with_marks(text: str, hits: Hits, quote: Callable[[str], str], before: str, after: str) -> str:
    parts: list[str] = []
    done = 0
    for start, end in _merged(marked_spans(text, hits.query, hits.language)):
        parts += [quote(text[done:start]), before, quote(text[start:end]), after]
        done = end
    return "".join([*parts, quote(text[done:])])


def _merged(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join marked words that a single space parts, so that phrases are marked as one."""
    merged: list[tuple[int, int]] = []
    for start, end in spans:
        if merged and start - merged[-1][1] <= 1:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return merged
