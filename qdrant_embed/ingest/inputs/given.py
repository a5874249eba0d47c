"""What was handed over: paths, one document, an iterable of them, or a data frame."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sized
from itertools import chain, islice
from pathlib import Path
from typing import Any, TypeAlias

from qdrant_embed.errors import ConfigurationError
from qdrant_embed.ingest.inputs.items import WRAP, Items, RefusedItem, is_foreign, is_missing
from qdrant_embed.ingest.options import SOURCE_COLUMN, IngestOptions
from qdrant_embed.types import Document

WRAP_TEXTS = f"Wrap texts: {WRAP}."
Paths: TypeAlias = list[str | Path]
_EXPECTED = (
    "expected a folder, a file, a glob such as 'docs/**/*.md', a list of these, documents (ours, LlamaIndex's, "
    f"LangChain's, Haystack's), dicts with a 'text', or a data frame. {WRAP_TEXTS}"
)


class Stream:
    """The user's items as documents and refusals, converted as they are asked for.

    An error of the user's own iterable ends the stream; it is kept in `error`, so that what came before it is stored.
    """

    def __init__(self, items: Iterable[object], options: IngestOptions) -> None:
        self._items = items
        self._convert = Items(options.text_column, options.source_column)
        self.error: Exception | None = None
        self.total = len(items) if isinstance(items, Sized) else None

    def __iter__(self) -> Iterator[Document | RefusedItem]:
        try:
            for item in self._items:
                yield self._convert.document(item)
        except Exception as error:
            self.error = error


def given(what: Any, options: IngestOptions) -> Paths | Stream:
    """Say what was handed over: paths, or anything else as a stream of documents.

    :raises ConfigurationError: It is nothing that can be ingested.
    """
    if isinstance(what, (str, os.PathLike)):
        return _paths([what])
    if isinstance(what, (Document, Mapping)) or is_foreign(what):
        return Stream([what], options)
    if _is_frame(what):
        return Stream(_rows(what, options), options)
    if isinstance(what, (bytes, bytearray)) or not isinstance(what, Iterable):
        raise ConfigurationError(f"a {type(what).__name__} ({what!r:.40}) cannot be ingested; {_EXPECTED}")
    if isinstance(what, (list, tuple)) and not (what and isinstance(what[0], (str, os.PathLike))):
        return Stream(what, options)
    items = iter(what)
    first = list(islice(items, 1))
    if first and isinstance(first[0], (str, os.PathLike)):
        return _paths([*first, *items])
    return Stream(chain(first, items), options)


def split_label(path: str | Path) -> tuple[str | None, str | Path]:
    """Return the label of a path written as `label=path`, None if it has none, and the path."""
    label, equals, rest = str(path).partition("=")
    if isinstance(path, Path) or not equals or not label or not rest or os.sep in label or os.path.lexists(path):
        return None, path
    return label, rest


def _paths(items: list[Any]) -> Paths:
    for place, item in enumerate(items):
        if not isinstance(item, (str, os.PathLike)):
            raise ConfigurationError(
                f"item {place} is a {type(item).__name__} among paths; give paths or documents, not both at once. "
                f"{WRAP_TEXTS}"
            )
    return [item if isinstance(item, str) else Path(os.fsdecode(item)) for item in items]


def _is_frame(what: Any) -> bool:
    return hasattr(what, "columns") and (hasattr(what, "itertuples") or hasattr(what, "iter_rows"))


def _rows(frame: Any, options: IngestOptions) -> Iterator[dict[str, Any]]:
    """Return the rows of a data frame (pandas, polars) as dicts without their empty cells.

    :raises ConfigurationError: It has no such column, or two of one name.
    """
    columns = [str(column) for column in frame.columns]
    twice = sorted({column for column in columns if columns.count(column) > 1})
    if twice:
        raise ConfigurationError(
            f"the data frame has several columns {twice[0]!r}, of which one would be lost; give each a name of its own"
        )
    for name, column, needed in (
        ("text_column", options.text_column, True),
        ("source_column", options.source_column, options.source_column != SOURCE_COLUMN),
    ):
        if needed and column not in columns:
            raise ConfigurationError(
                f"the data frame has no column {column!r}, but {', '.join(map(repr, columns))}; name the right one: "
                f"{name}=…"
            )
    return _dicts(frame, columns, options)


def _dicts(frame: Any, columns: list[str], options: IngestOptions) -> Iterator[dict[str, Any]]:
    pandas = hasattr(frame, "itertuples")
    rows = frame.itertuples(index=False, name=None) if pandas else frame.iter_rows()
    labels = frame.index if pandas else range(len(frame))
    kept = {options.text_column, options.source_column} & set(columns)
    for label, row in zip(labels, rows, strict=True):
        cells = dict(zip(columns, row, strict=True))
        found = {name: cell for name, cell in cells.items() if name in kept or not is_missing(cell)}
        yield {options.source_column: f"row {label}", **found}
