"""The first stage: what the user named, as a stream of documents that need work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import TypeVar

from qdrant_embed.chunking import in_parts
from qdrant_embed.errors import ConfigurationError, ReadError, StoreError
from qdrant_embed.ingest.report import Tally
from qdrant_embed.ingest.state import StoredDocument, look_up, reopen
from qdrant_embed.ingest.target import Target, match
from qdrant_embed.reading.files import Skipped, SourceFile
from qdrant_embed.reading.reader import Reader, ReadFile, Rest
from qdrant_embed.store.points import DocumentKey, document_id
from qdrant_embed.types import Document

T = TypeVar("T")

LOOK_UP_BATCH = 64
"""Documents asked about in one request."""


@dataclass(frozen=True, slots=True)
class Work:
    """A document that is new or changed.

    :param document: Of a very long text, it has the first part only.
    :param stored: Whether the collection may hold points of an earlier or unfinished state of it.
    :param rest: The other parts of its text.
    """

    document: Document
    key: DocumentKey
    stored: bool
    rest: Rest | None = None

    @property
    def parts(self) -> Iterator[str]:
        """The text in parts of moderate size; to be gone through once."""
        return chain(in_parts(self.document.text), self.rest or ())

    def close(self) -> None:
        """Let go of what of the text was not asked for."""
        if self.rest is not None:
            self.rest.close()


class Seen:
    """The documents met in one run; 16 bytes each, so that a million files fit."""

    def __init__(self) -> None:
        self._ids: set[int] = set()

    def add(self, key: str) -> None:
        """Remember a document id."""
        self._ids.add(hash(key))

    def __contains__(self, key: str) -> bool:
        return hash(key) in self._ids


def in_batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield lists of `size` items, the last one shorter."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def from_files(
    target: Target, files: Iterable[SourceFile | Skipped], root: str, reader: Reader, tally: Tally, seen: Seen
) -> Iterator[Work]:
    """Yield the documents of the files that changed since they were last ingested.

    A file whose size and time are as stored is not opened.
    """
    for batch in in_batches(files, LOOK_UP_BATCH):
        with tally.busy("read"):
            wanted = [file for file in batch if isinstance(file, SourceFile)]
            for passed_over in batch:
                if isinstance(passed_over, Skipped):
                    tally.skip(passed_over.reason)
            ids = {file.source: document_id(root, file.source) for file in wanted}
            stored = look_up(target, list(ids.values())) if ids else {}
            same = {file.source for file in wanted if _same_file(file, stored.get(ids[file.source]))}
            reader.expect(file for file in wanted if file.source not in same)
        for file in wanted:
            tally.add(documents=1)
            seen.add(ids[file.source])
            known = stored.get(ids[file.source])
            if known is not None and file.source in same:
                tally.add(chunks=known.chunk_count, reused=known.chunk_count)
                continue
            read = _read(reader, file, tally)
            if read is not None:
                works = _changed(target, read.document, root, known, tally)
                if not works and read.rest is not None:
                    read.rest.close()
                yield from (replace(work, rest=read.rest) for work in works)


def from_documents(
    target: Target, documents: Iterable[Document], root: str, tally: Tally, seen: Seen
) -> Iterator[Work]:
    """Yield those of the user's own documents that are new or changed.

    :raises ConfigurationError: An item is not a `Document`, or two have the same source.
    """
    for batch in in_batches(documents, LOOK_UP_BATCH):
        with tally.busy("read"):
            keys = [_document_id(item, root, seen) for item in batch]
            stored = look_up(target, keys)
        for document, key in zip(batch, keys, strict=True):
            tally.add(documents=1)
            yield from _changed(target, document, root, stored.get(key), tally)


def _document_id(item: object, root: str, seen: Seen) -> str:
    if not isinstance(item, Document):
        raise ConfigurationError(
            f"expected Document objects, got {type(item).__name__}. Wrap texts: Document(text=…, source='a name')."
        )
    key = document_id(root, item.source)
    if key in seen:
        raise ConfigurationError(
            f"two documents have the source {item.source!r}; the second would replace the first. Give each its own."
        )
    seen.add(key)
    return key


def _same_file(file: SourceFile, known: StoredDocument | None) -> bool:
    return known is not None and known.same_file(file.size, file.modified)


def _read(reader: Reader, file: SourceFile, tally: Tally) -> ReadFile | None:
    with tally.busy("read"):
        try:
            read = reader.read(file)
        except ReadError as error:
            tally.fail(file.source, error.reason)
            return None
        for note in read.notes:
            tally.note(file.source, note)
        if read.guessed_encoding:
            tally.guess(file.source, read.guessed_encoding)
        return read


def _changed(
    target: Target, document: Document, root: str, known: StoredDocument | None, tally: Tally
) -> Sequence[Work]:
    try:
        key = DocumentKey.of(document, root)
    except StoreError as error:
        tally.fail(document.source, str(error))
        return []
    if known is None:
        return [Work(document, key, stored=False)]
    if not known.same_but_time(key):
        if known.complete:
            reopen(target, key.id)
        return [Work(document, key, stored=True)]
    if known.head.get("modified") != key.payload.get("modified"):
        _note_new_time(target, key)
    tally.add(chunks=known.chunk_count, reused=known.chunk_count)
    return []


def _note_new_time(target: Target, key: DocumentKey) -> None:
    """Store a new time of change, so that the next run need not open the file to find its content unchanged."""
    from qdrant_client import models

    points = models.Filter(must=[match("document_id", key.id)])
    target.engine.set_payload(target.name, payload={"modified": key.payload.get("modified")}, points=points)
