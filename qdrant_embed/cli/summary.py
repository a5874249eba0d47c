"""The report of an ingest, as people read it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from qdrant_embed.display import one_line, printable
from qdrant_embed.ingest.report import IngestReport

_COUNTED = ("documents", "chunks", "embedded", "reused", "deleted", "truncated", "windowed", "stretched", "late")
_NOTES = {
    "embedded": "texts that went through the model",
    "reused": "had their vectors already",
    "deleted": "their text is gone",
    "truncated": "longer than the model, their end was cut off",
    "windowed": "longer than the model, read in several windows",
    "stretched": "longer than the model was trained for, read by stretching it",
    "late": "pooled from the states of their whole document, or of a macro window of it",
}


def combine(reports: Sequence[IngestReport]) -> IngestReport:
    """Add up the reports of several paths."""
    if len(reports) == 1:
        return reports[0]
    reasons: Counter[str] = Counter()
    stages: Counter[str] = Counter()
    encodings: Counter[str] = Counter()
    for report in reports:
        reasons.update(report.skipped_reasons)
        stages.update(report.stage_seconds)
        encodings.update(report.guessed_encodings)
    return IngestReport(
        **{name: sum(getattr(report, name) for report in reports) for name in (*_COUNTED, "skipped", "tokens")},
        skipped_reasons=dict(sorted(reasons.items())),
        failed=tuple(failure for report in reports for failure in report.failed),
        notes=tuple(note for report in reports for note in report.notes),
        guessed_encodings=dict(sorted(encodings.items())),
        warnings=tuple(dict.fromkeys(warning for report in reports for warning in report.warnings)),
        seconds=round(sum(report.seconds for report in reports), 3),
        stage_seconds={stage: round(seconds, 3) for stage, seconds in stages.items()},
    )


def summary(report: IngestReport, title: str, *, dry_run: bool = False) -> RenderableType:
    """Return the counts; those that are nought and say nothing are left out."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold")
    table.add_column(justify="right")
    table.add_column(style="dim")
    always = ("documents", "chunks", "tokens") if dry_run else ("documents", "chunks", "embedded", "reused")
    for name in (*_COUNTED, "tokens"):
        count = getattr(report, name)
        if count or name in always:
            table.add_row(name, f"{count:,}", _NOTES.get(name, "") if count else "")
    if report.skipped:
        passed_over = ", ".join(f"{count:,} {reason}" for reason, count in report.skipped_reasons.items())
        table.add_row("skipped", f"{report.skipped:,}", Text(one_line(passed_over)))
    table.add_row("failed", f"{len(report.failed):,}", "listed below" if report.failed else "")
    notes = [Text(one_line(f"note: {note.source}: {note.text}"), "yellow", overflow="fold") for note in report.notes]
    warnings = [Text(printable(f"warning: {warning}"), style="yellow") for warning in report.warnings]
    return Group(Text(one_line(title) + f"  ({report.seconds:.1f} s)"), table, *notes, *warnings)


def failures(report: IngestReport) -> RenderableType:
    """Return what could not be ingested, each with its reason."""
    table = Table("failed", "reason", box=None, padding=(0, 2, 0, 0), header_style="bold red")
    for failure in report.failed:
        table.add_row(Text(one_line(failure.source), overflow="fold"), Text(one_line(failure.reason), overflow="fold"))
    return table
