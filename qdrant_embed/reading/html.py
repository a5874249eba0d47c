"""HTML as Markdown."""

from __future__ import annotations

import html
import re
import warnings
from typing import Any

from bs4 import BeautifulSoup, Tag
from markdownify import ATX, MarkdownConverter

from qdrant_embed.reading.page import keep_what_is_read
from qdrant_embed.reading.parsed import Parsed, clean, one_line, single_blank_lines
from qdrant_embed.reading.text import first_heading
from qdrant_embed.reading.text_encoding import Decoded, decode, markup_encoding

TRAILING_SPACE = re.compile(r"[ \t]+$", re.MULTILINE)
XHTML_START = re.compile(r"\s*<\?xml")
CDATA = re.compile(r"<!\[CDATA\[(.*?)\]\]>", re.DOTALL)
BLOCKS = frozenset(
    (
        *("address", "aside", "body", "canvas", "center", "details", "dialog", "dir", "fieldset", "footer"),
        *("foreignobject", "form", "frameset", "header", "hgroup", "iframe", "legend", "main", "menu", "nav"),
        *("noframes", "noscript", "object", "output", "search", "summary", "svg", "text", "textarea", "template"),
    )
)
"""Elements that stand apart from the text around them, beside those that the converter knows."""
SPACED = frozenset(("button", "tspan", "meter", "progress"))
INPUTS_WITHOUT_TEXT = frozenset(("hidden", "password", "checkbox", "radio", "file", "image", "range", "color"))


def read_html(data: bytes, name: str, declared: str = "") -> Parsed:
    """Read a page: what a reader of it sees as Markdown, without scripts, styles, navigation, and addresses of links.

    Addresses of links and images are left out: they say little, and would be a large part of the text to embed.

    :param declared: Encoding that stands outside of the page, as in the header of a mail.
    """
    return read_page(decode(data, declared or markup_encoding(data)))


def read_page(decoded: Decoded) -> Parsed:
    """Read a page that is decoded, see `read_html`."""
    soup = _soup(decoded.text)
    heading = soup.find("title")
    title = one_line(heading.get_text()) if heading is not None and heading.find_parent("svg") is None else ""
    notes = keep_what_is_read(soup)
    text = _markdown(soup)
    return decoded.parsed(text, title=title or first_heading(text), text_type="text/markdown", notes=tuple(notes))


def fragment_to_markdown(markup: str | bytes) -> str:
    """Return a piece of HTML, as in a mail, a feed or a book, as Markdown: all of it, for nothing stands around it."""
    if isinstance(markup, bytes):
        markup = decode(markup, markup_encoding(markup)).text
    soup = _soup(markup)
    keep_what_is_read(soup, whole=True)
    return _markdown(soup)


def _soup(markup: str) -> BeautifulSoup:
    if XHTML_START.match(markup):
        markup = CDATA.sub(lambda section: html.escape(section[1]), markup)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that XHTML is read as HTML, that a line looks like the name of a file
        return BeautifulSoup(markup, "lxml")


def _markdown(soup: BeautifulSoup) -> str:
    main = soup.body or soup
    converter = _Converter(
        heading_style=ATX, bullets="-", escape_asterisks=False, escape_underscores=False, table_infer_header=True
    )
    try:
        text = converter.convert_soup(main)
    except RecursionError:  # nested deeper than any page made by hand; each piece of text is a line
        text = "\n".join(" ".join(piece.split()) for piece in main.stripped_strings)
    text = clean(text).replace("\u200b", "")
    return single_blank_lines(TRAILING_SPACE.sub("", text))


class _Converter(MarkdownConverter):
    """Markdown for reading by a model: no addresses, no escapes."""

    def get_conv_fn(self, tag_name: str) -> Any:
        known = "div" if tag_name in BLOCKS else "label" if tag_name in SPACED else tag_name
        return super().get_conv_fn(known)  # type: ignore[misc]

    def convert_a(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return text

    def convert_img(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return one_line(str(el.get("alt") or ""))

    def convert_label(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return f" {text.strip()} " if text.strip() else ""

    def convert_select(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return f" {text.strip(', ')} "

    def convert_option(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return f"{text.strip()}, " if text.strip() else ""

    def convert_input(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        shown = el.get("type") not in INPUTS_WITHOUT_TEXT
        return f" {one_line(str(el.get('value') or ''))} " if shown else ""
