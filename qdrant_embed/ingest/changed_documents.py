"""The first stage: what the user named, as a stream of documents that need work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import TypeVar

from qdrant_embed.chunking import in_parts
from qdrant_embed.errors import QdrantEmbedError, ReadError
from qdrant_embed.ingest.contested import Contested
from qdrant_embed.ingest.context import IngestContext, matching
from qdrant_embed.ingest.inputs import RefusedItem
from qdrant_embed.ingest.monitoring.failure_ledger import FailureLedger
from qdrant_embed.ingest.monitoring.report import Tally
from qdrant_embed.ingest.options import IngestOptions
from qdrant_embed.ingest.stored_documents import DocumentState, look_up
from qdrant_embed.reading.files import Skipped, SourceFile
from qdrant_embed.reading.formats import MEDIA_TYPES
from qdrant_embed.reading.ignore_patterns import PathPatterns
from qdrant_embed.reading.reader import Reader, ReadFile, Rest
from qdrant_embed.store.points import VERSION, DocumentKey, document_id
from qdrant_embed.types import Document, Json

T = TypeVar("T")

LOOK_UP_BATCH = 64
"""Documents asked about in one request."""
SAYING_THEIR_ENCODING = frozenset(
    MEDIA_TYPES[name] for name in (".pdf", ".docx", ".pptx", ".epub", ".xlsx", ".xlsm", ".xls")
)
"""Media types of files whose texts no encoding has to be assumed for."""


@dataclass(frozen=True, slots=True)
class ChangedDocument:
    """A document that is new or changed.

    :param document: Of a very long text, it has the first part only.
    :param stored: Whether the collection may hold points of an earlier or unfinished state of it.
    :param origin: What it can be had from once more.
    :param rest: The other parts of its text.
    """

    document: Document
    key: DocumentKey
    stored: bool
    origin: SourceFile | Document
    rest: Rest | None = None

    @property
    def parts(self) -> Iterator[str]:
        """The text in parts of moderate size; to be gone through once."""
        return chain(in_parts(self.document.text), self.rest or ())

    def close(self) -> None:
        """Let go of what of the text was not asked for."""
        if self.rest is not None:
            self.rest.close()


class Hashes:
    """Texts that were met: a hash of each, so that those of a million files fit."""

    def __init__(self) -> None:
        self._known: set[int] = set()

    def add(self, text: str) -> None:
        """Remember a text."""
        self._known.add(hash(text))

    def discard(self, text: str) -> None:
        """Forget a text."""
        self._known.discard(hash(text))

    def __contains__(self, text: str) -> bool:
        return hash(text) in self._known


@dataclass(slots=True)
class SeenDocuments:
    """What one run met.

    :param ids: Ids of documents.
    :param contents: Hashes of what new documents hold: what has one of them and was not met has moved.
    :param hidden: Files, and folders with all below them, that could not be looked at; without `/` at their end.
    :param known: Documents met of which the collection held something before.
    :param touched: Documents of which only a new time of change was noted.
    :param nameless: Items that are no documents, and of which nobody can say which document they should have been.
    """

    ids: Hashes = field(default_factory=Hashes)
    contents: Hashes = field(default_factory=Hashes)
    hidden: set[str] = field(default_factory=set)
    known: int = 0
    touched: list[Contested] = field(default_factory=list)
    nameless: int = 0

    def hides(self, source: str) -> bool:
        """Tell whether a source could not be looked at, or stands below one that could not."""
        parts = source.split("/")
        return bool(self.hidden) and any("/".join(parts[:end]) in self.hidden for end in range(1, len(parts) + 1))


@dataclass(frozen=True, slots=True)
class Run:
    """One ingest under way: where it writes, what it was told, and what it has met.

    :param root: Label that its documents are stored under.
    """

    target: IngestContext
    root: str
    options: IngestOptions
    tally: Tally
    failures: FailureLedger
    seen: SeenDocuments = field(default_factory=SeenDocuments)

    @classmethod
    def begin(cls, target: IngestContext, root: str, options: IngestOptions) -> Run:
        """Begin to count."""
        accepted = PathPatterns(options.accept_failed).match if options.accept_failed else lambda _: False
        tally = Tally(accepted, list_skipped=options.list_skipped, dry=options.dry_run)
        return cls(target, root, options, tally, FailureLedger(target.engine, target.name, root, tally))

    def looked_at(self, source: str, *, whole: bool) -> bool:
        """Tell whether a source was looked at.

        :param whole: Whether all that is there was, but for what is hidden.
        """
        met = whole or document_id(self.root, source) in self.seen.ids
        return met and not self.seen.hides(source)


def in_batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield lists of `size` items, the last one shorter."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def from_files(run: Run, files: Iterable[SourceFile | Skipped], reader: Reader) -> Iterator[ChangedDocument]:
    """Yield the documents of the files that changed since they were last ingested.

    A file whose size and time are as stored is not opened, unless it is of a kind for which an encoding is assumed,
    which may be another one now.
    """
    tally, seen = run.tally, run.seen
    for batch in in_batches(files, LOOK_UP_BATCH):
        with tally.busy("read"):
            wanted = [file for file in batch if isinstance(file, SourceFile)]
            for passed_over in batch:
                if isinstance(passed_over, Skipped):
                    _pass_over(run, passed_over)
            ids = {file.source: document_id(run.root, file.source) for file in wanted}
            stored = look_up(run.target, list(ids.values())) if ids else {}
            known_by = {file.source: stored.get(ids[file.source]) for file in wanted}
            same = {file.source for file in wanted if _is_same(file, known_by[file.source], run.options)}
            reader.expect(file for file in wanted if file.source not in same)
        for file in wanted:
            tally.add(documents=1)
            seen.ids.add(ids[file.source])
            known = known_by[file.source]
            seen.known += known is not None
            if known is not None and file.source in same:
                _count_unchanged(run, known)
                continue
            read = _read(reader, file, tally)
            if read is not None:
                works = _changed(run, read.document, file, known)
                if not works and read.rest is not None:
                    read.rest.close()
                yield from (replace(work, rest=read.rest) for work in works)
            run.failures.note()


def from_documents(run: Run, items: Iterable[Document | RefusedItem]) -> Iterator[ChangedDocument]:
    """Yield those of the user's own documents that are new or changed; the others are counted, or listed as failed."""
    for batch in in_batches(items, LOOK_UP_BATCH):
        documents: dict[str, Document] = {}
        with run.tally.busy("read"):
            for item in batch:
                run.tally.add(documents=1)
                if isinstance(item, RefusedItem):
                    _refuse(run, item)
                    continue
                key = document_id(run.root, item.source)
                if key in run.seen.ids:
                    twice = "there is another document of this source before it, which it would replace"
                    run.tally.fail(item.source, f"{twice}; give each its own", "refused")
                    continue
                run.seen.ids.add(key)
                _note_text(run.tally, item)
                documents[key] = item
            stored = look_up(run.target, list(documents)) if documents else {}
        run.seen.known += len(stored)
        for key, document in documents.items():
            yield from _changed(run, document, document, stored.get(key))


def _note_text(tally: Tally, document: Document) -> None:
    """Say of a document of the user's what the worker says of a file."""
    if not document.text.strip():
        tally.note(document.source, "no text was found in it")
    elif "\ufffd" in document.text:
        tally.note(document.source, "\ufffd stands in its text for characters that were lost before it came here")


def _pass_over(run: Run, file: Skipped) -> None:
    if file.failed:
        run.seen.hidden.add(file.source.removesuffix("/"))
        run.tally.fail(file.source, file.reason, "inaccessible")
    else:
        run.tally.skip(file.source, file.reason)


def _refuse(run: Run, item: RefusedItem) -> None:
    """List an item that is no document; what the collection has under its source stays."""
    run.tally.fail(item.source, item.reason, "refused" if item.named else "nameless")
    if item.named:
        run.seen.ids.add(document_id(run.root, item.source))
    else:
        run.seen.nameless += 1


def _is_same(file: SourceFile, known: DocumentState | None, options: IngestOptions) -> bool:
    """Tell whether a file need not be opened to be found unchanged."""
    if known is None or options.force or not known.same_file(file.size, file.modified):
        return False
    return not options.reading.encoding or known.head.get("media_type") in SAYING_THEIR_ENCODING


def _read(reader: Reader, file: SourceFile, tally: Tally) -> ReadFile | None:
    with tally.busy("read"):
        try:
            read = reader.read(file)
        except ReadError as error:
            tally.fail(file.source, error.reason, "unreadable")
            return None
        for note in read.notes:
            tally.note(file.source, note)
        if read.guessed_encoding:
            tally.guess(file.source, read.guessed_encoding)
        return read


def _changed(
    run: Run, document: Document, origin: SourceFile | Document, known: DocumentState | None
) -> Sequence[ChangedDocument]:
    """Return what there is to do for a document, which is one thing or nothing."""
    try:
        key = DocumentKey.of(document, run.root)
    except (QdrantEmbedError, TypeError, ValueError) as error:
        run.tally.fail(document.source, str(error), "refused")
        return []
    if known is not None and known.same_but_time(key):
        if known.version != key.version and not run.options.dry_run:
            _note_new_time(run.target, key, known.version)
            run.seen.touched.append(Contested(key, origin, stored=True, texts=1, chunks=known.chunk_count, mixed=True))
        _count_unchanged(run, known)
        return []
    run.seen.contents.add(document.hash)
    return [ChangedDocument(document, key, known is not None, origin)]


def _count_unchanged(run: Run, known: DocumentState) -> None:
    run.tally.add(stored=1, chunks=known.chunk_count, reused=known.chunk_count)
    run.tally.anything_stored = True


def _note_new_time(target: IngestContext, key: DocumentKey, before: str) -> None:
    """Store a new time of change, so that the next run need not open the file to find its content unchanged.

    :param before: The version that differs in nothing but this; what another program wrote meanwhile is none of it.
    """
    told: dict[str, Json] = {"modified": key.payload.get("modified"), VERSION: key.version}
    target.engine.set_payload(target.name, payload=told, points=matching(document_id=key.id, document_version=before))
