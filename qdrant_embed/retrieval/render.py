"""Hits as an HTML table and as a terminal table: query words marked, all text escaped."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING

from qdrant_embed.embedding.bm25 import Bm25Encoder

if TYPE_CHECKING:
    from rich.table import Table

    from qdrant_embed.retrieval.hits import Hit, Hits

_WORD = re.compile(r"\w+")
_CONTROLS = {code: 0x2400 + code for code in range(0x20) if chr(code) not in "\t\n"} | {
    0x7F: 0x2421,
    **dict.fromkeys(range(0x80, 0xA0), 0xFFFD),
}
"""Control characters and the pictures that Unicode has of them (none of the second block)."""
_STYLE = (
    "<style>.qe-hits{border-collapse:collapse;font-size:90%}.qe-hits th,.qe-hits td{text-align:left!important;"
    "vertical-align:top;padding:.3em .6em;border-bottom:1px solid #8884}"
    ".qe-hits .qe-text{white-space:pre-wrap;overflow-wrap:anywhere;max-width:60em}"
    ".qe-hits mark{background:#ffd54f80;color:inherit}.qe-hits .qe-place{opacity:.7}</style>"
)


def marked_spans(text: str, query: str, language: str) -> list[tuple[int, int]]:
    """Return the spans of the words in `text` that BM25 takes for words of `query` (same stem, no stop words).

    Words that a single character parts are marked as one.
    """
    wanted = _terms(query, language)
    if not wanted:
        return []
    return _merged([word.span() for word in _WORD.finditer(text) if _terms(word.group(), language) & wanted])


def printable(text: str) -> str:
    """Return a text that is safe to print: a document must not steer the terminal that shows it.

    Line ends become plain ones; other control characters (such as the one that begins colours and cursor movements)
    are replaced by their pictures, `␛`.
    """
    return text.replace("\r\n", "\n").translate(_CONTROLS)


def to_html(hits: Hits) -> str:
    """Return a self-contained HTML table; the scores are left out where nothing was asked."""
    # Without these classes a notebook would set the text between two dollar signs as a formula.
    opening = "<table class='qe-hits tex2jax_ignore mathjax_ignore'>"
    head = f"<tr>{'<th>score</th>' * bool(hits.query)}<th>{escape(hits.query or 'passages')}</th></tr>"
    rows = "".join(_html_row(hit, hits) for hit in hits)
    nothing = f"<tr>{'<td></td>' * bool(hits.query)}<td>nothing found</td></tr>"
    return f"{_STYLE}{opening}{head}{rows or nothing}</table>"


def to_rich(hits: Hits) -> Table:
    """Return a table for the terminal; the scores are left out where nothing was asked."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.HORIZONTALS, show_lines=True, pad_edge=False)
    if hits.query:
        table.add_column("score", justify="right", no_wrap=True)
    table.add_column(Text(printable(hits.query) or "passages"), overflow="fold")
    for hit in hits:
        text = printable(hit.passage)
        body = Text(text)
        for start, end in marked_spans(text, hits.query, hits.language):
            body.stylize("bold yellow", start, end)
        passage = Text.assemble((printable(hit.place), "cyan"), "\n", body)
        table.add_row(*[f"{hit.score:.3f}"] * bool(hits.query), passage)
    if not hits:
        table.add_row(*[""] * bool(hits.query), "nothing found")
    return table


def _html_row(hit: Hit, hits: Hits) -> str:
    score = f"<td>{hit.score:.3f}</td>" if hits.query else ""
    text = printable(hit.passage)
    parts: list[str] = []
    done = 0
    for start, end in marked_spans(text, hits.query, hits.language):
        parts += [escape(text[done:start]), "<mark>", escape(text[start:end]), "</mark>"]
        done = end
    marked = "".join([*parts, escape(text[done:])])
    place = escape(printable(hit.place))
    return f"<tr>{score}<td><div class='qe-place'>{place}</div><div class='qe-text'>{marked}</div></td></tr>"


@lru_cache(maxsize=4096)
def _terms(text: str, language: str) -> frozenset[int]:
    return frozenset(Bm25Encoder(language).encode_query(text)[0])


def _merged(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in spans:
        if merged and start - merged[-1][1] <= 1:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return merged
