"""How a document would be cut: its chunks with their numbers of tokens; no weights are loaded, nothing is stored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import SupportsIndex, overload

from qdrant_embed.chunking import Chunker, chunk_document
from qdrant_embed.display import TABLE_START, TABLE_STYLE, as_html, counted, one_line, printable
from qdrant_embed.embedding import Embedder
from qdrant_embed.errors import ConfigurationError, ReadError, require_type
from qdrant_embed.reading.files import ReadOptions, SourceFile, find_root, walk
from qdrant_embed.reading.reader import Reader
from qdrant_embed.types import Document, Json

_PRINTED = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewedChunk:
    """A chunk as an ingest would make it.

    :param tokens: What the model reads for it: context, prompt and special tokens included.
    :param context: Text that is embedded before the chunk's own: headings that it does not show itself.
    """

    index: int
    tokens: int
    text: str
    start: int
    end: int
    page: int | None
    headings: tuple[str, ...]
    context: str

    def as_dict(self) -> dict[str, Json]:
        """Return the chunk as JSON-ready values."""
        return asdict(self)


class Preview(list[PreviewedChunk]):
    """The chunks of one document, in order: a list that also draws itself as a table, and prints a line for each.

    :param source: Name of the document.
    :param limit: The most tokens that the model reads at once.
    """

    def __init__(self, chunks: Iterator[PreviewedChunk] | list[PreviewedChunk], source: str, limit: int) -> None:
        super().__init__(chunks)
        self.source, self.limit = source, limit

    @overload
    def __getitem__(self, place: SupportsIndex) -> PreviewedChunk: ...
    @overload
    def __getitem__(self, place: slice) -> Preview: ...
    def __getitem__(self, place: SupportsIndex | slice) -> PreviewedChunk | Preview:
        if isinstance(place, slice):
            return Preview(super().__getitem__(place), self.source, self.limit)
        return super().__getitem__(place)

    @property
    def title(self) -> str:
        """What is shown: document, number of chunks, of tokens, the longest chunk."""
        tokens = [chunk.tokens for chunk in self]
        longest = f", {max(tokens):,} at most" if tokens else ""
        return (
            f"{one_line(self.source)}: {counted(len(self), 'chunk')}, {counted(sum(tokens), 'token')}{longest}; the "
            f"model reads {self.limit:,} at once"
        )

    def __str__(self) -> str:
        lines = [self.title]
        for chunk in self:
            start = " ".join(printable(chunk.text).split())
            cut = start if len(start) <= _PRINTED else f"{start[:_PRINTED].rstrip()} …"
            lines.append(f"{chunk.index:>4}  {chunk.tokens:>5} tokens  {cut}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{chunk.index}</td><td>{chunk.tokens:,}</td><td>{_context_html(chunk)}"
            f"<div class='qe-text'>{as_html(chunk.text)}</div></td></tr>"
            for chunk in self
        )
        head = f"<tr><th>#</th><th>tokens</th><th>{as_html(self.title)}</th></tr>"
        return f"{TABLE_STYLE}{TABLE_START}{head}{rows}</table>"


def preview(what: str | Path | Document, chunker: Chunker, embedder: Embedder, reading: ReadOptions) -> Preview:
    """Return the chunks that an ingest would make of a file, a text or a document.

    :param what: A path; a text (with white space in it, and no file of that name); or a `Document`.
    :raises ConfigurationError: There is no such file, or it is a folder.
    :raises ReadError: The file cannot be read.
    """
    require_type("what", what, (str, Path, Document), "a file, a text, or a Document")
    document = what if isinstance(what, Document) else _document(what, reading)
    chunks = list(chunk_document(document, chunker))
    around = embedder.max_tokens - embedder.chunk_budget
    lengths = embedder.token_counter.count_batch([chunk.embed_text for chunk in chunks])
    found = [
        PreviewedChunk(tokens=length + around, **asdict(chunk)) for chunk, length in zip(chunks, lengths, strict=True)
    ]
    return Preview(found, document.source, embedder.max_tokens)


def _document(what: str | Path, reading: ReadOptions) -> Document:
    if isinstance(what, str) and not _is_path(what):
        return Document(text=what, source="text")
    if Path(what).is_dir():
        raise ConfigurationError(f"{str(what)!r} is a folder; give one file of it, a text, or a Document.")
    root = find_root(what)
    found = list(walk(root, reading))
    files = [item for item in found if isinstance(item, SourceFile)]
    if len(files) != 1:
        reasons = ", ".join(item.reason for item in found if not isinstance(item, SourceFile))
        raise ReadError(f"{str(what)!r} is not one file that can be read{f' ({reasons})' if reasons else ''}")
    with Reader(reading) as reader:
        return reader.read(files[0]).document


def _is_path(text: str) -> bool:
    """Tell a path from a text: a file of that name, or one word."""
    try:
        there = Path(text).exists()
    except (OSError, ValueError):  # too long for a name, or with a NUL in it
        there = False
    return there or not any(map(str.isspace, text))


def _context_html(chunk: PreviewedChunk) -> str:
    return f"<div class='qe-place'>{as_html(chunk.context)}</div>" if chunk.context else ""
