"""The second stage: documents as chunks that know their point ids, each document closed when it is whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from qdrant_embed.chunking import chunk_document
from qdrant_embed.chunking.plain_text import WholeDocument
from qdrant_embed.concurrency import went_on
from qdrant_embed.embedding.late_chunking import LatePassage, windows_read
from qdrant_embed.errors import QdrantEmbedError, ReadError
from qdrant_embed.ingest.changed_documents import ChangedDocument
from qdrant_embed.ingest.context import IngestContext
from qdrant_embed.ingest.monitoring.report import Tally
from qdrant_embed.reading.files import SourceFile
from qdrant_embed.reading.worker.process import StoppedError
from qdrant_embed.store.points import DocumentKey, chunk_id, text_hash
from qdrant_embed.types import Chunk, Document
from qdrant_embed.words.languages import LanguageCount

BATCH_CHUNKS = 256
BATCH_CHARACTERS = 256_000
"""A batch ends at whichever comes first, so that long chunks do not make a crash expensive."""
WHOLE_CHARACTERS = 2**24
"""Characters of a text that late chunking, or the chunker `document`, reads as one."""


@dataclass(frozen=True, slots=True)
class ChunkTask:
    """A chunk on its way into the collection.

    :param text_hash: Hash of what decides its vectors: its text with its context, and, under late chunking, all that is
        read with it.
    :param stored: Whether the collection may hold it already.
    :param passage: What it is read in, under late chunking.
    """

    document: DocumentKey
    chunk: Chunk
    id: str
    text_hash: str
    stored: bool
    passage: LatePassage | None = None


@dataclass(frozen=True, slots=True)
class DocumentEnd:
    """Says that all chunks of a document but the first came before this.

    The first chunk comes last because it says how many there are: a process may die anywhere before it, and the next
    run sees a document that is not whole yet.

    :param head: The first chunk; None for a document without text.
    :param ids: Ids of all the document's points; every other point of it is stale.
    :param origin: What the document can be had from once more.
    :param stored: As a task has it.
    """

    document: DocumentKey
    head: ChunkTask | None
    ids: AbstractSet[str]
    origin: SourceFile | Document
    stored: bool


@dataclass(frozen=True, slots=True)
class ChunkBatch:
    """What is embedded and written in one go: chunks, heads among them, and ends, in the order they came."""

    tasks: Sequence[ChunkTask]
    ends: Sequence[DocumentEnd]


def in_chunks(
    target: IngestContext, works: Iterable[ChangedDocument], tally: Tally
) -> Iterator[ChunkTask | DocumentEnd]:
    """Chunk each document and yield its chunks, the first one last, inside the document's end.

    A document that cannot be chunked is listed as failed, and stays incomplete.
    """
    languages = LanguageCount(target.bm25.language)
    for work in works:
        languages.add(work.document.source, work.document.text)
        try:
            yield from _of_document(target, work, tally)
        finally:
            work.close()
    if languages.warning:
        tally.warn(languages.warning)


def _of_document(target: IngestContext, work: ChangedDocument, tally: Tally) -> Iterator[ChunkTask | DocumentEnd]:
    head: ChunkTask | None = None
    ids: set[str] = set()
    tasks = _tasks(target, work, tally)
    while True:
        try:
            with tally.busy("chunk"):
                task = next(tasks, None)
        except StoppedError:
            raise
        except Exception as error:
            kind = "unreadable" if isinstance(error, ReadError) else "not embedded"
            tally.fail(work.key.source, _why_not_chunked(error), kind)
            return
        if task is None:
            yield DocumentEnd(work.key, head, ids, work.origin, work.stored)
            return
        ids.add(task.id)
        tally.add(chunks=1)
        if head is None:
            head = task
        else:
            yield task


def _why_not_chunked(error: Exception) -> str:
    if isinstance(error, ReadError):
        return error.reason
    message = str(error) if isinstance(error, QdrantEmbedError) else f"{type(error).__name__}: {error}"
    return f"could not be chunked: {message}"


def batched(stream: Iterable[ChunkTask | DocumentEnd]) -> Iterator[ChunkBatch]:
    """Yield what is embedded and written in one go, so that no queue holds more than a few of these."""
    tasks: list[ChunkTask] = []
    ends: list[DocumentEnd] = []
    characters = 0
    for item in stream:
        task = item.head if isinstance(item, DocumentEnd) else item
        if isinstance(item, DocumentEnd):
            ends.append(item)
        if task is not None:
            tasks.append(task)
            characters += len(task.chunk.text)
        if len(tasks) >= BATCH_CHUNKS or characters >= BATCH_CHARACTERS or len(ends) >= BATCH_CHUNKS:
            yield ChunkBatch(tasks, ends)
            tasks, ends, characters = [], [], 0
    if tasks or ends:
        yield ChunkBatch(tasks, ends)


def fail_chunk(tally: Tally, task: ChunkTask, what: str, error: Exception) -> None:
    """List a chunk that could not be embedded or stored, and count it no more."""
    where = f"characters {task.chunk.start}-{task.chunk.end}"
    reason = f"{where} could not be {what}: {type(error).__name__}: {error}"
    tally.fail(task.document.source, reason, "not embedded")
    tally.add(chunks=-1)


def _tasks(target: IngestContext, work: ChangedDocument, tally: Tally) -> Iterator[ChunkTask]:
    whole = target.embedder.window.name == "late" or isinstance(target.chunker, WholeDocument)
    parts = _whole(work) if whole else work.parts
    if target.embedder.window.name != "late":
        for chunk in chunk_document(work.document, target.chunker, parts):
            went_on()
            yield _task(target, work, chunk, None)
        return
    text = "".join(parts)
    chunks = list(chunk_document(work.document, target.chunker, [text]))
    passages = target.embedder.late_passages(text, [(chunk.start, chunk.end) for chunk in chunks]) if chunks else []
    tally.add(windowed=int(len(windows_read(passages)) > 1))
    for chunk, passage in zip(chunks, passages, strict=True):
        yield _task(target, work, chunk, passage)


def _whole(work: ChangedDocument) -> Iterator[str]:
    """Yield the parts of a text that is read as one.

    :raises ReadError: It is longer than can be held.
    """
    characters = 0
    for part in work.parts:
        characters += len(part)
        if characters > WHOLE_CHARACTERS:
            raise ReadError(
                f"too long to be read as one: its text has more than {WHOLE_CHARACTERS:,} characters; split the file, "
                "or use another chunker than 'document' and another window than 'late'"
            )
        yield part


def _task(target: IngestContext, work: ChangedDocument, chunk: Chunk, passage: LatePassage | None) -> ChunkTask:
    decides = chunk.embed_text if passage is None else f"{chunk.embed_text}\x1f{passage.key.hex()}"
    embedded = text_hash(decides)
    key = chunk_id(work.key.id, chunk, embedded, target.fingerprint)
    return ChunkTask(work.key, chunk, key, embedded, work.stored, passage)
