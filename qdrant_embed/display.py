"""Texts made safe to show: what a document, a name or a message holds must not steer what shows it."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from html import escape
from typing import Any

_CONTROLS = {code: 0x2400 + code for code in range(0x20) if chr(code) not in "\t\n"} | {
    0x7F: 0x2421,
    **dict.fromkeys(range(0x80, 0xA0), 0xFFFD),
    # Line and paragraph separators, marks that turn the direction of what follows, invisible tags, halves of pairs.
    **dict.fromkeys((0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A)), 0xFFFD),
    **dict.fromkeys(range(0xE0000, 0xE0080), 0xFFFD),
    **dict.fromkeys(range(0xD800, 0xE000), 0xFFFD),
}
"""Characters that act instead of being shown, and the pictures that Unicode has of them (� where it has none)."""
_LINE_CONTROLS = {**_CONTROLS, 0x09: 0x2409, 0x0A: 0x240A}
_JSON_CONTROLS = re.compile("[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]")
TABLE_STYLE = (
    "<style>.qe-table{border-collapse:collapse;font-size:90%}.qe-table th,.qe-table td{text-align:left!important;"
    "vertical-align:top;padding:.3em .6em;border-bottom:1px solid #8884}"
    ".qe-table .qe-text{white-space:pre-wrap;overflow-wrap:anywhere;max-width:60em}"
    ".qe-table mark{background:#ffd54f80;color:inherit}.qe-table .qe-place{opacity:.7}</style>"
)
# Without these classes a notebook would set the text between two dollar signs as a formula.
TABLE_START = "<table class='qe-table tex2jax_ignore mathjax_ignore'>"


def printable(text: str) -> str:
    """Return a text that is safe to print, as long as it was but for its line ends, which become plain ones.

    Control characters (such as the one that begins colors and cursor movements) are replaced by their pictures, `␛`;
    those that turn the direction of writing, and halves of surrogate pairs, by `�`.
    """
    return text.replace("\r\n", "\n").translate(_CONTROLS)


def one_line(text: object) -> str:
    """Return what a name, a path or a reason looks like in one line: as `printable`, line ends and tabs as pictures."""
    return str(text).translate(_LINE_CONTROLS)


def reason(error: OSError) -> str:
    """Return what the system says of an error, without its path; the error's own words where it has no number."""
    return error.strerror or str(error) or type(error).__name__


def as_html(text: object) -> str:
    """Return a text as HTML that shows it and does nothing else."""
    return escape(printable(str(text)))


def json_text(text: str) -> str:
    """Return a JSON document whose strings have no characters left that act on a terminal; it means the same."""
    return _JSON_CONTROLS.sub(lambda found: json.dumps(found.group())[1:-1], text)


def html_table(head: Sequence[object], rows: Iterable[Sequence[object]], *, nothing: str = "nothing") -> str:
    """Return a self-contained HTML table of plain texts.

    :param head: Names of the columns; none for a table of names and values.
    :param nothing: What stands there if there is no row.
    """
    named = f"<tr>{''.join(f'<th>{as_html(name)}</th>' for name in head)}</tr>" if head else ""
    cells = "".join(f"<tr>{''.join(f'<td>{as_html(cell)}</td>' for cell in row)}</tr>" for row in rows)
    empty = f"<tr><td colspan='{max(1, len(head))}'>{as_html(nothing)}</td></tr>"
    return f"{TABLE_STYLE}{TABLE_START}{named}{cells or empty}</table>"


class Facts(dict[str, Any]):
    """Names and values that also draw themselves as a table, and print as one line for each."""

    def __str__(self) -> str:
        return aligned(self._rows())

    def _repr_html_(self) -> str:
        return html_table((), self._rows())

    def _rows(self) -> Iterator[tuple[str, str]]:
        for name, value in self.items():
            inner = {f"{name}.{key}": part for key, part in value.items()} if isinstance(value, dict) else {name: value}
            for key, part in inner.items():
                listed = ", ".join(map(str, part)) if isinstance(part, list | tuple) else part
                yield one_line(key), "–" if listed in (None, "") else one_line(listed)


def aligned(rows: Iterable[Sequence[str]], right: Collection[int] = ()) -> str:
    """Return rows of texts as lines whose columns stand below each other.

    :param right: Numbers of the columns, from 0, that are aligned to the right.
    """
    listed = list(rows)
    widths = [max(map(len, column)) for column in zip(*listed, strict=True)]
    sides = [">" if place in right else "<" for place in range(len(widths))]
    form = "  ".join(f"{{:{side}{width}}}" for side, width in zip(sides, widths, strict=True))
    return "\n".join(form.format(*row).rstrip() for row in listed)


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: `1 chunk`, `2,000 chunks`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def in_words(size: int) -> str:
    """Return a number of bytes as people say it: `91 MB`, `2.3 GB`."""
    for unit, mark in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if size >= unit:
            scaled = size / unit
            return f"{scaled:.1f} {mark}" if scaled < 10 else f"{scaled:.0f} {mark}"
    return f"{size} bytes"
