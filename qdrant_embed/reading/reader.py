"""Reading one file: its text and what it says about itself, from the process that reads, as a `Document`."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, cast

from qdrant_embed.errors import ReadError
from qdrant_embed.reading.files import ReadOptions, SourceFile
from qdrant_embed.reading.formats import MEDIA_TYPES
from qdrant_embed.reading.parsed import clean, one_line
from qdrant_embed.reading.worker.memory import memory_limit
from qdrant_embed.reading.worker.process import Answer, Worker
from qdrant_embed.types import Document


@dataclass(frozen=True, slots=True)
class ReadFile:
    """What reading one file gave.

    :param notes: What the file holds and the document lacks, a sentence each.
    :param guessed_encoding: Encoding in which the bytes were read, where nothing in the file says it.
    """

    document: Document
    notes: tuple[str, ...] = ()
    guessed_encoding: str = ""


class Reader:
    """Reads files in a process of its own, which starts with the first of them.

    Whatever a file does to that process, it is the only one that is lost. Texts keep every character but these: line
    ends become line feeds, NUL goes, lone surrogates become U+FFFD. Offsets of chunks and pages refer to that text.

    :param options: The limits for each file.
    """

    def __init__(self, options: ReadOptions) -> None:
        file_bytes = int(min(options.max_file_bytes, sys.maxsize))
        limits = {
            "bytes": file_bytes,
            "characters": int(min(options.max_text_characters, sys.maxsize)),
            "memory": memory_limit(file_bytes),
        }
        self._worker = Worker(options.file_timeout, limits)
        self._ahead: deque[SourceFile] = deque()
        self._answers: Generator[Answer, None, None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process; a later `read` starts another."""
        self.expect(())
        self._worker.close()

    def stop(self) -> None:
        """End the process for good, from any thread; a `read` that waits raises `StoppedError`."""
        self._worker.stop()

    def expect(self, files: Iterable[SourceFile]) -> None:
        """Say which files will be read next, in this order, so that the process can work ahead."""
        if self._answers is not None:
            self._answers.close()
        self._ahead = deque(files)
        self._answers = self._worker.answers([os.path.abspath(file.path) for file in self._ahead])  # noqa: PTH100

    def read(self, file: SourceFile) -> ReadFile:
        """Read a file.

        :raises ReadError: It cannot be read; `reason` says why. The next file can be read all the same.
        :raises StoppedError: `stop` was called.
        """
        if self._answers is None or not self._ahead or self._ahead[0] is not file:
            self.expect([file])
        self._ahead.popleft()
        answer, text = next(cast("Generator[Answer, None, None]", self._answers))
        if "error" in answer:
            raise ReadError(answer["error"])
        document = Document(
            text=text.decode(),
            source=file.source,
            metadata=answer["metadata"],
            title=one_line(answer["title"]) or clean(Path(file.source).stem),
            media_type=MEDIA_TYPES.get(file.path.suffix.lower(), answer["text_type"]),
            text_type=answer["text_type"],
            size=file.size,
            modified=file.modified,
            hash=answer["hash"],
            page_starts=tuple(answer["page_starts"]),
        )
        return ReadFile(document, tuple(answer["notes"]), answer["guessed_encoding"])
