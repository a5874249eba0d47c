"""The cells of an XLSX sheet, read row by row from its XML, in whichever of the two namespaces that there are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO
from xml.etree.ElementTree import Element

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, iterparse
from openpyxl.formula.translate import Translator
from openpyxl.utils import column_index_from_string
from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH, from_excel
from openpyxl.utils.escape import unescape

from qdrant_embed.errors import ReadError
from qdrant_embed.reading.markup import local_name
from qdrant_embed.reading.spreadsheets.sheet_rows import WIDEST, cell_text

BUILT_IN_DATES = frozenset((*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)))
"""Numbers of the formats that Excel knows as dates and times in one language or another."""
PLACE = re.compile(r"([A-Z]{1,3})(\d+)")


@dataclass(slots=True)
class Formats:
    """How numbers are shown.

    :param dates: Styles that show a number as a date or time.
    :param since_1904: Days are counted from 1904.
    :param computed: Values are those of the formulas; some programs write 0 instead, and say that it is to be computed.
    """

    dates: frozenset[int] = frozenset()
    durations: frozenset[int] = frozenset()
    since_1904: bool = False
    computed: bool = True


@dataclass(slots=True)
class Cells:
    """The rows of one sheet after another.

    :param uncomputed: How many cells had a formula and no value.
    """

    strings: list[str]
    formats: Formats
    uncomputed: int = 0
    _shared: dict[str, tuple[str, str]] = field(default_factory=dict)

    def rows(self, found: Iterable[Element]) -> Iterator[list[str]]:
        """Yield the rows of some elements, one blank row for all that a sheet leaves out between two."""
        self._shared = {}
        last = 0
        for element in found:
            number = element.get("r", "")
            if last and number.isdecimal() and int(number) > last + 1:
                yield []
            last = int(number) if number.isdecimal() else last + 1
            row: list[str] = []
            for cell in element:
                place = PLACE.fullmatch(cell.get("r", ""))
                column = min(column_index_from_string(place[1]), WIDEST) if place else len(row) + 1
                row += [""] * (column - len(row))
                row[column - 1] = self._text(cell)
            yield row

    def _text(self, cell: Element) -> str:
        parts = {local_name(part): part for part in cell}
        kind, stored = cell.get("t", "n"), parts["v"].text if "v" in parts else None
        formula = self._formula(cell, parts["f"]) if "f" in parts else ""
        if kind == "inlineStr":
            return rich_text(parts["is"]) if "is" in parts else ""
        if (formula and not (stored or kind == "str")) or (
            formula and stored in ("0", "0.0") and not self.formats.computed
        ):
            self.uncomputed += 1
            return formula
        return self._value(kind, stored or "", cell.get("s", ""))

    def _value(self, kind: str, stored: str, style: str) -> str:
        if kind == "s":
            found = stored.isdigit() and int(stored) < len(self.strings)
            return self.strings[int(stored)] if found else ""
        if kind == "b":
            return str(stored == "1")
        if kind != "n" or not stored:
            return unescaped(stored)
        number = _number(stored)
        if number is None:
            return stored
        key = int(style) if style.isdigit() else 0
        return self._date(number, key) if key in self.formats.dates else cell_text(number)

    def _date(self, number: float, style: int) -> str:
        epoch = MAC_EPOCH if self.formats.since_1904 else WINDOWS_EPOCH
        try:
            return cell_text(from_excel(number, epoch, timedelta=style in self.formats.durations))
        except (OverflowError, ValueError):
            return cell_text(number)

    def _formula(self, cell: Element, element: Element) -> str:
        """Return a formula as it is shown; of those that share one, only the first has it written out."""
        text, place, shared = element.text or "", cell.get("r", ""), element.get("si", "")
        if shared and text:
            self._shared[shared] = (f"={text}", place)
        if shared in self._shared and not text:
            first, origin = self._shared[shared]
            try:
                return str(Translator(first, origin).translate_formula(place))
            except (ValueError, TypeError, IndexError, KeyError):
                return first
        return f"={text}" if text else ""


def elements(source: IO[bytes], name: str) -> Iterator[Element]:
    """Yield the elements of one name as they are read, and forget them afterwards.

    :raises ReadError: The XML is broken, or declares entities.
    """
    above: list[Element] = []
    try:
        for event, element in iterparse(source, events=("start", "end")):
            if event == "start":
                above.append(element)
                continue
            above.pop()
            if local_name(element) == name:
                yield element
                if above:
                    above[-1].remove(element)
    except (ParseError, DefusedXmlException) as error:
        raise ReadError(f"broken XML: {error}") from error


def rich_text(element: Element) -> str:
    """Return the text of a string without how it is pronounced."""
    runs = [run for run in element if local_name(run) in ("t", "r")]
    return unescaped("".join(part.text or "" for run in runs for part in run.iter() if local_name(part) == "t"))


def unescaped(text: str) -> str:
    """Return a text with the characters that XML cannot hold, which Office writes as `_x000D_`."""
    return str(unescape(text)) if "_x" in text else text


def _number(stored: str) -> float | None:
    try:
        return float(stored) if set(stored) & set(".eE") else int(stored)
    except ValueError:
        return None
