"""The pages of a PDF: their text layer, what was written on them, and which have only images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

from qdrant_embed.errors import ReadError
from qdrant_embed.reading.archives import ENCRYPTED
from qdrant_embed.reading.parsed import Parsed, clean, given_title, one_line
from qdrant_embed.reading.pdf.annotations import annotation_lines, xfa_lines
from qdrant_embed.reading.pdf.columns import column_text
from qdrant_embed.reading.pdf.paragraphs import page_paragraphs

PAGE_BREAK = "\n\n"
DRAWN = 100
"""Paths, from which on a page without text is a drawing, or text as outlines."""
NAMED_RANGES = 12
"""Ranges of pages that a note names; of more it has the number of pages."""
OCR = "run OCR on it first, e.g. ocrmypdf"


@dataclass(slots=True)
class _Pages:
    """The texts of the pages, and the numbers of those that could not be read, from 1."""

    texts: list[str] = field(default_factory=list)
    scanned: list[int] = field(default_factory=list)
    damaged: list[int] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_pdf(data: bytes, name: str) -> Parsed:
    """Read the text layer of a PDF, column after column, and after each page the values of fields and notes on it.

    :raises ReadError: It is encrypted, broken, or has no text.
    """
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        raise ReadError(_reason(str(error))) from error
    document.init_forms()
    pages = _read(document)
    try:
        form = xfa_lines(document)
    except ReadError as error:
        form = []
        pages.notes.append(f"the form in it is not read: {error.reason}")
    if form:
        pages.texts = [*pages.texts[:-1], "\n".join(filter(None, [*pages.texts[-1:], *form]))]
    if pages.texts and not any(page.strip() for page in pages.texts):
        raise ReadError(_reason_without_text(pages))
    starts = accumulate((len(page) + len(PAGE_BREAK) for page in pages.texts[:-1]), initial=0)
    return Parsed(
        text=PAGE_BREAK.join(pages.texts),
        title=given_title(document.get_metadata_dict().get("Title", "")),
        page_starts=tuple(starts) if pages.texts else (),
        notes=tuple(_notes(document, pages)),
    )


def _read(document: Any) -> _Pages:
    pages = _Pages()
    form = document.formenv.raw if document.formenv else None
    for number in range(1, len(document) + 1):
        try:
            page = document[number - 1]
            text_page = page.get_textpage()
        except pypdfium2.PdfiumError:
            pages.damaged.append(number)
            pages.texts.append("")
            continue
        drawn = text_page.get_text_range()
        text = page_paragraphs(column_text(text_page, drawn))
        if not text.strip() and _is_drawn(page):
            pages.scanned.append(number)
        written = [clean(line) for line in annotation_lines(page, text_page, drawn, form)]
        pages.texts.append("\n".join([*([text] if text.strip() else []), *written]) if written else text)
        text_page.close()
        page.close()
    return pages


def _is_drawn(page: Any) -> bool:
    """Tell whether a page has an image on it, or as many lines as letters that are drawn."""
    paths = 0
    for item in page.get_objects(max_depth=5):
        if item.type in (pdfium.FPDF_PAGEOBJ_IMAGE, pdfium.FPDF_PAGEOBJ_SHADING):
            return True
        paths += item.type == pdfium.FPDF_PAGEOBJ_PATH
        if paths >= DRAWN:
            return True
    return False


def _reason_without_text(pages: _Pages) -> str:
    count = len(pages.texts)
    readable = count - len(pages.damaged)
    if not readable:
        return f"broken PDF: none of its {count} pages can be read"
    said = f"no text on {readable} of its {count} pages, and the others are damaged" if pages.damaged else ""
    said = said or f"no text on its {count} pages"
    return f"{said}: it may be scanned; {OCR}" if pages.scanned else f"{said}, and no images"


def _notes(document: Any, pages: _Pages) -> Iterator[str]:
    count = len(pages.texts)
    yield from pages.notes
    if pages.scanned:
        have = "has no text: it" if len(pages.scanned) == 1 else "have no text: they"
        yield f"{_numbers(pages.scanned)} of {count} {have} may be scanned; {OCR}"
    if pages.damaged:
        yield f"{_numbers(pages.damaged)} of {count} cannot be read: damaged"
    names = [one_line(document.get_attachment(at).get_name()) for at in range(document.count_attachments())]
    if names:
        yield f"attached files are not read: {', '.join(names)}"


def _numbers(numbers: Sequence[int]) -> str:
    """Return numbers of pages as ranges, such as `pages 2-5, 9`."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and ranges[-1][-1] == number - 1:
            ranges[-1] = [ranges[-1][0], number]
        else:
            ranges.append([number])
    listed = ", ".join("-".join(map(str, ends)) for ends in ranges[:NAMED_RANGES])
    if len(ranges) > NAMED_RANGES:
        return f"{len(numbers)} pages ({listed} …)"
    return f"{'page' if len(numbers) == 1 else 'pages'} {listed}"


def _reason(error: str) -> str:
    if "password" in error.lower():
        return ENCRYPTED
    return f"broken PDF: {error}"
