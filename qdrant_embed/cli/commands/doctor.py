"""`qdrant-embed doctor`: what is installed, what will be used and why, what to type to improve it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group
from rich.table import Table
from rich.text import Text

from qdrant_embed.cli import exit_codes, parameters
from qdrant_embed.cli.output import cell, results, write_json

if TYPE_CHECKING:
    from qdrant_embed.diagnostics import Finding

_MARKS = {"ok": ("✓ ok", "green"), "absent": ("– absent", "yellow"), "problem": ("✗ problem", "bold red")}


def doctor(
    *,
    at: parameters.At = parameters.DEFAULT_LOCATION,
    model: Annotated[str, typer.Option("--model", "-m", help="The model to look at.")] = parameters.DEFAULT_MODEL,
    as_json: parameters.AsJson = False,
) -> None:
    """Say what is installed, what will be used and why, and what to type to improve it.

    Nothing is downloaded and nothing is changed. Ends with exit code 1 if something would fail.
    """
    from qdrant_embed import diagnostics

    findings = [
        *diagnostics.check_installed(),
        *diagnostics.check_model(model),
        *diagnostics.check_machine(),
        *diagnostics.check_location(at),
    ]
    healthy = all(finding.status != "problem" for finding in findings)
    if as_json:
        write_json({"healthy": healthy, "findings": [finding.as_dict() for finding in findings]})
    else:
        results().print(_page(findings))
    if not healthy:
        raise typer.Exit(exit_codes.ERROR)


def _page(findings: Sequence[Finding]) -> Group:
    parts: list[Table | Text] = []
    for section in dict.fromkeys(finding.section for finding in findings):
        table = Table.grid(padding=(0, 2))
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True)
        for finding in findings:
            if finding.section == section:
                mark, style = _MARKS[finding.status]
                # A version and its purpose are parted by two spaces, and stand in columns of their own.
                cells = [cell(part) for part in finding.detail.split("  ")]
                table.add_row(Text(mark, style), cell(finding.name), *cells)
        parts += [Text(section, style="bold"), table, Text("")]
    advice = [finding for finding in findings if finding.advice]
    if not advice:
        bad = any(finding.status == "problem" for finding in findings)
        return Group(*parts, Text("The problems above have to be solved." if bad else "Nothing to improve."))
    parts.append(Text("to improve", style="bold"))
    parts += [cell(f"  {finding.name}: {finding.advice}") for finding in advice]
    return Group(*parts)
