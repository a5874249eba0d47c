"""Jupyter notebooks as Markdown: text cells as they stand, code and its text output in fences."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from qdrant_embed.errors import ReadError
from qdrant_embed.reading.notebook.outputs import joined, outputs_text
from qdrant_embed.reading.parsed import Parsed, clean
from qdrant_embed.reading.text import markdown_title
from qdrant_embed.reading.text_encoding import decode

DATA_ADDRESS = re.compile(r"\(\s*<?data:[^)\s]*[^)]*\)")
"""An image that is written into the text of a cell, as a Markdown link."""
NAMES = {dict: "an object", list: "a list", str: "a text", int: "a number", float: "a number", type(None): "null"}


def read_notebook(data: bytes, name: str) -> Parsed:
    """Read a notebook of format 2, 3 or 4; where it holds something other than is expected there, the rest is read.

    :raises ReadError: It is broken JSON, or no notebook.
    """
    decoded = decode(data)
    if not decoded.text.strip():
        return decoded.parsed("")
    notebook = _loaded(decoded.text)
    cells = _cells(notebook)
    about = _mapping(notebook.get("metadata"))
    language = _language(about)
    kept = [cell for cell in cells if isinstance(cell, dict)]
    parts = [part for cell in kept for part in _parts(cell, language, about) if part.strip()]
    odd = len(cells) - len(kept)
    notes = (f"{odd} of its {len(cells)} cells are no cells, and are left out",) if odd else ()
    text = clean("\n\n".join(parts))
    title = about.get("title")
    title = title if isinstance(title, str) and title else markdown_title(text)
    return decoded.parsed(text, title=title, text_type="text/markdown", notes=notes)


def _loaded(text: str) -> dict[str, Any]:
    try:
        notebook = json.loads(text, strict=False)
    except json.JSONDecodeError as error:
        raise ReadError(f"broken JSON: line {error.lineno}, column {error.colno}: {error.msg}") from error
    except (RecursionError, ValueError) as error:
        raise ReadError(
            f"broken JSON: {'nested too deeply' if isinstance(error, RecursionError) else error}"
        ) from error
    if not isinstance(notebook, dict):
        raise ReadError(f"it is no notebook: it holds {NAMES.get(type(notebook), 'a value')}, not an object with cells")
    return notebook


def _cells(notebook: Mapping[str, Any]) -> list[Any]:
    """Return the cells, which stood in worksheets before format 4."""
    sheets = notebook.get("worksheets")
    found = [notebook.get("cells")] if "cells" in notebook else []
    found += [_mapping(sheet).get("cells") for sheet in sheets] if isinstance(sheets, list) else []
    cells: list[Any] = []
    for group in found:
        if isinstance(group, dict):
            cells += [group] if "cell_type" in group else group.values()
        else:
            cells += group if isinstance(group, list) else []
    if not found or (not cells and not any(isinstance(group, list) for group in found)):
        raise ReadError("it is no notebook: there are no cells in it")
    return cells


def _language(about: Mapping[str, Any]) -> str:
    places = (("language_info", "name"), ("kernelspec", "language"), ("kernel_info", "language"))
    names = [_mapping(about.get(place)).get(key) for place, key in places]
    return next((name for name in names if isinstance(name, str) and name), "python")


def _parts(cell: Mapping[str, Any], language: str, about: Mapping[str, Any]) -> Iterator[str]:
    source = joined(cell.get("source", cell.get("input")))
    if cell.get("cell_type") == "heading":
        level = cell.get("level")
        yield f"{'#' * (level if isinstance(level, int) and 1 <= level <= 6 else 1)} {source}"
        return
    if cell.get("cell_type") != "code":
        yield DATA_ADDRESS.sub("()", source)
        return
    if source.strip():
        own = cell.get("language")
        yield _fenced(source, own if isinstance(own, str) and own else language)
    printed = outputs_text(cell.get("outputs"), _mapping(about.get("widgets")))
    if printed:
        yield _fenced(printed, "text")


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _fenced(text: str, language: str) -> str:
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{text.strip(chr(10))}\n{fence}"
