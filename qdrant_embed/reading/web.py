"""HTML as Markdown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from qdrant_embed.reading.parsed import Parsed, clean, one_line
from qdrant_embed.reading.plain import first_heading

if TYPE_CHECKING:
    from bs4 import BeautifulSoup, Tag

NOT_TEXT = ("script", "style", "noscript", "template", "svg", "iframe", "canvas", "object", "button", "select", "form")
NOT_SHOWN = "[hidden], [role=navigation], [role=search], nav, span[aria-hidden=true], a[aria-hidden=true]"
"""The last two are what sites hide from screen readers: anchors of headings, formulas set a second time."""
AROUND_THE_TEXT = ("footer", "aside")
MAIN_PARTS = ("#mw-content-text", "main", "[role=main]")
"""MediaWiki, the most common wiki, puts its lists of languages and tools inside `main`."""
MANY_BLANK_LINES = re.compile(r"\n{3,}")
TRAILING_SPACE = re.compile(r"[ \t]+$", re.MULTILINE)


def read_html(data: bytes, name: str) -> Parsed:
    """Read a page: its main part as Markdown, without scripts, styles, navigation, and addresses of links.

    Addresses of links and images are left out: they say little, and would be a large part of the text to embed.
    """
    soup = _soup(data)
    title = one_line(soup.title.get_text()) if soup.title else ""
    text = html_to_markdown(soup)
    return Parsed(text=text, title=title or first_heading(text), text_type="text/markdown")


def fragment_to_markdown(html: str) -> str:
    """Return a piece of HTML, as in a mail or a feed, as Markdown."""
    return html_to_markdown(_soup(html))


def html_to_markdown(soup: BeautifulSoup) -> str:
    """Return the main part of a page as Markdown."""
    heading = soup.find("h1")
    for tag in [*soup(NOT_TEXT), *soup.select(NOT_SHOWN)]:
        tag.decompose()
    main = _main(soup)
    if heading is not None and not heading.decomposed and main.find("h1") is None:
        main.insert(0, heading)
    try:
        text = _converter().convert_soup(main)
    except RecursionError:  # nested deeper than any page made by hand
        text = main.get_text("\n", strip=True)
    text = clean(text).replace("\u200b", "")
    return MANY_BLANK_LINES.sub("\n\n", TRAILING_SPACE.sub("", text)).strip("\n")


def _soup(html: bytes | str) -> BeautifulSoup:
    from bs4 import BeautifulSoup

    return BeautifulSoup(html, "lxml")


def _main(soup: BeautifulSoup) -> Tag:
    """Find what the page is about: its `main` element, else its only `article`, else all but what stands around."""
    articles = soup("article")
    for candidate in (*map(soup.select_one, MAIN_PARTS), articles[0] if len(articles) == 1 else None):
        if candidate is not None and candidate.get_text(strip=True):
            return candidate
    for tag in soup(AROUND_THE_TEXT):
        tag.decompose()
    return soup.body or soup


def _converter() -> Any:
    from markdownify import ATX, MarkdownConverter

    class Converter(MarkdownConverter):
        """Markdown for reading by a model: no addresses, no escapes."""

        def convert_a(self, el: Tag, text: str, parent_tags: set[str]) -> str:
            return text

        def convert_img(self, el: Tag, text: str, parent_tags: set[str]) -> str:
            return str(el.get("alt") or "")

    return Converter(
        heading_style=ATX, bullets="-", escape_asterisks=False, escape_underscores=False, table_infer_header=True
    )
