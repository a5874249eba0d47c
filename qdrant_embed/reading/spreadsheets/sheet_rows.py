"""The form in which all workbooks are written out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import chain

from qdrant_embed.reading.growth import joined
from qdrant_embed.reading.tables.rows import table_records

WIDEST = 16_384
"""Columns of a sheet."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet: its name, its rows, and what stands on it or is said about it besides."""

    title: str
    rows: Iterable[Sequence[str]]
    besides: Sequence[str] = ()


def sheets_text(sheets: Iterable[Sheet]) -> str:
    """Return the text of sheets; of one without text, nothing.

    :raises ReadError: It is too long, as when many cells share a long text.
    """
    texts = ((sheet.title, joined(chain(table_records(sheet.rows), sheet.besides), "\n\n")) for sheet in sheets)
    return joined((f"## {title}\n\n{text}" for title, text in texts if text), "\n\n")


def cell_text(value: object) -> str:
    """Return the value of a cell as text: dates as in ISO 8601, numbers without noise in their last digits."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.15g}"
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)


def hidden_note(titles: Sequence[str]) -> tuple[str, ...]:
    """Return what to tell of hidden sheets."""
    if not titles:
        return ()
    return (f"{len(titles)} hidden sheet{'s' * (len(titles) > 1)} read too: {', '.join(titles)}",)
