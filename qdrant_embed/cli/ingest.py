"""`qdrant-embed ingest`: bring a collection in line with folders, files or globs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from qdrant_embed.cli import exits, options
from qdrant_embed.cli.opening import Wanted, open_wanted, recipe_of
from qdrant_embed.cli.output import messages, results, say, write_json

if TYPE_CHECKING:
    from qdrant_embed.ingest.report import IngestReport
    from qdrant_embed.ingest.run import IngestOptions


def ingest(  # noqa: PLR0913 - one parameter for each flag
    paths: Annotated[list[str], typer.Argument(help="Folders, files, or globs such as 'docs/**/*.md'.")],
    *,
    at: options.At = options.DEFAULT_LOCATION,
    collection: options.Name = options.DEFAULT_COLLECTION,
    model: options.Model = None,
    chunker: options.Chunker = None,
    chunk_tokens: options.ChunkTokens = None,
    overlap: options.Overlap = None,
    window: options.Window = None,
    compression: options.Compression = None,
    language: options.Language = None,
    layers: options.Layers = None,
    task: options.Task = None,
    sparse: options.Sparse = None,
    multivector: options.Multivector = None,
    runtime: options.Runtime = "auto",
    root: options.RootLabel = None,
    include: options.Include = None,
    exclude: options.Exclude = None,
    max_file_mb: options.MaxFileMb = options.MAX_FILE_MB,
    timeout: options.Timeout = options.FILE_TIMEOUT,
    encoding: options.Encoding = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read, chunk and count; embed and store nothing.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar; print failures only.")] = False,
    as_json: options.AsJson = False,
) -> None:
    """Bring a collection in line with folders, files or globs.

    Safe to run again: what is unchanged is not even opened. Safe to stop at any moment: the same command carries on.
    """
    from qdrant_embed.ingest.run import IngestOptions
    from qdrant_embed.reading.files import ReadOptions, find_root

    flags = {
        "model": model, "chunker": chunker, "chunk_tokens": chunk_tokens, "overlap": overlap, "window": window,
        "compression": compression, "language": language, "layers": layers, "task": task,
        "sparse": sparse, "multivector": multivector,
    }  # fmt: skip
    wanted = Wanted(collection, at, {name: value for name, value in flags.items() if value is not None}, runtime)
    reading = ReadOptions(
        include=tuple(include or ()),
        exclude=tuple(exclude or ()),
        max_file_bytes=max_file_mb * 2**20,
        file_timeout=timeout,
        encoding=encoding,
    )
    for path in paths:
        find_root(path)  # a misspelt path is said before the first file is read
    if quiet:
        exits.be_quiet()
    run = _rehearse if dry_run else _ingest
    report = run(paths, wanted, IngestOptions(root=root, reading=reading), shown=False if quiet else None)
    if as_json:
        write_json({"collection": collection, "at": at, "dry_run": dry_run, **report.as_dict()})
    else:
        _show(report, wanted, dry_run=dry_run, quiet=quiet)
    if report.failed:
        raise typer.Exit(exits.SOME_FAILED)


def _ingest(paths: Sequence[str], wanted: Wanted, settings: IngestOptions, *, shown: bool | None) -> IngestReport:
    from qdrant_embed.cli.summary import combine
    from qdrant_embed.ingest.progress import progress_display

    reports = []
    with open_wanted(wanted) as collection:
        for path in paths:
            with progress_display(path, reading=settings.reading, shown=shown) as progress:
                reports.append(collection.ingest(path, options=replace(settings, progress=progress)))
    return combine(reports)


def _rehearse(paths: Sequence[str], wanted: Wanted, settings: IngestOptions, *, shown: bool | None) -> IngestReport:
    from qdrant_embed.cli.rehearsal import rehearse
    from qdrant_embed.cli.summary import combine
    from qdrant_embed.ingest.progress import progress_display

    recipe = recipe_of(wanted)
    reports = []
    for path in paths:
        with progress_display(path, reading=settings.reading, shown=shown) as progress:
            reports.append(rehearse(path, recipe, settings.reading, progress))
    return combine(reports)


def _show(report: IngestReport, wanted: Wanted, *, dry_run: bool, quiet: bool) -> None:
    from qdrant_embed.cli.summary import failures, summary

    console = results()
    if not quiet:
        title = "dry run, nothing was embedded or stored" if dry_run else f"{wanted.name} at {wanted.at}"
        console.print(summary(report, title, dry_run=dry_run))
    if report.failed:
        (messages() if quiet else console).print(failures(report))
    if not (quiet or dry_run):
        flags = "" if wanted.name == options.DEFAULT_COLLECTION else f" --collection {quote(wanted.name)}"
        flags += "" if wanted.at == options.DEFAULT_LOCATION else f" --at {quote(wanted.at)}"
        say(f'next: qdrant-embed search "your question"{flags}')
