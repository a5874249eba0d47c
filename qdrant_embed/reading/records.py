"""Tables and records as text: CSV, JSON, JSON lines; the sheets of a workbook use the same form.

Each record becomes a paragraph of `field: value` lines. A Markdown table would be shorter, but a chunk from its middle
has numbers without names; here every chunk carries the names of its fields, which is what a question shares with it.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence

from qdrant_embed.reading.decoding import decode
from qdrant_embed.reading.growth import joined
from qdrant_embed.reading.parsed import Parsed, clean
from qdrant_embed.types import Json

DELIMITERS = ",;\t|"
SNIFFED_CHARACTERS = 65_536
LONGEST_FIELD_NAME = 80


def read_csv(data: bytes, name: str) -> Parsed:
    """Read a table; what does not parse as one is kept as it stands."""
    decoded = decode(data)
    text = clean(decoded.text)
    try:
        rows = csv.reader(text.splitlines(keepends=True), delimiter=_delimiter(text, name))
        return decoded.parsed(joined(table_records(rows), "\n\n"))
    except csv.Error:
        return decoded.parsed(text)


def read_json(data: bytes, name: str) -> Parsed:
    """Read JSON as indented `field: value` lines; what does not parse (comments, damage) is kept as it stands."""
    decoded = decode(data)
    text = clean(decoded.text)
    try:
        value = json.loads(text)
        title = value.get("title") if isinstance(value, dict) else None
        return decoded.parsed(record_text(value), title=title if isinstance(title, str) else "")
    except (ValueError, RecursionError):
        return decoded.parsed(text, text_type="application/json")


def read_json_lines(data: bytes, name: str) -> Parsed:
    """Read one record per line; a line that does not parse is kept as it stands."""
    decoded = decode(data)
    lines = clean(decoded.text).split("\n")
    return decoded.parsed(joined((_line_text(line) for line in lines if line.strip()), "\n\n"))


def table_records(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield one text per row that is not blank, with the fields' names where the table has a row of them."""
    names: Sequence[str] | None = None
    for row in rows:
        cells = [cell.strip() for cell in row]
        filled = [cell for cell in cells if cell]
        if names is None and len(filled) > 1:
            names = cells if _are_names(filled) else []
            if names:
                header = " | ".join(filled)
                continue
        if filled:
            yield _record(names, cells) if names and len(filled) > 1 else " | ".join(filled)
            header = ""
    if names and header:
        yield header


def record_text(value: Json) -> str:
    """Return a JSON value as indented lines, records of a list being set apart by blank lines."""
    return joined(_lines(value, 0), "\n").strip("\n")


def _delimiter(text: str, name: str) -> str:
    if name.lower().endswith(".tsv"):
        return "\t"
    try:
        return csv.Sniffer().sniff(text[:SNIFFED_CHARACTERS], DELIMITERS).delimiter
    except csv.Error:
        return ","


def _are_names(cells: Sequence[str]) -> bool:
    return len(set(cells)) == len(cells) and all(len(c) <= LONGEST_FIELD_NAME and not _is_number(c) for c in cells)


def _is_number(cell: str) -> bool:
    digits = sum(character.isdigit() for character in cell)
    return digits * 2 > len(cell)


def _record(names: Sequence[str], cells: Sequence[str]) -> str:
    padded = [*names, *[""] * (len(cells) - len(names))]
    return "\n".join(f"{name}: {cell}" if name else cell for name, cell in zip(padded, cells, strict=False) if cell)


def _line_text(line: str) -> str:
    try:
        return record_text(json.loads(line)) or line
    except (ValueError, RecursionError):
        return line


def _lines(value: Json, depth: int) -> Iterator[str]:
    pad = "  " * depth
    if isinstance(value, dict):
        for key, inner in value.items():
            if _is_flat(inner):
                yield f"{pad}{key}: {_flat(inner)}".rstrip()
            else:
                yield f"{pad}{key}:"
                yield from _lines(inner, depth + 1)
    elif isinstance(value, list) and not _is_flat(value):
        for item in value:
            yield from _lines(item, depth)
            yield ""
    else:
        yield pad + _flat(value)


def _is_flat(value: Json) -> bool:
    if isinstance(value, list):
        return not any(isinstance(item, list | dict) for item in value)
    return not isinstance(value, dict)


def _flat(value: Json) -> str:
    if isinstance(value, list):
        return ", ".join(_flat(item) for item in value)
    return value if isinstance(value, str) else json.dumps(value)
