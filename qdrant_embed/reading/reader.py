"""Reading one file: bytes once, their hash, the reader for the format, a `Document`."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from qdrant_embed.errors import ReadError
from qdrant_embed.reading.files import ReadOptions, SourceFile, why
from qdrant_embed.reading.formats import IN_PROCESS, MEDIA_TYPES, READERS, TEXT_MEDIA_TYPES, UNSUPPORTED, parse
from qdrant_embed.reading.parsed import Parsed, clean, one_line
from qdrant_embed.reading.plain import read_text
from qdrant_embed.reading.process import Worker
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
    """Reads files, one at a time; heavy formats in a process of its own, which starts with the first such file.

    Texts keep every character but these: line ends become line feeds, NUL goes, lone surrogates become U+FFFD. Offsets
    of chunks and pages refer to that text.

    :param options: The limits for each file.
    """

    def __init__(self, options: ReadOptions) -> None:
        self._options = options
        self._worker = Worker(options.file_timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the worker process; a later `read` starts another."""
        self._worker.close()

    def read(self, file: SourceFile) -> ReadFile:
        """Read a file.

        :raises ReadError: It cannot be read; `reason` says why. The next file can be read all the same.
        """
        data = self._bytes(file)
        parsed = self._parse(data, file.path)
        document = Document(
            text=clean(parsed.text),
            source=file.source,
            metadata=parsed.metadata,
            title=one_line(parsed.title) or clean(Path(file.source).stem),
            media_type=MEDIA_TYPES.get(file.path.suffix.lower(), parsed.text_type),
            text_type=parsed.text_type,
            size=file.size,
            modified=file.modified,
            hash=hashlib.blake2b(data, digest_size=16).hexdigest(),
            page_starts=parsed.page_starts,
        )
        return ReadFile(document, parsed.notes, parsed.guessed_encoding)

    def _bytes(self, file: SourceFile) -> bytes:
        limit = self._options.max_file_bytes
        try:
            with file.path.open("rb") as stream:
                data = stream.read(limit + 1)
        except OSError as error:
            raise ReadError(f"cannot be opened: {why(error)}") from error
        if len(data) > limit:
            size = max(file.size, len(data))
            raise ReadError(f"too large: {size:,} bytes, the limit is {limit:,}; raise ReadOptions.max_file_bytes")
        return data

    def _parse(self, data: bytes, path: Path) -> Parsed:
        extension = path.suffix.lower()
        if extension in IN_PROCESS:
            return parse(extension, data, path.name)
        if extension in READERS:
            return self._worker.parse(data, extension, path.name)
        if extension in UNSUPPORTED:
            raise ReadError(f"no reader for {extension}; save it as {UNSUPPORTED[extension]}")
        return read_text(data, TEXT_MEDIA_TYPES.get(extension, "text/plain"))
