"""Slides of a PPTX as Markdown, by python-pptx: shapes from top to bottom, groups, tables, charts and notes."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import Any

import pptx
from defusedxml.ElementTree import fromstring
from pptx.enum.shapes import MSO_SHAPE_TYPE

from qdrant_embed.reading.office.drawings import chart_text
from qdrant_embed.reading.parsed import clean, one_line, single_blank_lines


def slide_texts(data: bytes, notes: list[str]) -> Iterator[str]:
    """Yield the text of each slide; a shape that cannot be read is told on `notes`, and the others are read."""
    for number, slide in enumerate(pptx.Presentation(io.BytesIO(data)).slides, start=1):
        parts = list(_shapes(_in_order(slide.shapes), slide.shapes.title, notes, f"slide {number}"))
        said = slide.notes_slide.notes_text_frame if slide.has_notes_slide else None
        if said is not None and said.text.strip():
            parts.append(f"\n### Notes:\n{said.text}")
        yield single_blank_lines(clean("\n".join(parts)))


def _in_order(shapes: Iterable[Any]) -> list[Any]:
    """Return shapes as people read them; those without a place of their own, such as titles, first."""
    return sorted(shapes, key=lambda shape: [-(2**63) if at is None else at for at in (shape.top, shape.left)])


def _shapes(shapes: Iterable[Any], title: Any, notes: list[str], where: str) -> Iterator[str]:
    for shape in shapes:
        try:
            parts = list(_parts(shape, title, notes, where))
        except Exception as error:  # python-pptx stumbles over much that PowerPoint does not mind
            notes.append(f"{where}: a shape is read as plain paragraphs: {one_line(str(error))[:200]}")
            continue
        yield from parts


def _parts(shape: Any, title: Any, notes: list[str], where: str) -> Iterator[str]:
    description = one_line(shape._element._nvXxPr.cNvPr.get("descr", ""))  # no public name for it
    if description and _is_picture(shape):
        yield f"\n{description}\n"
    if getattr(shape, "has_table", False):
        yield f"\n{_table(shape.table)}\n"
    if getattr(shape, "has_chart", False):
        yield f"\n{chart_text(fromstring(shape.chart.part.blob))}\n"
    elif shape.has_text_frame:
        is_title = title is not None and shape.shape_id == title.shape_id
        text = shape.text_frame.text.replace("\v", "\n").rstrip()
        if text:
            yield f"# {one_line(text)}" if is_title else text
    if shape.shape_type == MSO_SHAPE_TYPE.GROUP:
        yield from _shapes(_in_order(shape.shapes), title, notes, where)


def _is_picture(shape: Any) -> bool:
    return shape.shape_type == MSO_SHAPE_TYPE.PICTURE or (
        shape.shape_type == MSO_SHAPE_TYPE.PLACEHOLDER and hasattr(shape, "image")
    )


def _table(table: Any) -> str:
    rows = [[one_line(cell.text) for cell in row.cells] for row in table.rows]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    lines[1:1] = [f"|{' --- |' * len(rows[0])}"] if rows else []
    return "\n".join(lines)
