"""Files as documents, for those who store them elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from qdrant_embed.errors import ReadError, UnreadableWarning, warn_user
from qdrant_embed.reading.files import ReadOptions, SourceFile, find_root, walk
from qdrant_embed.reading.reader import Reader
from qdrant_embed.types import Document


def read_documents(
    path: str | Path, *, reading: ReadOptions | None = None, failed: Callable[[str, str], None] | None = None
) -> Iterator[Document]:
    """Yield the documents of a folder, a file or a glob, one at a time, as an ingest reads them.

    Each file is read in a process of its own beside this one, so that a broken one is lost alone.

    :param reading: Which files, and the limits for each.
    :param failed: Called with the source of a file that cannot be read, and the reason; the others are read all the
        same. Without it, a warning says so.
    :raises ConfigurationError: There is no such file or folder.
    :raises ReadError: The folder cannot be listed.
    """
    options, tell = reading or ReadOptions(), failed or _warn
    root = find_root(path)
    with Reader(options) as reader:
        for file in walk(root, options):
            try:
                if isinstance(file, SourceFile):
                    yield reader.read(file).document
                elif file.failed:
                    raise ReadError(file.reason)
            except ReadError as error:
                tell(file.source, error.reason)


def _warn(source: str, reason: str) -> None:
    warn_user(f"{source} is left out: {reason}", UnreadableWarning)
