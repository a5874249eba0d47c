"""The report of an ingest, as people read it."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from qdrant_embed.cli.parameters import in_flags
from qdrant_embed.display import one_line, printable
from qdrant_embed.ingest.monitoring.report import COUNTS, IngestReport

_NOTES = {
    "embedded": "texts that went through the model",
    "reused": "had their vectors already",
    "deleted": "their text is gone",
    "truncated": "longer than the model, their end was cut off",
    "windowed": "longer than the model, read in several windows",
    "extended": "longer than the model was trained for, read by stretching it",
    "withheld": "most of a folder seems gone; see below",
    "late": "pooled from the states of their whole document, or of a macro window of it",
}


def summary(report: IngestReport, title: str, *, dry_run: bool = False) -> RenderableType:
    """Return the counts; those that are zero and say nothing are left out."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold")
    table.add_column(justify="right")
    table.add_column(style="dim")
    always = ("documents", "chunks", "tokens") if dry_run else ("documents", "chunks", "embedded", "reused")
    notes = {**_NOTES, "documents": _documents(report)}
    for name in (name for name in COUNTS if name != "skipped"):
        count = getattr(report, name)
        if count or name in always:
            table.add_row(name, f"{count:,}", notes.get(name, "") if count else "")
    if report.skipped:
        passed_over = ", ".join(f"{count:,} {reason}" for reason, count in report.skipped_reasons.items())
        table.add_row("skipped", f"{report.skipped:,}", Text(one_line(passed_over)))
    table.add_row("failed", f"{len(report.failed):,}", "listed below" if report.failed else "")
    if report.accepted:
        table.add_row("accepted", f"{len(report.accepted):,}", "failed, as --accept-failed allows")
    notes_of = [Text(one_line(f"note: {note.source}: {note.text}"), "yellow", overflow="fold") for note in report.notes]
    warnings = [Text(printable(f"warning: {in_flags(warning)}"), style="yellow") for warning in report.warnings]
    return Group(Text(one_line(title) + f"  ({report.seconds:.1f} s)"), table, *notes_of, *warnings)


def _documents(report: IngestReport) -> str:
    """Say why the collection has fewer documents than were met."""
    missing = report.documents - report.stored
    return f"{report.stored:,} of them in the collection; {missing:,} failed or without text" if missing else ""


def to_do(report: IngestReport) -> list[RenderableType]:
    """Return what a dry run found to be done, by name."""
    lists = (("would be embedded", report.to_embed), ("would be deleted", report.to_delete))
    return [_named(title, [(source, "") for source in sources]) for title, sources in lists if sources]


def skipped(report: IngestReport) -> list[RenderableType]:
    """Return what was passed over, by name, if that was asked for."""
    rows = [(file.source, file.reason) for file in report.skipped_files]
    return [_named("skipped", rows)] if rows else []


def failures(report: IngestReport, *, accepted: bool = False) -> RenderableType:
    """Return what could not be ingested, each with its reason.

    :param accepted: Whether to list failures that were accepted, too.
    """
    rows = [(failure.source, in_flags(failure.reason)) for failure in report.failed]
    tables = [_named("failed", rows)] if rows else []
    if accepted and report.accepted:
        tables.append(_named("accepted", [(failure.source, in_flags(failure.reason)) for failure in report.accepted]))
    return Group(*tables)


def _named(title: str, rows: Sequence[tuple[str, str]]) -> RenderableType:
    reasoned = any(reason for _, reason in rows)
    table = Table(title, *(["reason"] * reasoned), box=None, padding=(0, 2, 0, 0), header_style="bold red")
    for source, reason in rows:
        table.add_row(Text(one_line(source), overflow="fold"), *([Text(one_line(reason), overflow="fold")] * reasoned))
    return table
