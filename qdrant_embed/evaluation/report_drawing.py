"""How reports of measurements are drawn: tables in notebooks and terminals, figures, a page that needs nothing else."""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qdrant_embed.display import as_html, one_line
from qdrant_embed.extras import require_extra

if TYPE_CHECKING:
    from rich.table import Table

_TABLE_STYLE = """
.qe-report{border-collapse:collapse;font-variant-numeric:tabular-nums}
.qe-report td,.qe-report th{padding:.2rem .8rem;text-align:right!important;border-bottom:1px solid #8884}
.qe-report td:first-child,.qe-report th:first-child{text-align:left!important;font-family:monospace}
.qe-report .chosen{background:#4caf5040;font-weight:bold}.qe-report .front{background:#2196f320}
"""
_PAGE_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#222;background:#fff}
svg{max-width:100%;height:auto}h2{margin-top:2rem}dt{font-weight:bold;margin-top:1rem}dd{margin:0;overflow-wrap:anywhere}
"""
_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width,initial-scale=1"><style>{style}</style></head><body><h1>{title}</h1>
{body}</body></html>
"""
_NOT_SHOWN = re.compile(r"<metadata>.*?</metadata>| xmlns(?::\w+)?=\"[^\"]*\"", re.DOTALL)
"""What an SVG inside a page can do without."""

Rows = Sequence[Sequence[str]]
"""A heading and what stands below it, as texts."""


def report_page(title: str, body: Iterable[str]) -> str:
    """Return a page that loads nothing from elsewhere.

    :param body: Pieces of HTML.
    """
    return _PAGE.format(title=as_html(title), style=_PAGE_STYLE, body="\n".join(body))


def report_table(rows: Rows, marks: Sequence[str] = ()) -> str:
    """Return rows as an HTML table.

    :param marks: `chosen`, `front` or nothing for each row below the heading; left out, nothing for all.
    """
    tags = ["th", *["td"] * (len(rows) - 1)]
    lines = ["".join(f"<{tag}>{as_html(cell)}</{tag}>" for cell in row) for tag, row in zip(tags, rows, strict=True)]
    classes = ["", *(marks or [""] * (len(rows) - 1))]
    cells = "".join(f'<tr class="{mark}">{line}</tr>' for mark, line in zip(classes, lines, strict=True))
    return f'<style>{_TABLE_STYLE}</style><table class="qe-report tex2jax_ignore mathjax_ignore">{cells}</table>'


def terminal_table(rows: Rows, bold: Collection[int] = ()) -> Table:
    """Return rows as a table for the terminal, no word cut: settings are there to be typed.

    :param bold: Which rows below the heading stand out, from 0.
    """
    from rich.table import Table
    from rich.text import Text

    heading, *others = rows
    table = Table(*heading, box=None, padding=(0, 2, 0, 0))
    table.columns[0].overflow = "fold"
    for place, column in enumerate(table.columns[1:], 1):
        column.justify = "right"
        column.min_width = max(len(word) for row in rows for word in row[place].split() or [""])
    for place, row in enumerate(others):
        table.add_row(*(Text(one_line(cell)) for cell in row), style="bold" if place in bold else "")
    return table


def figures(what: str) -> Any:
    """Return what draws figures, `matplotlib.figure`.

    :param what: What shall be drawn.
    :raises MissingExtraError: matplotlib is not installed.
    """
    require_extra(what, "plots")
    return import_module("matplotlib.figure")


def save_figure(figure: Any, path: str | Path) -> Path:
    """Write a figure to a file, whose ending says the format: png, svg, pdf."""
    figure.savefig(path, dpi=130)
    return Path(path)


def inline_figure(figure: Any) -> str:
    """Return a figure as SVG inside HTML, its texts as texts."""
    drawn = io.StringIO()
    with import_module("matplotlib").rc_context({"svg.fonttype": "none", "svg.hashsalt": "qdrant-embed"}):
        figure.savefig(drawn, format="svg")
    svg = drawn.getvalue()
    return _NOT_SHOWN.sub("", svg[svg.index("<svg") :])
