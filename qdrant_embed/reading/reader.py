"""Reading one file: its text and what it says about itself, from the process that reads, as a `Document`."""

from __future__ import annotations

import os
import sys
import threading
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self, cast

from qdrant_embed.errors import ReadError
from qdrant_embed.reading.files import ReadOptions, SourceFile
from qdrant_embed.reading.parsed import clean, one_line
from qdrant_embed.reading.worker.memory import memory_limit
from qdrant_embed.reading.worker.process import Answer, Worker
from qdrant_embed.types import Document

WAIT_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class ReadFile:
    """What reading one file gave.

    :param notes: What the file holds and the document lacks, a sentence each.
    :param guessed_encoding: Encoding in which the bytes were read, where nothing in the file says it.
    :param rest: The parts of a very long text after the first, which the document has; None for others.
    """

    document: Document
    notes: tuple[str, ...] = ()
    guessed_encoding: str = ""
    rest: Rest | None = None


class Rest:
    """The parts of a text after the first, fetched one by one; the next file is read when it is closed, or at its end.

    :raises ReadError: The rest cannot be read, while one goes through it.
    :raises StoppedError: Nothing is read any more.
    """

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._ended = threading.Event()

    def __iter__(self) -> Iterator[str]:
        try:
            more = True
            while more and not self._ended.is_set():
                answer, text = self._worker.more()
                if "error" in answer:
                    self._ended.set()
                    raise ReadError(answer["error"])
                yield text.decode()
                more = answer["more"]
            self._ended.set()
        finally:
            self.close()

    def close(self) -> None:
        """Let go of the parts that were not fetched."""
        if not self._ended.is_set():
            self._worker.enough()
            self._ended.set()

    def wait(self) -> None:
        """Wait until somebody has fetched all parts, or closed it."""
        while not self._ended.wait(WAIT_SECONDS):
            self._worker.require_not_stopped()


class Reader:
    """Reads files in a process of its own, which starts with the first of them.

    Whatever a file does to that process, it is the only one that is lost. Texts keep every character but these: line
    ends become line feeds, NUL goes, lone surrogates become U+FFFD. Offsets of chunks and pages refer to that text.

    :param options: The limits for each file.
    :param in_parts: Whether a very long text is given in parts, see `ReadFile.rest`.
    """

    def __init__(self, options: ReadOptions, *, in_parts: bool = False) -> None:
        self._in_parts = in_parts
        self._rest: Rest | None = None
        file_bytes = int(min(options.max_file_bytes, sys.maxsize))
        limits = {
            "bytes": file_bytes,
            "characters": int(min(options.max_text_characters, sys.maxsize)),
            "memory": memory_limit(file_bytes),
            "encoding": options.encoding,
        }
        self._worker = Worker(options.file_timeout, limits)
        self._ahead: deque[SourceFile] = deque()
        self._answers: Generator[Answer, None, None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process; a later `read` starts another."""
        self._worker.close()
        self._rest = None
        self.expect(())

    def stop(self) -> None:
        """End the process for good, from any thread; a `read` that waits raises `StoppedError`."""
        self._worker.stop()

    def expect(self, files: Iterable[SourceFile]) -> None:
        """Say which files will be read next, in this order, so that the process can work ahead."""
        self._finish_last()
        if self._answers is not None:
            self._answers.close()
        self._ahead = deque(files)
        self._answers = self._worker.answers([os.path.abspath(file.path) for file in self._ahead])  # noqa: PTH100

    def read(self, file: SourceFile) -> ReadFile:
        """Read a file.

        :raises ReadError: It cannot be read; `reason` says why. The next file can be read all the same.
        :raises StoppedError: `stop` was called.
        """
        self._finish_last()
        if self._answers is None or not self._ahead or self._ahead[0] is not file:
            self.expect([file])
        self._ahead.popleft()
        answer, text = next(cast("Generator[Answer, None, None]", self._answers))
        if "error" in answer:
            raise ReadError(answer["error"])
        first, self._rest = text.decode(), Rest(self._worker) if answer["more"] else None
        if self._rest is not None and not self._in_parts:
            first, self._rest = "".join((first, *self._rest)), None
        document = Document(
            text=first,
            source=file.source,
            metadata=answer["metadata"],
            title=one_line(answer["title"]) or clean(Path(file.source).stem),
            media_type=answer["media_type"],
            text_type=answer["text_type"],
            size=file.size,
            modified=file.modified,
            hash=answer["hash"],
            page_starts=tuple(answer["page_starts"]),
        )
        return ReadFile(document, tuple(answer["notes"]), answer["guessed_encoding"], self._rest)

    def _finish_last(self) -> None:
        """Wait until the text of the last file was fetched: the process gives one text after the other."""
        rest, self._rest = self._rest, None
        if rest is not None:
            rest.wait()
