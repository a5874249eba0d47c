"""The loader: folders of files as LangChain documents, read as an ingest reads them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from langchain_core.document_loaders import BaseLoader
from langchain_core.documents import Document

from qdrant_embed import Document as Text
from qdrant_embed import ReadOptions, read_documents

logger = logging.getLogger(__name__)


class QdrantEmbedLoader(BaseLoader):
    """Load Markdown, HTML, PDF, Office, e-mail, EPUB, tables and source code from a folder, a file or a glob.

    Files are read one at a time, in a process of their own. One that cannot be read is logged and listed in `failed`,
    and the others are loaded all the same.

    :param path: A folder, a file, or a glob such as `docs/**/*.md`.
    :param reading: Which files, and the limits for each.
    :ivar failed: Sources that could not be read in the last run, each with the reason.
    """

    def __init__(self, path: str | Path, *, reading: ReadOptions | None = None) -> None:
        self.path, self.reading = path, reading
        self.failed: list[tuple[str, str]] = []

    def lazy_load(self) -> Iterator[Document]:
        """Yield the documents.

        :raises ConfigurationError: There is no such file or folder.
        """
        self.failed = []
        yield from map(_document, read_documents(self.path, reading=self.reading, failed=self._note))

    def _note(self, source: str, reason: str) -> None:
        self.failed.append((source, reason))
        logger.warning("%r cannot be read: %s", source, reason)


def _document(read: Text) -> Document:
    known: dict[str, Any] = {
        "title": read.title, "media_type": read.text_type, "size": read.size, "modified": read.modified,
        "page_starts": list(read.page_starts),
    }  # fmt: skip
    stated = {name: value for name, value in known.items() if value not in (None, "", [])}
    return Document(page_content=read.text, metadata={**stated, **read.metadata, "source": read.source})
