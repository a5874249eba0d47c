"""DOCX, PPTX and EPUB as Markdown, by markitdown's converters."""

from __future__ import annotations

import io
import re
from itertools import accumulate
from typing import TYPE_CHECKING

from qdrant_embed.reading.archives import core_title, open_archive
from qdrant_embed.reading.parsed import Parsed, clean
from qdrant_embed.reading.plain import first_heading

if TYPE_CHECKING:
    from markitdown import DocumentConverterResult

SLIDE = re.compile(r"\n*<!-- Slide number: \d+ -->\n")
IMAGE = re.compile(r"!\[([^\]]*)\]\(([^)]*)\)")
MANY_BLANK_LINES = re.compile(r"\n{3,}")
OPTIONS = {
    "escape_asterisks": False,
    "escape_underscores": False,
    "strip": ["a"],
    "style_map": "p[style-name='Title'] => h1:fresh",
}
"""For markdownify: a model reads no escapes, and addresses of links are noise to it. For mammoth: a title is one."""


def read_docx(data: bytes, name: str) -> Parsed:
    """Read a text document, formulas as LaTeX."""
    archive = open_archive(data)
    text = _tidy(_convert("DocxConverter", data).markdown)
    return Parsed(text=text, title=core_title(archive) or first_heading(text), text_type="text/markdown")


def read_pptx(data: bytes, name: str) -> Parsed:
    """Read slides; each is a page."""
    archive = open_archive(data)
    slides = [_tidy(slide) for slide in SLIDE.split("\n" + _convert("PptxConverter", data).markdown)[1:]]
    starts = accumulate((len(slide) + 2 for slide in slides[:-1]), initial=0)
    text = "\n\n".join(slides)
    title = core_title(archive) or first_heading(text)
    return Parsed(text=text, title=title, text_type="text/markdown", page_starts=tuple(starts) if slides else ())


def read_epub(data: bytes, name: str) -> Parsed:
    """Read a book, chapters in the order of its spine."""
    open_archive(data)
    book = _convert("EpubConverter", data)
    return Parsed(text=_tidy(book.markdown), title=book.title or "", text_type="text/markdown")


def _convert(converter: str, data: bytes) -> DocumentConverterResult:
    """Call one converter; the `MarkItDown` class would load a model to guess the format, and open a web session."""
    from markitdown import StreamInfo, converters

    result: DocumentConverterResult = getattr(converters, converter)().convert(
        io.BytesIO(data), StreamInfo(), **OPTIONS
    )
    return result


def _tidy(markdown: str) -> str:
    return MANY_BLANK_LINES.sub("\n\n", IMAGE.sub(_description, clean(markdown))).strip("\n")


def _description(image: re.Match[str]) -> str:
    """Return an image's description; what markitdown made of its name, such as `Picture 4`, is none."""
    named_only = image[2] == re.sub(r"\W", "", image[1]) + ".jpg"
    return "" if named_only else image[1]
