"""Files of delimited values (CSV) by the rules of RFC 4180, and with what breaks them."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain

from qdrant_embed.reading.growth import joined
from qdrant_embed.reading.parsed import Parsed, clean
from qdrant_embed.reading.tables.dialect import LONGEST_CELL, SEPARATOR_LINE, Dialect, find_dialect
from qdrant_embed.reading.tables.rows import table_records
from qdrant_embed.reading.text_encoding import decode

END = "\x01end"
"""Stands after the last line: when a quote that nothing closes has taken it in, it is no row of its own."""
REREAD_LINES = 4
"""Lines that may be read again for each of the file, when quotes that nothing closes took them in."""


def read_csv(data: bytes, name: str) -> Parsed:
    """Read a table; records end where the rules of CSV say, and at no other line separator."""
    decoded = decode(data)
    text = clean(decoded.text).removeprefix("\ufeff")
    named = SEPARATOR_LINE.match(text)
    if named:
        text = text[named.end() :]
    with _any_length():
        dialect = Dialect(named[1]) if named else find_dialect(text, name)
        rows, mended = _rows(text, dialect)
        notes = [*_uneven(rows)]
        if mended:
            notes.append(f"{_row_count(mended)} a quote that nothing closes; it was read as a character")
        return decoded.parsed(joined(table_records(rows), "\n\n"), notes=tuple(notes))


def _rows(text: str, dialect: Dialect) -> tuple[list[list[str]], int]:
    """Return the rows, and how often a quote was taken for a character since it would take in the rows after it."""
    lines = text.removesuffix("\n").split("\n")
    rows = list(dialect.reader(chain(io.StringIO(text, newline=""), (END,))))
    if rows.pop() == [END] and len([row for row in rows if row]) == len(list(filter(None, lines))):
        return rows, 0  # a line is a row: no quote goes beyond its line
    rows = []
    mended, place, left = 0, 0, REREAD_LINES * len(lines) + 100
    while place < len(lines):
        for row, taken in _rows_from(lines, place, dialect):
            if taken > 1 and left > 0 and _swallowed(row, lines, place, taken, dialect, rows):
                left -= taken
                mended += 1
                rows += dialect.reader([lines[place]], quoted=False)
                place += 1
                break
            rows.append(row)
            place += taken
    return rows, mended


def _rows_from(lines: list[str], start: int, dialect: Dialect) -> Iterator[tuple[list[str], int]]:
    """Yield rows with the lines that each took; the last one has the mark of the end in it if a quote is open."""
    feed = (f"{lines[place]}\n" if place < len(lines) else END for place in range(start, len(lines) + 1))
    reader = dialect.reader(feed)
    seen = 0
    for row in reader:
        line = reader.line_num
        if row != [END]:
            yield row, min(line, len(lines) - start) - seen
        seen = line


def _swallowed(
    row: list[str], lines: list[str], place: int, taken: int, dialect: Dialect, rows: list[list[str]]
) -> bool:
    """Tell whether a row of several lines is the work of a quote that nothing closes."""
    if row[-1].endswith(END):
        return True
    widths = Counter(len(row) for row in rows[-50:] if row)
    width = widths.most_common(1)[0][0] if widths else 0
    if not width or (len(row) == width and _is_strict(lines[place : place + taken], dialect)):
        return False
    alone = [len(cells) for cells in dialect.reader(iter(lines[place : place + taken]), quoted=False)]
    return alone.count(width) * 2 > taken


def _is_strict(lines: list[str], dialect: Dialect) -> bool:
    """Tell whether a delimiter or the end of the row stands after every quote that ends a value."""
    try:
        list(dialect.reader((f"{line}\n" for line in lines), strict=True))
    except csv.Error:
        return False
    return True


def _uneven(rows: list[list[str]]) -> Iterator[str]:
    """Yield a sentence on the rows that have more cells than the table has fields."""
    counts = Counter(len(row) for row in rows if any(row))
    width = max(counts, key=lambda size: (counts[size], size), default=0)
    longer = sum(number for size, number in counts.items() if size > width)
    if width > 1 and longer:
        yield f"{_row_count(longer)} more than {width} cells; the last ones stand without a name"


def _row_count(number: int) -> str:
    return "1 row has" if number == 1 else f"{number:,} rows have"


@contextmanager
def _any_length() -> Iterator[None]:
    before = csv.field_size_limit(LONGEST_CELL)
    try:
        yield
    finally:
        csv.field_size_limit(before)
