"""Jupyter notebooks as Markdown: text cells as they stand, code and its text output in fences."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from qdrant_embed.errors import ReadError
from qdrant_embed.reading.decoding import decode
from qdrant_embed.reading.parsed import Parsed, clean
from qdrant_embed.reading.plain import markdown_title
from qdrant_embed.types import Json

TERMINAL_CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def read_notebook(data: bytes, name: str) -> Parsed:
    """Read a notebook of format 3 or 4.

    :raises ReadError: It is no notebook.
    """
    try:
        notebook = json.loads(decode(data))
        cells = notebook["cells"] if "cells" in notebook else notebook["worksheets"][0]["cells"]
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise ReadError("it is no notebook: there are no cells in it") from error
    about = notebook.get("metadata", {})
    language = about.get("language_info", {}).get("name") or about.get("kernelspec", {}).get("language") or "python"
    text = clean("\n\n".join(part for cell in cells for part in _parts(cell, language) if part.strip()))
    return Parsed(text=text, title=str(about.get("title") or markdown_title(text)), text_type="text/markdown")


def _parts(cell: Mapping[str, Json], language: str) -> Iterator[str]:
    source = _joined(cell.get("source", cell.get("input")))
    if cell.get("cell_type") != "code":
        yield source
        return
    if source.strip():
        yield _fenced(source, language)
    outputs = [_output(output) for output in cell.get("outputs") or []]
    printed = "\n".join(output for output in outputs if output.strip())
    if printed:
        yield _fenced(TERMINAL_CODES.sub("", printed), "text")


def _output(output: Mapping[str, Json]) -> str:
    """Return what a reader of the notebook would see as text; for an error, its message and not the whole trace."""
    if output.get("output_type") in ("error", "pyerr"):
        return f"{output.get('ename', 'Error')}: {output.get('evalue', '')}"
    shown = output.get("data") or {}
    return _joined(output.get("text") or shown.get("text/markdown") or shown.get("text/plain")).rstrip("\n")


def _joined(source: Json) -> str:
    return "".join(source) if isinstance(source, list) else source or ""


def _fenced(text: str, language: str) -> str:
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{text.strip(chr(10))}\n{fence}"
