"""XML as a tree: by the rules, or, where a file breaks them, what can be told apart all the same."""

from __future__ import annotations

import html
import re
from collections import Counter
from html.entities import html5
from xml.etree.ElementTree import Element, TreeBuilder

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from qdrant_embed.errors import ReadError
from qdrant_embed.reading.parsed import one_line

TOKEN = re.compile(
    r"""<!--.*?-->|<!\[CDATA\[(?P<cdata>.*?)(?:\]\]>|\Z)|<\?.*?(?:\?>|\Z)|<!DOCTYPE[^<>\[]*(?:\[[^\]]{0,4000}+\]\s*)?>"""
    r"""|<(?P<end>/?)(?P<name>[^\W\d][\w.:-]*+)(?P<attributes>(?:"[^"<]*+"|'[^'<]*+'|[^<>"']++)*+(?:["'][^<>]*+)?)>""",
    re.DOTALL | re.IGNORECASE,
)
ATTRIBUTE = re.compile(r"""([^\W\d][\w.:-]*+)\s*+=\s*+(?:"([^"]*)(?:"|\Z)|'([^']*)(?:'|\Z)|([^\s"'/]+))""")
REFERENCE = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]\w{0,40});")
SPECIAL = frozenset("<>&\"'")
CDATA = re.compile(r"(<!\[CDATA\[.*?(?:\]\]>|\Z))", re.DOTALL)


def xml_tree(text: str) -> tuple[Element, str]:
    """Parse XML, and return its root, and a sentence on what breaks the rules, empty if nothing does.

    Names of characters that HTML has and XML has not are taken for these characters.

    :raises ReadError: It declares entities.
    """
    problem = ""
    for way in (str.lstrip, _with_named_characters):
        try:
            return fromstring(way(text)), ""
        except ParseError as error:
            problem = problem or str(error)
        except DefusedXmlException as error:
            raise ReadError("the XML declares entities, which can be used to attack; remove them") from error
    return recovered_tree(text), f"no well-formed XML ({one_line(problem)}); what can be told apart is read"


def local_name(element: Element) -> str:
    """Return an element's name without its namespace; comments have none."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def recovered_tree(text: str) -> Element:
    """Make a tree of anything like XML: what ends nothing that is open is passed over, what is no tag is text.

    It has a root without a name, unless there is one element that holds everything; text outside of elements stands in
    such elements, too. Prefixes stand for namespaces.
    """
    from xml.etree.ElementTree import TreeBuilder

    tree, place = _Tree(TreeBuilder()), 0
    whole, mark, rest = text.rpartition("-->")
    text = whole + mark + rest.replace("<!--", "")  # a comment that nothing ends is text
    for token in TOKEN.finditer(text):
        tree.add(_unescaped(text[place : token.start()]))
        place = token.end()
        if token["cdata"]:
            tree.add(token["cdata"])
        elif token["end"]:
            tree.end(_qualified(token["name"]))
        elif token["name"]:
            tree.start(_qualified(token["name"]), token["attributes"])
    tree.add(_unescaped(text[place:]))
    root = tree.close()
    return root[0] if len(root) == 1 else root


class _Tree:
    """A tree that is built, and the elements that are open; how many of each name, so that no search is long."""

    def __init__(self, builder: TreeBuilder) -> None:
        self.builder = builder
        self._opened: list[str] = []
        self._counts: Counter[str] = Counter()
        builder.start("", {})

    def start(self, name: str, attributes: str) -> None:
        self.builder.start(name, _attributes(attributes))
        self._opened.append(name)
        self._counts[name] += 1
        if attributes.endswith("/"):
            self.end(name)

    def add(self, text: str) -> None:
        if self._opened:
            self.builder.data(text)
        elif text.strip():
            self.builder.start("", {})
            self.builder.data(text)
            self.builder.end("")

    def end(self, name: str) -> None:
        """Close an element with all that is open in it; nothing, if none of the name is open."""
        closed = "" if self._counts[name] else name
        while closed != name:
            closed = self._opened.pop()
            self._counts[closed] -= 1
            self.builder.end(closed)

    def close(self) -> Element:
        while self._opened:
            self.end(self._opened[-1])
        self.builder.end("")
        return self.builder.close()


def _attributes(written: str) -> dict[str, str]:
    found = ((name, next(filter(None, values), "")) for name, *values in ATTRIBUTE.findall(written))
    return {_qualified(name): _unescaped(value) for name, value in found if not name.startswith("xmlns")}


def _qualified(name: str) -> str:
    prefix, _, local = name.rpartition(":")
    return f"{{{prefix}}}{local}" if prefix else local


def _unescaped(text: str) -> str:
    return REFERENCE.sub(lambda reference: html.unescape(reference[0]), text) if "&" in text else text


def _with_named_characters(text: str) -> str:
    pieces = CDATA.split(text.lstrip())
    pieces[::2] = [REFERENCE.sub(_character, piece) for piece in pieces[::2]]
    return "".join(pieces)


def _character(reference: re.Match[str]) -> str:
    character = html5.get(reference[0][1:], "")
    return reference[0] if not character or SPECIAL & set(character) else character
