"""RSS and Atom feeds as Markdown, other XML as lines of text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from qdrant_embed.reading.growth import joined
from qdrant_embed.reading.html import fragment_to_markdown, read_page
from qdrant_embed.reading.markup import local_name, xml_tree
from qdrant_embed.reading.parsed import Parsed, letters, one_line
from qdrant_embed.reading.spreadsheets.xls import spreadsheet_text
from qdrant_embed.reading.text_encoding import decode, markup_encoding

WORKBOOK = "{urn:schemas-microsoft-com:office:spreadsheet}Workbook"
XHTML = "{http://www.w3.org/1999/xhtml}html"
BODIES = ("encoded", "content", "description", "summary")
"""Where an item's text stands, the fullest first."""
DATES = ("pubDate", "published", "date", "updated")
WRITTEN = frozenset((*BODIES, *DATES, "title"))
MACHINE_FIELDS = frozenset(("guid", "id", "email", "uri", "link", "commentRss", "source"))
NAMING = ("title", "label", "term", "alt")
"""Attributes that are written for people."""
ADDRESS = re.compile(r"(?:https?://|mailto:|urn:)\S*$")
ATOM = "{http://www.w3.org/2005/Atom}"
TAG = re.compile(r"</?[a-zA-Z][^<>]*>|&[a-z]+;")
LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"


def read_xml(data: bytes, name: str) -> Parsed:
    """Read a feed, item by item, or the text of any other XML.

    :raises ReadError: It declares entities of its own.
    """
    decoded = decode(data, markup_encoding(data))
    if not decoded.text.strip():
        return decoded.parsed("")
    root, problem = xml_tree(decoded.text)
    notes = (problem,) if problem else ()
    if root.tag == WORKBOOK or (problem and local_name(root) == "Workbook"):
        return decoded.parsed(spreadsheet_text(root), text_type="text/markdown", notes=notes)
    if root.tag == XHTML or (problem and local_name(root) == "html"):
        return read_page(decoded)
    if local_name(root) in ("rss", "RDF", "feed"):
        text, title = _feed(root)
        return decoded.parsed(text, title=title, text_type="text/markdown", notes=notes)
    return decoded.parsed(joined(_lines(root), "\n").strip("\n"), notes=notes)


def _feed(root: Element) -> tuple[str, str]:
    """Return a feed as Markdown, and its title."""
    channel = next((child for child in root if local_name(child) == "channel"), root)
    title = _field(channel, "title")
    parts = [f"# {title}" if title else "", _markup(channel, ("description", "subtitle"))]
    parts += [_item(element) for element in root.iter() if local_name(element) in ("item", "entry")]
    return "\n\n".join(part for part in parts if part), title


def _item(item: Element) -> str:
    about = "\n".join(filter(None, (_field(item, *DATES), _link(item), *_besides(item))))
    return "\n\n".join(filter(None, (f"## {_field(item, 'title') or 'Untitled'}", about, *_bodies(item))))


def _bodies(item: Element) -> Iterator[str]:
    """Yield the item's text, the fullest first, and of the others those that say something else."""
    said = ""
    named = (child for name in BODIES for child in item if local_name(child) == name and not _is_media(child))
    for child in named:
        text = _shown(child, "".join(child.itertext()).strip())
        words = letters(text)
        if words not in said:
            yield text
        said += words


def _besides(item: Element) -> Iterator[str]:
    """Yield what else is said of an item: its author, its subjects, names of its pictures; no addresses."""
    title = _field(item, "title")
    for element in (inner for child in item if not _is_written(child, title) for inner in child.iter()):
        name = local_name(element)
        said = (one_line(text or "") for text in (element.text, *map(element.get, NAMING)))
        if name not in MACHINE_FIELDS:
            yield from (f"{name}: {text}" for text in dict.fromkeys(said) if text and not ADDRESS.match(text))


def _is_written(child: Element, title: str) -> bool:
    """Tell whether a part of an item stands in its heading, under it, or in its text."""
    name = local_name(child)
    if name == "title":
        return one_line("".join(child.itertext())) == title
    return name in WRITTEN and not _is_media(child)


def _is_media(child: Element) -> bool:
    """Tell a picture or a film, which Media RSS calls `content`, with its title and description in it."""
    return local_name(child) == "content" and "url" in child.attrib


def _field(element: Element, *names: str) -> str:
    for name in names:
        for child in element:
            if local_name(child) == name and (text := one_line("".join(child.itertext()))):
                return text
    return ""


def _link(item: Element) -> str:
    """Return the item's address: RSS has it as text, Atom in `href`, where one without `rel` is the page itself."""
    links = [child for child in item if local_name(child) == "link" and child.get("rel", "alternate") == "alternate"]
    return next((link.get("href") or (link.text or "").strip() for link in links), "")


def _markup(element: Element, names: tuple[str, ...]) -> str:
    for name in names:
        for child in element:
            if local_name(child) == name and (text := "".join(child.itertext()).strip()):
                return _shown(child, text)
    return ""


def _shown(element: Element, text: str) -> str:
    """Return HTML as Markdown, whether it is written as text or as elements, as of Atom's type `xhtml`."""
    from xml.etree.ElementTree import tostring

    if len(element):
        for inner in element.iter():
            inner.tag = local_name(inner)
            inner.attrib.pop(LANGUAGE, "")
        try:
            return fragment_to_markdown(tostring(element, encoding="unicode", method="html"))
        except RecursionError:
            return one_line(text)
    is_text = element.tag.startswith(ATOM) and element.get("type", "text") == "text" and not TAG.search(text)
    return text if is_text else fragment_to_markdown(text)


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
                yield text if len(element) or not local_name(element) else f"{local_name(element)}: {text}"
            for inner in element.iter() if len(element) else ():
                yield from _attributes(inner) if inner is not element else ()
        else:
            waiting.extend(reversed(element))


def _attributes(element: Element) -> Iterator[str]:
    """Yield the attributes of an element, of which a record of many formats is made; a blank line ends a record."""
    lines = [f"{name.rpartition('}')[2]}: {one_line(value)}" for name, value in element.attrib.items() if value.strip()]
    yield from (*([""] if len(lines) > 1 else []), *lines)
