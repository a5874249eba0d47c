"""How the values of a file are delimited: the way in which its rows have the same number of cells."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import _csv

DELIMITERS = "\t;|,"
"""Of several that fit alike, a comma is the likeliest to be part of the values."""
RARE_DELIMITER = ":"
SEPARATOR_LINE = re.compile(r"sep=(.)\n?", re.IGNORECASE)
"""The first line that Excel writes, or wants to read, to name the delimiter."""
DECIMAL = re.compile(r"[-+]?\d+,\d+ ?%?")
WHOLE, PIECES, PIECE = 2**22, 16, 2**17
"""A text of more characters is looked at in pieces, evenly spread."""
CONSISTENT = 0.95
LONGEST_CELL = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file is written.

    :param escaped: Whether a backslash, and not a second one, keeps a quote within a quoted value.
    """

    delimiter: str
    escaped: bool = False

    def reader(self, lines: Iterable[str], *, quoted: bool = True, strict: bool = False) -> _csv.Reader:
        """Return the rows of some lines, each with its line feed; lines end at a line feed and at nothing else."""
        return csv.reader(
            lines,
            delimiter=self.delimiter,
            quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE,
            skipinitialspace=True,
            doublequote=not self.escaped,
            escapechar="\\" if self.escaped else None,
            strict=strict,
        )


def find_dialect(text: str, name: str) -> Dialect:
    """Tell the dialect of a text whose line ends are line feeds, in time linear in its length."""
    sample = _sample(text)
    if name.lower().endswith(".tsv") and "\t" in sample:
        return Dialect("\t")
    escapes = (False, True) if '\\"' in sample else (False,)
    candidates = [Dialect(delimiter, escaped) for delimiter in DELIMITERS for escaped in escapes]
    scores = {dialect: _score(sample, dialect) for dialect in candidates if dialect.delimiter in sample}
    best = max(scores, key=lambda dialect: scores[dialect], default=Dialect(","))
    if scores.get(best, (0.0, 0))[0] < 0.5:
        rare = _score(sample, Dialect(RARE_DELIMITER))
        return Dialect(RARE_DELIMITER) if rare[0] >= CONSISTENT and rare[1] > 2 else best
    semicolon = Dialect(";", best.escaped)
    if best.delimiter == "," and scores.get(semicolon, (0.0, 0))[0] >= CONSISTENT and _has_decimals(sample, semicolon):
        return semicolon
    return best


def _score(sample: str, dialect: Dialect) -> tuple[float, int]:
    """Return the share of rows that have the most common number of cells above one, in steps, and that number."""
    counts = Counter(len(row) for row in dialect.reader(io.StringIO(sample, newline="")) if any(row))
    wide = [(number, width) for width, number in counts.items() if width > 1]
    if not wide:
        return 0.0, 1
    number, width = max(wide)
    return round(number / counts.total(), 2), width


def _has_decimals(sample: str, dialect: Dialect) -> bool:
    """Tell whether all commas are those of numbers, as in countries that write them so and delimit by semicolons."""
    cells = [cell for row in dialect.reader(io.StringIO(sample, newline="")) for cell in row if "," in cell]
    return bool(cells) and sum(1 for cell in cells if DECIMAL.fullmatch(cell.strip())) > 0.5 * len(cells)


def _sample(text: str) -> str:
    if len(text) <= WHOLE:
        return text
    step = len(text) // PIECES
    pieces = []
    for start in range(0, len(text) - PIECE, step):
        first = text.find("\n", start) + 1 if start else 0
        pieces.append(text[first : text.rfind("\n", first, first + PIECE) + 1])
    return "".join(pieces)
