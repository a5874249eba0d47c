"""Large files of plain text, decoded part by part: neither their bytes nor their text are held whole."""

from __future__ import annotations

import codecs
import hashlib
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from qdrant_embed.errors import ReadError
from qdrant_embed.reading.contents import why
from qdrant_embed.reading.formats import is_plain, parse
from qdrant_embed.reading.parsed import Parsed
from qdrant_embed.reading.text_encoding import code_encoding, is_utf8_if_valid

LEAST = 2**23
"""Bytes from which a file is read in parts."""
BLOCK = 2**20
OTHER_ENCODINGS = (b"\0", b"\x1b$", b"~{")
"""What is never in UTF-8 text, or may announce another encoding in bytes that are valid UTF-8."""


@dataclass(frozen=True, slots=True)
class TextStream:
    """A text that is there in parts.

    :param parsed: What its beginning says about it; its text is that beginning.
    :param hash: Hash of the bytes.
    :param parts: The text, line ends as line feeds.
    """

    parsed: Parsed
    hash: str
    parts: Iterator[str]


def text_stream(file: BinaryIO, extension: str, name: str, limit: int) -> TextStream | None:
    """Return the text of a large file of plain text in UTF-8; None for every other, which is read whole.

    :param limit: The most bytes that there may be.
    :raises OSError: It cannot be read.
    """
    status = os.fstat(file.fileno())
    if not LEAST <= status.st_size <= limit:
        return None
    head = file.read(BLOCK)
    if not is_plain(extension, head) or not is_utf8_if_valid(code_encoding(head)):
        return None
    digest = _utf8_hash(file)
    if digest is None:
        return None
    whole_lines = head.decode("utf-8", "ignore").rpartition("\n")[0].encode()
    return TextStream(parse(extension, whole_lines, name), digest, _parts(file, (status.st_size, status.st_mtime_ns)))


def _utf8_hash(file: BinaryIO) -> str | None:
    """Return the hash of a file's bytes if they are UTF-8 beyond doubt."""
    file.seek(0)
    digest, decoder = hashlib.blake2b(digest_size=16), codecs.getincrementaldecoder("utf-8")()
    try:
        while block := file.read(BLOCK):
            digest.update(block)
            decoder.decode(block)
            if any(mark in block for mark in OTHER_ENCODINGS):
                return None
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return None
    return digest.hexdigest()


def _parts(file: BinaryIO, before: tuple[int, int]) -> Iterator[str]:
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder("utf-8-sig")(), translate=True)
    try:
        with file:
            file.seek(0)
            while block := file.read(BLOCK):
                if part := decoder.decode(block):
                    yield part
            if part := decoder.decode(b"", final=True):
                yield part
            status = os.fstat(file.fileno())
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError(f"cannot be read: {why(error) if isinstance(error, OSError) else 'it has changed'}") from error
    if (status.st_size, status.st_mtime_ns) != before:
        raise ReadError("it was changed while it was read; run the command again")
