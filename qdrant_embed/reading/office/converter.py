"""markitdown's converters, called one by one, and their Markdown made plain."""

from __future__ import annotations

import io
import re
from typing import Any

from markitdown import StreamInfo, converters

from qdrant_embed.reading.parsed import single_blank_lines

IMAGE = re.compile(r"!\[([^\]]*)\]\(([^)]*)\)")
OPTIONS = {
    "escape_asterisks": False,
    "escape_underscores": False,
    "strip": ["a"],
    "style_map": "p[style-name='Title'] => h1:fresh",
}
"""For markdownify: a model reads no escapes, and addresses of links are noise to it. For mammoth: a title is one."""


class Slides(converters.PptxConverter):
    """The converter of slides; what follows a chart begins a line of its own."""

    def _convert_chart_to_markdown(self, chart: Any) -> str:
        table = super()._convert_chart_to_markdown(chart)  # type: ignore[no-untyped-call]
        return f"{table}\n\n"


def convert(extension: str, data: bytes) -> str:
    """Call one converter; the `MarkItDown` class would load a model to guess the format, and open a web session."""
    known = {".docx": converters.DocxConverter, ".pptx": Slides}
    converter = known[extension]()  # type: ignore[no-untyped-call]
    return converter.convert(io.BytesIO(data), StreamInfo(), **OPTIONS).markdown


def tidy(markdown: str) -> str:
    """Return Markdown without addresses of images and without runs of blank lines."""
    return single_blank_lines(IMAGE.sub(_description, markdown))


def _description(image: re.Match[str]) -> str:
    """Return an image's description; what markitdown made of its name, such as `Picture 4`, is none."""
    named_only = image[2] == re.sub(r"\W", "", image[1]) + ".jpg"
    return "" if named_only else image[1]
