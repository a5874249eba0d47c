"""`qdrant-embed ingest`: bring a collection in line with folders, files or globs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from qdrant_embed.cli import exit_codes, parameters
from qdrant_embed.cli.locations import CollectionFlags, open_for_rehearsal, open_wanted
from qdrant_embed.cli.output import messages, results, say, write_json
from qdrant_embed.errors import QdrantEmbedError

if TYPE_CHECKING:
    from qdrant_embed import IngestOptions, IngestReport
    from qdrant_embed.types import Json


def ingest(  # noqa: PLR0913 - one parameter for each flag
    paths: Annotated[
        list[str], typer.Argument(help="Folders, files, or globs such as 'docs/**/*.md'; label=PATH names a folder.")
    ],
    *,
    at: parameters.At = parameters.DEFAULT_LOCATION,
    collection: parameters.Name = parameters.DEFAULT_COLLECTION,
    model: parameters.Model = None,
    chunker: parameters.Chunker = None,
    chunk_tokens: parameters.ChunkTokens = None,
    overlap: parameters.Overlap = None,
    window: parameters.Window = None,
    compression: parameters.Compression = None,
    language: parameters.Language = None,
    layers: parameters.Layers = None,
    task: parameters.Task = None,
    sparse: parameters.Sparse = None,
    multivector: parameters.Multivector = None,
    payload: parameters.Payload = None,
    index: parameters.Index = None,
    runtime: parameters.Runtime = "auto",
    shards: parameters.Shards = None,
    replicas: parameters.Replicas = None,
    write_consistency: parameters.WriteConsistency = None,
    payload_on_disk: parameters.PayloadOnDisk = None,
    root: parameters.RootLabel = None,
    include: parameters.Include = None,
    exclude: parameters.Exclude = None,
    max_file_mb: parameters.MaxFileMb = parameters.MAX_FILE_MB,
    timeout: parameters.Timeout = parameters.FILE_TIMEOUT,
    encoding: parameters.Encoding = "",
    force: parameters.Force = False,
    prune: parameters.Prune = False,
    allow_delete: parameters.AllowDelete = False,
    accept_failed: parameters.AcceptFailed = None,
    list_skipped: parameters.ListSkipped = False,
    dry_run: parameters.DryRun = False,
    patience: parameters.Patience = parameters.PATIENCE,
    progress: parameters.Progress = parameters.ProgressKind.AUTO,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress; print failures only.")] = False,
    as_json: parameters.AsJson = False,
) -> None:
    """Synchronize a collection with folders, files or globs.

    Safe to run again: unchanged files are not even opened. Safe to stop at any time: the same command resumes.
    """
    from qdrant_embed import IngestOptions, ReadOptions, ServerOptions

    server = ServerOptions(
        shards=shards, replicas=replicas, write_consistency=write_consistency, payload_on_disk=payload_on_disk
    )
    wanted = CollectionFlags.by_flags(
        collection, at, runtime, model=model, chunker=chunker, chunk_tokens=chunk_tokens, overlap=overlap,
        window=window, compression=compression, language=language, layers=layers, task=task, sparse=sparse,
        multivector=multivector, payload=payload, index=_fields(index or []),
    )  # fmt: skip
    wanted = replace(wanted, server=server)
    settings = IngestOptions(
        root=root[0] if root and len(root) == 1 else None,
        reading=ReadOptions(
            include=tuple(include or ()),
            exclude=tuple(exclude or ()),
            max_file_bytes=max_file_mb * 2**20,
            file_timeout=timeout,
            encoding=encoding,
        ),
        progress="none" if quiet else _display(progress),
        force=force,
        prune=prune,
        allow_delete=allow_delete,
        accept_failed=tuple(accept_failed or ()),
        list_skipped=list_skipped,
        dry_run=dry_run,
        patience=patience,
    )
    _run(_labeled(paths, root or []), wanted, settings, as_json=as_json, quiet=quiet)


def _fields(typed: list[str]) -> dict[str, Json] | None:
    """Return the kind of each field that gets an index; a field alone is one of keywords."""
    pairs = (one.partition("=") for one in typed)
    return {field: kind or "keyword" for field, _, kind in pairs} or None


def _display(asked: parameters.ProgressKind) -> str:
    if asked is not parameters.ProgressKind.AUTO:
        return str(asked)
    terminal = sys.stderr is not None and sys.stderr.isatty()
    return "bar" if terminal else "plain"


def _labeled(paths: list[str], roots: list[str]) -> list[str]:
    """Give each path the label that stands in its place, where there is one for each."""
    if len(roots) < 2:
        return paths
    if len(roots) != len(paths):
        raise typer.BadParameter(
            f"{len(roots)} labels for {len(paths)} paths; give one for all, or one for each", param_hint="--root"
        )
    return [f"{label}={path}" for label, path in zip(roots, paths, strict=True)]


def _run(paths: Sequence[str], wanted: CollectionFlags, settings: IngestOptions, *, as_json: bool, quiet: bool) -> None:
    from qdrant_embed.ingest import combined, require_paths

    if quiet:
        exit_codes.be_quiet()
    require_paths(paths, settings.reading)  # said before a model is loaded or anything is made
    reports: list[IngestReport] = []
    problem: QdrantEmbedError | None = None
    with open_for_rehearsal(wanted) if settings.dry_run else open_wanted(wanted) as collection:
        try:
            reports += collection.ingest_each(paths, options=settings)
        except QdrantEmbedError as error:
            if not reports:
                raise
            problem = error  # what the paths before it did is said all the same
    report = combined(reports)
    if as_json:
        several = {"reports": [{"path": path, **done.as_dict()} for path, done in zip(paths, reports, strict=False)]}
        ended = {"error": str(problem)} if problem else {}
        told = {"collection": wanted.name, "at": wanted.at, "dry_run": settings.dry_run, **report.as_dict()}
        write_json({**told, **(several if len(paths) > 1 else {}), **ended})
    else:
        _show(report, wanted, dry_run=settings.dry_run, quiet=quiet)
    if problem is not None:
        raise problem
    if report.failed:
        raise typer.Exit(exit_codes.SOME_FAILED)


def _show(report: IngestReport, wanted: CollectionFlags, *, dry_run: bool, quiet: bool) -> None:
    from qdrant_embed.cli.ingest_summary import failures, skipped, summary, to_do

    console = results()
    if not quiet:
        title = "dry run, nothing was embedded or stored" if dry_run else f"{wanted.name} at {wanted.at}"
        console.print(summary(report, title, dry_run=dry_run))
        for more in (*to_do(report), *skipped(report)):
            console.print(more)
    if report.failed or (report.accepted and not quiet):
        (messages() if quiet else console).print(failures(report, accepted=not quiet))
    if report.withheld:
        say(f"{report.withheld:,} chunks were not deleted; see above. If they may go: --allow-delete", style="red")
    if not (quiet or dry_run) and report.stored:
        flags = parameters.place_flags(wanted.name, wanted.at)
        say(f'next: qdrant-embed search "your question"{flags}')
