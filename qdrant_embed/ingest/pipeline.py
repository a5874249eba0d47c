"""The whole ingest: reading ‖ chunking ‖ embedding ‖ writing, then what is gone, then the search graph."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from qdrant_embed.chunking import chunk_document
from qdrant_embed.errors import ConfigurationError, ReadError
from qdrant_embed.ingest.auxiliary_stage import with_auxiliary
from qdrant_embed.ingest.changed_documents import ChangedDocument, Run, from_documents, from_files
from qdrant_embed.ingest.chunk_stage import ChunkTask, DocumentEnd, batched, in_chunks
from qdrant_embed.ingest.contested import Contested
from qdrant_embed.ingest.context import IngestContext
from qdrant_embed.ingest.embed_stage import encoded, with_vectors
from qdrant_embed.ingest.inputs import WRAP_TEXTS, RefusedItem, Stream, given, split_label
from qdrant_embed.ingest.monitoring.progress import kind_of_display, shown
from qdrant_embed.ingest.monitoring.report import IngestReport, Tally, combined
from qdrant_embed.ingest.options import IngestOptions
from qdrant_embed.ingest.prefetch import Prefetcher
from qdrant_embed.ingest.preview.dry_run import rehearse
from qdrant_embed.ingest.prune import prune
from qdrant_embed.ingest.roots import GIVEN, Roots
from qdrant_embed.ingest.scopes import FileScope, plan
from qdrant_embed.ingest.settle import settle
from qdrant_embed.ingest.write_stage import Writer
from qdrant_embed.native import initializing
from qdrant_embed.reading.files import Skipped, SourceFile, find_root
from qdrant_embed.reading.ignore_patterns import PathPatterns
from qdrant_embed.reading.reader import Reader
from qdrant_embed.servers.patience import patient
from qdrant_embed.store.copies.revision import bump_revision
from qdrant_embed.types import Document

QUEUED_DOCUMENTS = 8
QUEUED_BATCHES = 2
BUILDING = "building the search graph"

_USED_IN_STAGES = ("qdrant_client.models", "tenacity")


def ingest(collection: Roots, options: IngestOptions, what: Any, target: Callable[[], IngestContext]) -> IngestReport:
    """Bring a collection in line with whatever was handed over.

    :param target: Returns what is written to; called once all that was handed over has been checked.
    :raises ConfigurationError: It cannot be ingested, or only under other options.
    :raises ReadError: A folder or file cannot be looked at.
    """
    found = given(what, options)
    if isinstance(found, Stream):
        return _ingest_documents(collection, found, options, target)
    if options.sync:
        raise ConfigurationError("sync=True is for documents; what is gone from a folder is removed anyway.")
    known = collection.known()
    try:
        scopes = plan(found, options, known, collection.holds)
    except ConfigurationError as error:
        if isinstance(what, (str, os.PathLike)) or not all(map(_leads_nowhere, found)):
            raise
        raise ConfigurationError(f"{error} If this is no list of paths: {WRAP_TEXTS}") from None
    return combined(list(_each(scopes, options, collection, known, target)))


def ingest_each(
    collection: Roots, options: IngestOptions, paths: Sequence[str | Path], target: Callable[[], IngestContext]
) -> Iterator[IngestReport]:
    """Ingest paths one after the other, all of them checked before the first, and yield the report of each."""
    known = collection.known()
    return _each(plan(paths, options, known, collection.holds), options, collection, known, target)


def _each(
    scopes: Sequence[FileScope],
    options: IngestOptions,
    roots: Roots,
    known: Mapping[str, str],
    target: Callable[[], IngestContext],
) -> Iterator[IngestReport]:
    places = {**known, **{scope.root.label: scope.root.place for scope in scopes}}
    for scope in scopes:
        with patient(options.patience):  # not while whoever asked for the reports works
            report = _ingest_files(target(), scope, options, roots, places)
        yield report


def _leads_nowhere(path: str | Path) -> bool:
    """Tell whether what was handed over as a path is none, and perhaps a text."""
    try:
        find_root(split_label(path)[1])
    except ConfigurationError:
        return not os.path.lexists(path)
    except ReadError:
        return False
    return False


def _ingest_files(
    target: IngestContext, scope: FileScope, options: IngestOptions, roots: Roots, known: Mapping[str, str]
) -> IngestReport:
    """Ingest what a path means.

    :param known: label → place of every root, the new ones too.
    """
    run = Run.begin(target, scope.root.label, options)
    _prepare(target)

    def files() -> Iterator[SourceFile | Skipped]:
        return scope.files(options.reading, known)

    with (
        target.write_guard.watching(),
        roots.holding(scope.root.label, scope.root.place, dry=options.dry_run),
        run.failures.kept(str(scope.root.base)),
        shown(
            kind_of_display(options.progress),
            scope.root.label,
            run.tally,
            files if scope.total is None else scope.total,
        ),
    ):

        def drain(found: Iterable[SourceFile | Skipped | Document]) -> Sequence[Contested]:
            offered = (file for file in found if not isinstance(file, Document))
            with Reader(options.reading, in_parts=True) as reader:
                return _drain(run, from_files(run, offered, reader), reader.stop)

        settle(run, drain(files()), drain)
        if not options.dry_run:
            roots.require(scope.root.label, scope.root.place)
        removed = prune(run, scope.within, scope.fates(files))
        fate = scope.fates(files)
        back = [source for source in removed if fate(source).kind == "there"]
        if back:  # another program may have ingested it before it was removed here
            settle(run, drain(found for found in files() if found.source in back), drain)
        looked_at = partial(run.looked_at, whole=scope.whole)
        run.failures.settle(scope.within, looked_at, lambda source: fate(source).kind in ("gone", "emptied"))
        return _finish(run)


def _ingest_documents(
    roots: Roots, stream: Stream, options: IngestOptions, target: Callable[[], IngestContext]
) -> IngestReport:
    """Add or change the given documents; with `sync`, remove those of the root that are not among them.

    :raises Exception: What the user's own iterable raised, after all that came before it is stored.
    """
    label = options.root or ""
    place = roots.known().get(label, GIVEN)
    if options.sync and (not label or place != GIVEN):
        raise ConfigurationError(
            "sync=True removes the documents of a root that are not given any more, so it needs one of its own: "
            f"root='a label'{f' (of {label!r}, a folder was ingested)' if label else ''}."
        )
    run = Run.begin(target(), label, options)
    _prepare(run.target)
    with (
        run.target.write_guard.watching(),
        roots.holding(label, place, dry=options.dry_run or not label),
        run.failures.kept(),
        shown(kind_of_display(options.progress), label or "documents", run.tally, stream.total),
    ):

        def drain(found: Iterable[Document | RefusedItem | SourceFile]) -> Sequence[Contested]:
            return _drain(run, from_documents(run, (item for item in found if not isinstance(item, SourceFile))))

        settle(run, drain(stream), drain)
        if stream.error is None and options.sync and run.seen.nameless:
            run.tally.warn("nothing was removed: some items are no documents, and which they replace is not known")
        elif stream.error is None and options.sync:
            prune(run)
        run.failures.settle("", partial(run.looked_at, whole=stream.error is None and options.sync))
        report = _finish(run)
    if stream.error is not None:
        stream.error.add_note(f"The {report.documents:,} documents that came before this are ingested.")
        raise stream.error
    return report


def _drain(run: Run, works: Iterator[ChangedDocument], stop: Callable[[], None] | None = None) -> Sequence[Contested]:
    """Bring documents into the collection, and return those that have to be done again."""
    if run.options.dry_run:
        rehearse(run, works)
        return ()
    target, tally = run.target, run.tally
    writer = Writer(target, tally)
    with Prefetcher(run.options.stall_seconds, stop) as flow:
        read = flow.stage(works, QUEUED_DOCUMENTS, "read")
        tasks = _counted(in_chunks(target, read, tally), tally)
        chunked = flow.stage(batched(tasks), QUEUED_BATCHES, "chunk")
        batches = with_auxiliary(target, encoded(target.codec, with_vectors(target, chunked, tally)), tally)
        for batch in flow.stage(batches, QUEUED_BATCHES, "embed"):
            writer.write(batch)
            tally.anything_stored = True
            run.failures.note()
            _tell(run)
    if writer.wrote:
        target.write_guard.require()  # what was written since the last look might be missing in a copy
        target.codec.require_kept()
    return writer.contested


def _prepare(target: IngestContext) -> None:
    """Load what threads need, and use it once, before there are any: see `native` for what could happen in them.

    The model is left to the stage that embeds: where nothing has changed it is not needed at all.
    """
    with initializing():
        for module in _USED_IN_STAGES:
            import_module(module)
        PathPatterns(["*.md"]).match("a.md")
        sample = Document(text="# a\n\nb", source="a.md", media_type="text/markdown")
        for _ in chunk_document(sample, target.chunker):
            target.bm25.encode_document(sample.text)


def _counted(stream: Iterable[ChunkTask | DocumentEnd], tally: Tally) -> Iterator[ChunkTask | DocumentEnd]:
    """Count the documents that have a text."""
    for item in stream:
        if isinstance(item, DocumentEnd) and item.head is not None:
            tally.add(stored=1)
        yield item


def _finish(run: Run) -> IngestReport:
    target, tally = run.target, run.tally
    if not run.options.dry_run:
        # Also where nothing changed: an earlier ingest may have been killed between writing points and saying so.
        if target.codec.doubt:
            tally.warn(target.codec.doubt)
        bump_revision(target.engine, target.name, target.codec.compression)
        tally.begin(BUILDING)
        with tally.busy("index"):
            target.engine.finish_bulk_load(target.name)
    _tell(run)
    return tally.report()


def _tell(run: Run) -> None:
    progress = run.options.progress
    if callable(progress):
        progress(run.tally.report())
