"""RSS and Atom feeds as Markdown, other XML as lines of text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from qdrant_embed.errors import ReadError
from qdrant_embed.reading.decoding import decode, markup_encoding
from qdrant_embed.reading.parsed import Parsed, one_line
from qdrant_embed.reading.sheets.legacy import read_spreadsheet_xml
from qdrant_embed.reading.web import fragment_to_markdown, read_html

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

WORKBOOK = "{urn:schemas-microsoft-com:office:spreadsheet}Workbook"
XHTML = "{http://www.w3.org/1999/xhtml}html"
BODIES = ("encoded", "content", "description", "summary")
"""Where an item's text stands, the fullest first."""
DATES = ("pubDate", "published", "date", "updated")


def read_xml(data: bytes, name: str) -> Parsed:
    """Read a feed, item by item, or the text of any other XML.

    :raises ReadError: It is not well-formed, or declares entities of its own.
    """
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import ParseError, fromstring

    decoded = decode(data, markup_encoding(data))
    try:
        root = fromstring(decoded.text)
    except ParseError as error:
        raise ReadError(f"broken XML: {error}") from error
    except DefusedXmlException as error:
        raise ReadError("the XML declares entities, which can be used to attack; remove them") from error
    if root.tag == WORKBOOK:
        return read_spreadsheet_xml(data, name)
    if root.tag == XHTML:
        return read_html(data, name)
    if _name(root) in ("rss", "RDF", "feed"):
        text, title = _feed(root)
        return decoded.parsed(text, title=title, text_type="text/markdown")
    return decoded.parsed("\n".join(_lines(root)).strip("\n"))


def _feed(root: Element) -> tuple[str, str]:
    """Return a feed as Markdown, and its title."""
    channel = next((child for child in root if _name(child) == "channel"), root)
    title = _field(channel, "title")
    parts = [f"# {title}" if title else "", _markup(channel, ("description", "subtitle"))]
    parts += [_item(element) for element in root.iter() if _name(element) in ("item", "entry")]
    return "\n\n".join(part for part in parts if part), title


def _item(item: Element) -> str:
    lines = [_field(item, *DATES), _link(item)]
    about = "\n".join(line for line in lines if line)
    return "\n\n".join(
        part for part in (f"## {_field(item, 'title') or 'Untitled'}", about, _markup(item, BODIES)) if part
    )


def _field(element: Element, *names: str) -> str:
    for name in names:
        for child in element:
            if _name(child) == name and (text := one_line("".join(child.itertext()))):
                return text
    return ""


def _link(item: Element) -> str:
    """Return the item's address: RSS has it as text, Atom in `href`, where one without `rel` is the page itself."""
    links = [child for child in item if _name(child) == "link" and child.get("rel", "alternate") == "alternate"]
    return next((link.get("href") or (link.text or "").strip() for link in links), "")


def _markup(element: Element, names: tuple[str, ...]) -> str:
    for name in names:
        for child in element:
            if _name(child) == name and (text := "".join(child.itertext()).strip()):
                return fragment_to_markdown(text) if len(child) == 0 else one_line(text)
    return ""


def _lines(root: Element) -> Iterator[str]:
    """Yield a line for each innermost element, named by its tag, and for each that mixes text with elements."""
    waiting = [root]
    while waiting:
        element = waiting.pop()
        mixed = any(part and part.strip() for part in (element.text, *(child.tail for child in element)))
        yield from _attributes(element)
        if mixed or not len(element):
            text = one_line("".join(element.itertext()))
            if text:
                yield text if len(element) else f"{_name(element)}: {text}"
            for inner in element.iter() if len(element) else ():
                yield from _attributes(inner) if inner is not element else ()
        else:
            waiting.extend(reversed(element))


def _attributes(element: Element) -> Iterator[str]:
    """Yield the attributes of an element, of which a record of many formats is made; a blank line ends a record."""
    lines = [f"{name.rpartition('}')[2]}: {one_line(value)}" for name, value in element.attrib.items() if value.strip()]
    yield from (*([""] if len(lines) > 1 else []), *lines)


def _name(element: Element) -> str:
    """Return a tag without its namespace; comments have none."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
