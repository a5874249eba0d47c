"""The rows of a table as text.

Each row becomes a paragraph of `field: value` lines. A Markdown table would be shorter, but a chunk from its middle has
numbers without names; here every chunk carries the names of its fields, which is what a question shares with it.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice, pairwise, takewhile

LONGEST_FIELD_NAME = 80
ROWS_LOOKED_AT = 6
"""Rows by which it is decided whether the one before them names their fields."""
LEAST_TO_WATCH, MOST_FOR_NAMES = 2**21, 8
"""After so many characters of names, and so many for each of a value, the names no longer stand in every record."""
YEAR = re.compile(
    r"(?:FY|Q[1-4]|H[12]|[A-Za-zÀ-ž]{3,9}\.?)?[ /'-]?(?:19|20)\d\d(?:[/-]\d{2,4}(?:-\d\d)?)?(?: ?[A-Za-z]{1,6}\d?)?"
)


def table_records(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield one text per row that is not blank, with the fields' names where the table has a row of them.

    A table after a blank row may have names of its own. Names that are many times longer than the values stand above
    groups of rows, so that the text stays in proportion to the table.
    """
    writer: _Writer | None = None
    after_blank = False
    for cells, following in _with_following(rows):
        filled = [cell for cell in cells if cell]
        if not filled:
            after_blank = True
            continue
        if len(filled) > 1 and (
            _are_names(cells, following) if writer is None else after_blank and _name_anew(cells, following)
        ):
            yield from writer.rest() if writer else ()
            writer = _Writer(cells)
        else:
            writer = writer or (_Writer([]) if len(filled) > 1 else None)
            yield writer.record(cells, filled) if writer else " | ".join(filled)
        after_blank = False
    yield from writer.rest() if writer else ()


class _Writer:
    """Writes the records of one table."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._header = " | ".join(filter(None, names))
        self._unused = dict.fromkeys(range(len(names)))
        self._grouping = False
        self._of_names = self._of_values = self._since_header = 0

    def record(self, cells: Sequence[str], filled: Sequence[str]) -> str:
        """Return a row with the names of its fields; a row of one cell is a remark between the others."""
        values = " | ".join(filled)
        if not self._names or (len(filled) == 1 and len(cells) < len(self._names)):
            above = [*self.rest()] if len(self._unused) == len(self._names) else []
            self._unused = self._unused if not above else {}
            return "\n\n".join((*above, values))
        if self._unused:
            self._unused = {place: None for place in self._unused if place >= len(cells) or not cells[place]}
        self._of_values += len(values)
        if self._grouping or self._of_names > max(LEAST_TO_WATCH, MOST_FOR_NAMES * self._of_values):
            return self._grouped(cells)
        padded = [*self._names, *[""] * (len(cells) - len(self._names))]
        pairs = [(name, cell) for name, cell in zip(padded, cells, strict=False) if cell]
        self._of_names += sum(len(name) for name, _ in pairs)
        return "\n".join(f"{name}: {cell}" if name else cell for name, cell in pairs)

    def rest(self) -> Iterator[str]:
        """Yield the names under which no row has a value."""
        unused = " | ".join(filter(None, (self._names[place] for place in self._unused)))
        if unused:
            yield unused

    def _grouped(self, cells: Sequence[str]) -> str:
        self._grouping = True
        row = " | ".join(cells)
        self._since_header = self._since_header - len(row)
        if self._since_header >= 0:
            return row
        self._since_header = len(self._header)
        return f"{self._header}\n{row}"


def _with_following(rows: Iterable[Sequence[str]]) -> Iterator[tuple[list[str], deque[list[str]]]]:
    """Yield each row, its cells stripped, with the rows that follow it, as many as are looked at."""
    stripped = ([cell.strip() for cell in row] for row in rows)
    window = deque(islice(stripped, ROWS_LOOKED_AT + 1))
    for row in chain(stripped, [None] * (ROWS_LOOKED_AT + 1)):
        if not window:
            return
        cells = window.popleft()
        yield cells, window
        if row is not None:
            window.append(row)


def _are_names(cells: Sequence[str], following: Iterable[Sequence[str]]) -> bool:
    """Tell whether the first row of a table names the fields of the others."""
    filled = [cell for cell in cells if cell]
    if any(len(cell) > LONGEST_FIELD_NAME for cell in filled):
        return False
    numbers = [cell for cell in filled if _is_number(cell)]
    if numbers:
        has_words = len(numbers) < len(filled) or not cells[0]  # a table of two ways has nothing in its corner
        return (has_words or _are_years(numbers)) and _label_numbers(cells, following)
    return len(set(filled)) == len(filled) or (len(set(filled)) > 1 and _above_numbers(cells, following))


def _name_anew(cells: Sequence[str], following: Iterable[Sequence[str]]) -> bool:
    """Tell whether a row after a blank one names the fields of another table: it has words above numbers."""
    filled = [cell for cell in cells if cell]
    return not any(map(_is_number, filled)) and len(set(filled)) == len(filled) and _above_numbers(cells, following)


def _above_numbers(cells: Sequence[str], following: Iterable[Sequence[str]]) -> bool:
    """Tell whether some cell stands above numbers alone, in the rows up to the next blank one."""
    block = list(takewhile(any, following))
    columns = [[row[place] for row in block if place < len(row) and row[place]] for place in range(len(cells))]
    return any(column and all(map(_is_number, column)) for cell, column in zip(cells, columns, strict=True) if cell)


def _label_numbers(cells: Sequence[str], following: Iterable[Sequence[str]]) -> bool:
    """Tell whether the numbers in a row are labels: years, or numbers in steps; those below them are not."""
    numbers = [cell for cell in cells if cell and _is_number(cell)]
    alike = _are_years if _are_years(numbers) else _are_steps
    if len(set(numbers)) < len(numbers) or not alike(numbers):
        return False
    rows = [[cell for cell in row if cell and _is_number(cell)] for row in following if any(row)]
    return bool(rows) and not all(alike(row) for row in rows)


def _are_years(cells: Sequence[str]) -> bool:
    return all(YEAR.fullmatch(cell) for cell in cells)


def _are_steps(cells: Sequence[str]) -> bool:
    if len(cells) < 3 or not all(cell.isdecimal() and len(cell) < 6 for cell in cells):
        return False
    values = [int(cell) for cell in cells]
    steps = {after - before for before, after in pairwise(values)}
    return len(steps) == 1 and steps.pop() > 0


def _is_number(cell: str) -> bool:
    digits = sum(character.isdigit() for character in cell)
    return digits * 2 > len(cell)
