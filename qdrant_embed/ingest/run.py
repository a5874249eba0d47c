"""The whole ingest: reading ‖ chunking ‖ embedding ‖ writing, then what is gone, then the search graph."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from qdrant_embed.chunking import chunk_document
from qdrant_embed.errors import ConfigurationError
from qdrant_embed.ingest.beside import with_beside
from qdrant_embed.ingest.blocks import to_blocks
from qdrant_embed.ingest.fitting import coded
from qdrant_embed.ingest.flow import Flow
from qdrant_embed.ingest.inputs import WRAP_TEXTS, Stream, given, split_label
from qdrant_embed.ingest.options import IngestOptions
from qdrant_embed.ingest.pieces import Closing, Piece, gathered, to_pieces
from qdrant_embed.ingest.progress import kind_of_display, shown
from qdrant_embed.ingest.prune import Fate, fate_of_file, prune
from qdrant_embed.ingest.rehearsal import rehearse
from qdrant_embed.ingest.report import IngestReport, Tally, combined
from qdrant_embed.ingest.roots import GIVEN, RootLabel, Roots, refuse_nested, require_match, resolve, two_of_a_name
from qdrant_embed.ingest.sources import Run, Work, from_documents, from_files
from qdrant_embed.ingest.target import Target
from qdrant_embed.ingest.writing import Writer
from qdrant_embed.native import initializing
from qdrant_embed.reading.files import ReadOptions, Root, Skipped, SourceFile, find_root, walk
from qdrant_embed.reading.reader import Reader
from qdrant_embed.store.changes import mark_changed
from qdrant_embed.types import Document

QUEUED_DOCUMENTS = 8
QUEUED_BLOCKS = 2
BUILDING = "building the search graph"

_USED_IN_STAGES = ("pathspec", "qdrant_client.models", "tenacity")


@dataclass(frozen=True, slots=True)
class FileScope:
    """The part of a root that one ingest of files covers.

    :param within: Prefix of the sources that can have vanished.
    :param whole: Whether every file below `within` was offered, so that one not met counts as gone.
    """

    root: RootLabel
    within: str
    whole: bool
    found: Root

    def fate(self, source: str) -> Fate:
        """Say what became of a source that was not met; where not all were offered, its file may be there."""
        fate = fate_of_file(self.root.base, source)
        return Fate("gone") if self.whole and fate.kind == "there" else fate

    def files(self, reading: ReadOptions, roots: Mapping[str, str]) -> Iterator[SourceFile | Skipped]:
        """Yield the files, not read yet.

        :param roots: label → place of every root that the collection knows.
        :raises ConfigurationError: A folder on the way is a root of its own.
        """
        prefix = self.root.relative(self.found.folder)
        checked: set[Path] = set()
        for item in walk(self.found, reading):
            if isinstance(item, SourceFile) and item.path.parent not in checked:
                checked.add(item.path.parent)
                refuse_nested(item.path.parent, self.root, roots)
            yield replace(item, source=prefix + item.source) if prefix else item


class _GivenScope:
    """All documents of a root that come from no folder."""

    within = ""

    def fate(self, source: str) -> Fate:
        """Say that what is not given any more is gone."""
        return Fate("gone")


def ingest(collection: Roots, what: Any, options: IngestOptions, target: Callable[[], Target]) -> IngestReport:
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
        scopes = plan(found, options, known)
    except ConfigurationError as error:
        if isinstance(what, (str, os.PathLike)):
            raise
        raise ConfigurationError(f"{error} If this is no list of paths: {WRAP_TEXTS}") from None
    return combined(list(_each(scopes, options, collection, target)))


def ingest_each(
    collection: Roots, paths: Sequence[str | Path], options: IngestOptions, target: Callable[[], Target]
) -> Iterator[IngestReport]:
    """Ingest paths one after the other, all of them checked before the first, and yield the report of each."""
    return _each(plan(paths, options, collection.known()), options, collection, target)


def _each(
    scopes: Sequence[FileScope], options: IngestOptions, roots: Roots, target: Callable[[], Target]
) -> Iterator[IngestReport]:
    for scope in scopes:
        yield _ingest_files(target(), scope, options, roots)


def plan(paths: Sequence[str | Path], options: IngestOptions, known: Mapping[str, str]) -> list[FileScope]:
    """Say what each path means, all of them before anything is done with one.

    :param known: label → place of every root that the collection has.
    :raises ConfigurationError: One does not exist or matches nothing, or two would have the same label.
    :raises ReadError: One cannot be looked at.
    """
    scopes: list[FileScope] = []
    for path in paths:
        label, where = split_label(path)
        chosen = options if label is None else options.changed({"root": label})
        here = {scope.root.label: scope.root for scope in scopes}
        scope = _scope(where, chosen, {**known, **{name: root.place for name, root in here.items()}}, here)
        other = here.get(scope.root.label)
        if other is not None and other.base != scope.root.base:
            raise two_of_a_name(scope.root.label, other.base, scope.root.base)
        scopes.append(scope)
    return scopes


def _scope(
    path: str | Path, options: IngestOptions, known: Mapping[str, str], here: Mapping[str, RootLabel]
) -> FileScope:
    found = find_root(path)
    reading = options.reading
    if options.prune and found.pattern is not None:
        raise ConfigurationError(
            f"prune=True with the glob {str(path)!r} would remove what other globs have brought; give its folder, and "
            "patterns: include=…"
        )
    root = resolve(found.folder, options.root, known, here)
    require_match(found, reading)
    prefix = root.relative(found.folder)
    asked_for_all = options.prune or not (reading.include or reading.exclude)
    whole = found.only is None and found.pattern is None and asked_for_all
    within = f"{prefix}{found.only.source}" if found.only is not None else prefix
    scope = FileScope(root, within, whole, found)
    if root.label not in known and known:
        for _ in scope.files(reading, known):
            pass  # a root inside this one is to be refused before this one is known
    return scope


def _ingest_files(target: Target, scope: FileScope, options: IngestOptions, roots: Roots) -> IngestReport:
    run = Run.begin(target, scope.root.label, options)
    known = roots.known()

    def files() -> Iterator[SourceFile | Skipped]:
        return scope.files(options.reading, known)

    with (
        roots.holding(scope.root.label, scope.root.place, dry=options.dry_run),
        shown(kind_of_display(options.progress), scope.root.label, run.tally, files),
    ):
        with Reader(options.reading, in_parts=True) as reader:
            _drain(run, from_files(run, files(), reader), reader.stop)
        prune(run, scope)
        return _finish(run)


def _ingest_documents(
    roots: Roots, stream: Stream, options: IngestOptions, target: Callable[[], Target]
) -> IngestReport:
    """Add or change the given documents; with `sync`, remove those of the root that are not among them.

    :raises Exception: What the user's own iterable raised, after all that came before it is stored.
    """
    label = options.root or ""
    if options.sync and (not label or roots.known().get(label, GIVEN) != GIVEN):
        raise ConfigurationError(
            "sync=True removes the documents of a root that are not given any more, so it needs one of its own: "
            f"root='a label'{f' (of {label!r}, a folder was ingested)' if label else ''}."
        )
    run = Run.begin(target(), label, options)
    with (
        roots.holding(label, roots.known().get(label, GIVEN), dry=options.dry_run or not label),
        shown(kind_of_display(options.progress), label or "documents", run.tally, stream.total),
    ):
        _drain(run, from_documents(run, stream))
        if stream.error is None and options.sync and run.seen.nameless:
            run.tally.warn("nothing was removed: some items are no documents, and which they replace is not known")
        elif stream.error is None and options.sync:
            prune(run, _GivenScope())
        report = _finish(run)
    if stream.error is not None:
        stream.error.add_note(f"The {report.documents:,} documents that came before this are ingested.")
        raise stream.error
    return report


def _drain(run: Run, works: Iterator[Work], stop: Callable[[], None] | None = None) -> None:
    if run.options.dry_run:
        rehearse(run, works)
        return
    target, tally = run.target, run.tally
    writer = Writer(target, tally)
    _prepare(target)
    with Flow(run.options.stall_seconds, stop) as flow:
        read = flow.stage(works, QUEUED_DOCUMENTS, "read")
        pieces = _counted(to_pieces(target, read, tally), tally)
        chunked = flow.stage(gathered(pieces), QUEUED_BLOCKS, "chunk")
        blocks = with_beside(target, coded(target.coding, to_blocks(target, chunked, tally)), tally)
        for block in flow.stage(blocks, QUEUED_BLOCKS, "embed"):
            writer.write(block)
            tally.anything_stored = True
            _tell(run)


def _prepare(target: Target) -> None:
    """Import what stages need, and chunk once, before there are threads: see `native` for what could happen in them.

    The model is left to the stage that embeds: where nothing has changed it is not needed at all.
    """
    with initializing():
        for module in _USED_IN_STAGES:
            import_module(module)
        sample = Document(text="# a\n\nb", source="a.md", media_type="text/markdown")
        for _ in chunk_document(sample, target.chunker):
            target.bm25.encode_document(sample.text)


def _counted(stream: Iterable[Piece | Closing], tally: Tally) -> Iterator[Piece | Closing]:
    """Count the documents that have a text."""
    for item in stream:
        if isinstance(item, Closing) and item.head is not None:
            tally.add(stored=1)
        yield item


def _finish(run: Run) -> IngestReport:
    target, tally = run.target, run.tally
    if not run.options.dry_run:
        # Also where nothing changed: an earlier ingest may have been killed between writing points and saying so.
        if target.coding.doubt:
            tally.warn(target.coding.doubt)
        mark_changed(target.engine, target.name, target.coding.compression)
        tally.begin(BUILDING)
        with tally.busy("index"):
            target.engine.finish_bulk_load(target.name)
    _tell(run)
    return tally.report()


def _tell(run: Run) -> None:
    progress = run.options.progress
    if callable(progress):
        progress(run.tally.report())
