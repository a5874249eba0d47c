"""Workbooks of the format before 2007, and the XML of 2003."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element

import xlrd

from qdrant_embed.errors import ReadError
from qdrant_embed.reading.archives import ENCRYPTED
from qdrant_embed.reading.markup import local_name
from qdrant_embed.reading.office.package import attribute
from qdrant_embed.reading.parsed import Parsed, one_line
from qdrant_embed.reading.spreadsheets.sheet_rows import WIDEST, Sheet, cell_text, hidden_note, sheets_text


def read_xls(data: bytes, name: str) -> Parsed:
    """Read the values of a workbook of the format before 2007.

    :raises ReadError: It is encrypted or broken.
    """
    workbook = _open(data)
    sheets = [Sheet(sheet.name, _rows(sheet, workbook.datemode), _remarks(sheet)) for sheet in workbook.sheets()]
    hidden = [sheet.name for sheet in workbook.sheets() if sheet.visibility]
    return Parsed(text=sheets_text(sheets), text_type="text/markdown", notes=hidden_note(hidden))


def _open(data: bytes) -> Any:
    try:
        return xlrd.open_workbook(file_contents=data, logfile=io.StringIO())
    except Exception as error:  # each table of the format that is damaged raises something else
        if "encrypted" in str(error):
            raise ReadError(ENCRYPTED) from error
        reason = one_line(str(error)) or "a check of its tables fails"
        raise ReadError(f"broken file: it is damaged, or no workbook: {reason}") from error


def spreadsheet_text(root: Element) -> str:
    """Return the text of a workbook in the XML of Excel 2003, which programs still write under the name `.xls`."""
    sheets = (element for element in root.iter() if local_name(element) == "Worksheet")
    return sheets_text(Sheet(attribute(sheet, "Name"), _xml_rows(sheet)) for sheet in sheets)


def _rows(sheet: Any, datemode: int) -> Iterator[list[str]]:
    return ([_old_cell(cell, datemode) for cell in row] for row in sheet.get_rows())


def _remarks(sheet: Any) -> list[str]:
    notes = sorted(sheet.cell_note_map.items())
    remarks = [f"- {one_line(note.author)}: {one_line(note.text)}".replace("- : ", "- ") for _, note in notes]
    return ["\n".join(["### Comments\n", *remarks])] if remarks else []


def _old_cell(cell: Any, datemode: int) -> str:
    if cell.ctype == xlrd.XL_CELL_DATE:
        try:
            return cell_text(xlrd.xldate_as_datetime(cell.value, datemode))
        except (ValueError, OverflowError):  # a number with the format of a date
            return cell_text(cell.value)
    if cell.ctype == xlrd.XL_CELL_BOOLEAN:
        return str(bool(cell.value))
    if cell.ctype == xlrd.XL_CELL_ERROR:
        return str(xlrd.error_text_from_code.get(cell.value, ""))
    return cell_text(cell.value)


def _xml_rows(sheet: Element) -> Iterator[list[str]]:
    for row in (element for element in sheet.iter() if local_name(element) == "Row"):
        if attribute(row, "Index"):
            yield []  # rows without cells are left out, and the next one says its number
        cells: list[str] = []
        for cell in (element for element in row if local_name(element) == "Cell"):
            index = attribute(cell, "Index")
            if index.isdecimal() and len(cells) < int(index) <= WIDEST:
                cells += [""] * (int(index) - 1 - len(cells))
            cells.append(_xml_cell(cell))
        yield cells


def _xml_cell(cell: Element) -> str:
    text = " ".join(one_line("".join(data.itertext())) for data in cell)
    if any(local_name(data) == "Data" and attribute(data, "Type") == "DateTime" for data in cell):
        return text.removesuffix("T00:00:00.000")
    return text or attribute(cell, "Formula")
