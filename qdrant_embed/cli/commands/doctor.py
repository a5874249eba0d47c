"""`qdrant-embed doctor`: what is installed, what will be used and why, what to type to improve it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group
from rich.table import Table
from rich.text import Text

from qdrant_embed.cli import exit_codes, parameters
from qdrant_embed.cli.output import cell, results, write_json

if TYPE_CHECKING:
    from qdrant_embed.diagnostics import Diagnosis

_MARKS = {"ok": ("✓ ok", "green"), "absent": ("– absent", "yellow"), "problem": ("✗ problem", "bold red")}


def doctor(
    *,
    at: parameters.At = parameters.DEFAULT_LOCATION,
    model: Annotated[str, typer.Option("--model", "-m", help="Model to check.")] = parameters.DEFAULT_MODEL,
    as_json: parameters.AsJson = False,
) -> None:
    """Check what is installed, what will be used and why, and how to improve it.

    Nothing is downloaded and nothing is changed. Ends with exit code 1 if something would fail.
    """
    from qdrant_embed import diagnose

    found = diagnose(model, at=at)
    write_json(found.as_dict()) if as_json else results().print(_page(found))
    if not found.healthy:
        raise typer.Exit(exit_codes.ERROR)


def _page(found: Diagnosis) -> Group:
    parts: list[Table | Text] = []
    for section, findings in found.sections():
        table = Table.grid(padding=(0, 2))
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True)
        for finding in findings:
            mark, style = _MARKS[finding.status]
            # A version and its purpose are parted by two spaces, and stand in columns of their own.
            cells = [cell(part) for part in finding.detail.split("  ")]
            table.add_row(Text(mark, style), cell(finding.name), *cells)
        parts += [Text(section, style="bold"), table, Text("")]
    if found.verdict:
        return Group(*parts, Text(found.verdict))
    return Group(*parts, Text("to improve", style="bold"), *(cell(f"  {advice}") for advice in found.advice))
