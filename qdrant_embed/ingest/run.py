"""The whole ingest: reading ‖ chunking ‖ embedding ‖ writing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path

from qdrant_embed.chunking import chunk_document
from qdrant_embed.errors import ConfigurationError
from qdrant_embed.ingest.beside import with_beside
from qdrant_embed.ingest.blocks import to_blocks
from qdrant_embed.ingest.fitting import coded
from qdrant_embed.ingest.flow import Flow
from qdrant_embed.ingest.pieces import gathered, to_pieces
from qdrant_embed.ingest.prune import prune
from qdrant_embed.ingest.report import IngestReport, Tally
from qdrant_embed.ingest.roots import RootLabel, refuse_nested, resolve
from qdrant_embed.ingest.sources import Seen, Work, from_documents, from_files
from qdrant_embed.ingest.target import Target
from qdrant_embed.ingest.watchdog import STALL_SECONDS
from qdrant_embed.ingest.writing import Writer
from qdrant_embed.native import initializing
from qdrant_embed.reading.files import ReadOptions, Root, Skipped, SourceFile, find_root, walk
from qdrant_embed.reading.reader import Reader
from qdrant_embed.store.changes import mark_changed
from qdrant_embed.types import Document

QUEUED_DOCUMENTS = 8
QUEUED_BLOCKS = 2

_USED_IN_STAGES = ("charset_normalizer", "pathspec", "qdrant_client.models", "tenacity")

Progress = Callable[[IngestReport], None]
"""Called after each block with the counts so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestOptions:
    """What an ingest reads and how it is watched.

    :param root: Label of the folder, see `qdrant_embed.ingest.roots`; None for the folder's name.
    :param reading: Limits and patterns for files.
    :param progress: Called after each block with the counts so far.
    :param stall_seconds: If no stage goes on for so long, stderr says which one stands still and shows the stacks of
        all threads, and the ingest goes on waiting; 0 for never.
    """

    root: str | None = None
    reading: ReadOptions = field(default_factory=ReadOptions)
    progress: Progress | None = None
    stall_seconds: float = STALL_SECONDS

    def __post_init__(self) -> None:
        if not 0 <= self.stall_seconds < float("inf"):
            raise ConfigurationError(
                f"stall_seconds={self.stall_seconds!r} is no time to wait; give seconds, or 0 to watch nothing."
            )


@dataclass(frozen=True, slots=True)
class Scope:
    """The part of a root that one ingest covers.

    :param within: Prefix of the sources that can have vanished.
    :param whole: Whether every file below `within` was offered, so that one not met counts as gone.
    """

    root: RootLabel
    within: str
    whole: bool

    def keeps(self, source: str) -> bool:
        """Tell whether the document of a source that was not met stays: its file was only not asked for."""
        return not self.whole and (self.root.base / source).exists()


def resolve_path(
    path: str | Path, options: IngestOptions, known_roots: Mapping[str, str]
) -> tuple[Scope, Iterator[SourceFile | Skipped]]:
    """Say what a folder, file or glob means: the part of a root that it covers, and its files, not read yet."""
    found = find_root(path)
    root = resolve(found.folder, options.root, known_roots)
    prefix = root.relative(found.folder.resolve())
    reading = options.reading
    whole = found.only is None and found.pattern is None and not reading.include and not reading.exclude
    within = f"{prefix}{found.only.source}" if found.only is not None else prefix
    files = _under_root(found, reading, prefix, lambda folder: refuse_nested(folder, root, known_roots))
    return Scope(root, within, whole), files


def _under_root(
    found: Root, reading: ReadOptions, prefix: str, check_folder: Callable[[Path], None]
) -> Iterator[SourceFile | Skipped]:
    checked: set[Path] = set()
    for item in walk(found, reading):
        if isinstance(item, SourceFile) and item.path.parent not in checked:
            checked.add(item.path.parent)
            check_folder(item.path.parent)
        yield replace(item, source=prefix + item.source) if prefix else item


def ingest_files(
    target: Target, files: Iterable[SourceFile | Skipped], scope: Scope, options: IngestOptions
) -> IngestReport:
    """Bring the collection in line with the files: add, change, and delete what is gone."""
    tally, seen = Tally(), Seen()
    with Reader(options.reading, in_parts=True) as reader:
        works = from_files(target, files, scope.root.label, reader, tally, seen)
        _drain(target, works, tally, options, reader.stop)
    tally.add(deleted=prune(target, scope.root.label, scope.within, seen, scope.keeps))
    return _finish(target, tally, options.progress)


def ingest_documents(target: Target, documents: Iterable[Document], options: IngestOptions) -> IngestReport:
    """Add or change the given documents; others are left alone."""
    tally = Tally()
    works = from_documents(target, documents, options.root or "", tally, Seen())
    _drain(target, works, tally, options)
    return _finish(target, tally, options.progress)


def _drain(
    target: Target, works: Iterator[Work], tally: Tally, options: IngestOptions, stop: Callable[[], None] | None = None
) -> None:
    writer = Writer(target, tally)
    _prepare(target)
    with Flow(options.stall_seconds, stop) as flow:
        read = flow.stage(works, QUEUED_DOCUMENTS, "read")
        chunked = flow.stage(gathered(to_pieces(target, read, tally)), QUEUED_BLOCKS, "chunk")
        blocks = with_beside(target, coded(target.coding, to_blocks(target, chunked, tally)), tally)
        for block in flow.stage(blocks, QUEUED_BLOCKS, "embed"):
            writer.write(block)
            if options.progress is not None:
                options.progress(tally.report())


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


def _finish(target: Target, tally: Tally, progress: Progress | None) -> IngestReport:
    # Also where nothing changed: an earlier ingest may have been killed between writing points and saying so.
    if target.coding.doubt:
        tally.warn(target.coding.doubt)
    mark_changed(target.engine, target.name, target.coding.compression)
    report = tally.report()
    if progress is not None:
        progress(report)
    return report
