"""Workbooks as text: a heading for each sheet, a paragraph for each row."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time
from typing import Any

from qdrant_embed.errors import ReadError
from qdrant_embed.reading.archives import core_title, open_archive
from qdrant_embed.reading.parsed import Parsed
from qdrant_embed.reading.records import table_records


def read_xlsx(data: bytes, name: str) -> Parsed:
    """Read the values of a workbook; of a formula, the value that was last computed."""
    from openpyxl import load_workbook

    archive = open_archive(data)
    workbook = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
    sheets = [(sheet.title, _rows(sheet)) for sheet in workbook.worksheets]
    return Parsed(text=_text(sheets), title=core_title(archive), text_type="text/markdown")


def read_xls(data: bytes, name: str) -> Parsed:
    """Read the values of a workbook of the format before 2007.

    :raises ReadError: It is encrypted or broken.
    """
    import xlrd

    try:
        workbook = xlrd.open_workbook(file_contents=data)
    except xlrd.XLRDError as error:
        encrypted = "encrypted" in str(error)
        reason = (
            "encrypted: it opens with a password only; save it without one" if encrypted else f"broken file: {error}"
        )
        raise ReadError(reason) from error
    sheets = [
        (sheet.name, [[_old_cell(cell, workbook.datemode) for cell in row] for row in sheet.get_rows()])
        for sheet in workbook.sheets()
    ]
    return Parsed(text=_text(sheets), text_type="text/markdown")


def _text(sheets: Iterable[tuple[str, Iterable[Sequence[str]]]]) -> str:
    texts = [(title, "\n\n".join(table_records(rows))) for title, rows in sheets]
    return "\n\n".join(f"## {title}\n\n{text}" for title, text in texts if text)


def _rows(sheet: Any) -> Iterator[list[str]]:
    sheet.reset_dimensions()  # some writers give a wrong size, and rows beyond it would be lost
    return ([_cell(value) for value in row] for row in sheet.iter_rows(values_only=True))


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.15g}"
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)


def _old_cell(cell: Any, datemode: int) -> str:
    import xlrd

    if cell.ctype == xlrd.XL_CELL_DATE:
        return _cell(xlrd.xldate_as_datetime(cell.value, datemode))
    if cell.ctype == xlrd.XL_CELL_BOOLEAN:
        return str(bool(cell.value))
    return "" if cell.ctype == xlrd.XL_CELL_ERROR else _cell(cell.value)
