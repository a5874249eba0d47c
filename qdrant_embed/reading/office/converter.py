"""The body of a DOCX as Markdown: mammoth makes HTML of it, and markdownify Markdown of that."""

from __future__ import annotations

import io
import re
from typing import Any

import mammoth
from bs4 import BeautifulSoup
from markdownify import ATX, MarkdownConverter

from qdrant_embed.reading.parsed import one_line, single_blank_lines

IMAGE = re.compile(r"!\[([^\]]*)\]\([^)]*\)")
STYLES = ("p[style-name='Title'] => h1:fresh", "u => u")
"""What mammoth maps beside its own rules: a title is a heading, and what is underlined stays so."""


class _Markdown(MarkdownConverter):
    """Markdown for a model: it reads no escapes, and addresses of links are noise to it."""

    def __init__(self) -> None:
        super().__init__(heading_style=ATX, strip=["a"], escape_asterisks=False, escape_underscores=False)

    def convert_input(self, element: Any, text: str, parent_tags: Any) -> str:
        """Return a box to tick, ticked or not."""
        return ("[x] " if element.has_attr("checked") else "[ ] ") if element.get("type") == "checkbox" else ""

    def convert_u(self, element: Any, text: str, parent_tags: Any) -> str:
        """Keep what is underlined, for which Markdown has no sign."""
        inner = text.strip()
        return text.replace(inner, f"<u>{inner}</u>") if inner else text


def docx_markdown(data: bytes) -> str:
    """Return the body of a text document, without addresses of images."""
    file = io.BytesIO(data)
    styles = "\n".join(filter(None, (*STYLES[:1], mammoth.read_embedded_style_map(file), *STYLES[1:])))
    made = mammoth.convert_to_html(file, style_map=styles, include_embedded_style_map=False).value
    markdown: str = _Markdown().convert_soup(BeautifulSoup(made, "html.parser"))
    return single_blank_lines(IMAGE.sub(lambda image: one_line(image[1]), markdown.strip()))
