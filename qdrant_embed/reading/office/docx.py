"""DOCX as Markdown: the body by mammoth, and the parts that it leaves out."""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Callable, Iterator
from typing import Any
from xml.etree.ElementTree import Element

import mammoth
from bs4 import BeautifulSoup
from markdownify import ATX, MarkdownConverter

from qdrant_embed.errors import ReadError
from qdrant_embed.reading.archives import core_title, open_archive
from qdrant_embed.reading.html import fragment_to_markdown
from qdrant_embed.reading.mail.mhtml import read_mhtml
from qdrant_embed.reading.markup import local_name
from qdrant_embed.reading.office.drawings import chart_text, diagram_text
from qdrant_embed.reading.office.inventory import OfficeContent, paragraphs
from qdrant_embed.reading.office.package import Package, attribute
from qdrant_embed.reading.office.tracked_changes import revise
from qdrant_embed.reading.parsed import Parsed, clean, one_line, single_blank_lines
from qdrant_embed.reading.text import first_heading
from qdrant_embed.reading.text_encoding import decode

USUAL_MAIN = "word/document.xml"
CONVERTED_BYTES = 5 * 2**20
"""Bytes of XML, some hundreds of pages; the converter takes half a minute for them."""
HEADING = re.compile(r"(?:heading ([1-6])|title)", re.IGNORECASE)
PART_NUMBER = re.compile(r"\d*\.xml$")
MIME_HEADER = re.compile(rb"\s*(?:[\w-]+:[^\n]*\n(?:[ \t][^\n]*\n)*)*?(?:MIME-Version|Content-Type):", re.IGNORECASE)
MARKUP = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*<")
DEEPEST = 3
"""Text documents within text documents; an archive can hold itself."""
IMAGE = re.compile(r"!\[([^\]]*)\]\([^)]*\)")
STYLES = ("p[style-name='Title'] => h1:fresh", "u => u")
"""What mammoth maps beside its own rules: a title is a heading, and what is underlined stays so."""


def read_docx(data: bytes, name: str) -> Parsed:
    """Read a text document, formulas as LaTeX; headers, footers, comments and the like stand after the body.

    :raises ReadError: It is encrypted, broken, too large, or no text document.
    """
    archive = open_archive(data)
    reading = _Reading(Package(archive))
    text = reading.text()
    title = core_title(archive) or first_heading(reading.body)
    return Parsed(text=text, title=title, text_type="text/markdown", notes=tuple(reading.notes))


class _Reading:
    """One text document that is read.

    :param depth: How many text documents this one stands in.
    """

    def __init__(self, package: Package, depth: int = 0) -> None:
        self.notes: list[str] = []
        self.body = ""
        self._package = package
        self._depth = depth
        self._main = package.main_part(USUAL_MAIN)
        self._relations = package.relations(self._main)

    def text(self) -> str:
        """Return all text of the document, and put what is left out on `notes`."""
        converted = self._read_body()
        parts = [self.body, *self._sections(converted)]
        self.notes += self._package.notes()
        return "\n\n".join(part for part in parts if part)

    def _read_body(self) -> OfficeContent:
        root = self._package.tree(self._main)
        if root is None:
            raise ReadError(f"broken file: its part {self._main} is damaged")
        size = self._package.archive.getinfo(self._main).file_size
        if size > CONVERTED_BYTES:
            self.notes.append(f"read as plain paragraphs, for it is large: {size:,} bytes of XML")
            body = self._plain(root)
        elif self._main in self._package.mended:
            body = self._plain(root)
        else:
            body = self._converted(root)
        converted = OfficeContent(body)
        missing = converted.missing(paragraphs(root))
        self.body = "\n\n".join(part for part in (body, *missing) if part)
        return converted

    def _converted(self, root: Element) -> str:
        notes = [*self.notes]
        copy, texts = revise(self._package, self._main, self._part_text)
        try:
            body = clean(_body_markdown(copy))
        except Exception as error:  # the converter stumbles over much that Word does not mind
            reason = one_line(str(error))[:200]
            self.notes = [*notes, f"read as plain paragraphs, for its formatting is broken: {reason}"]
            return self._plain(root)
        for mark, text in texts.items():
            body = body.replace(mark, text)
        return body

    def _plain(self, root: Element) -> str:
        """Return the body without its tables and lists, in time and memory that are small for any size."""
        levels = self._heading_levels()
        found = ((levels.get(paragraph.style, 0), paragraph.text) for paragraph in paragraphs(root))
        texts = [f"{'#' * level} {one_line(text)}" if level else text for level, text in found]
        for element in root.iter():
            kind = local_name(element)
            if kind in ("altChunk", "chart", "relIds"):
                texts.append(self._part_text(kind, attribute(element, "dm" if kind == "relIds" else "id")))
        return "\n\n".join(filter(None, texts))

    def _heading_levels(self) -> dict[str, int]:
        """Return the levels of the styles that are headings, whatever language their ids are in."""
        levels = {}
        for root in self._parts("styles"):
            for style in root:
                names = [attribute(part, "val") for part in style if local_name(part) == "name"]
                heading = HEADING.fullmatch(names[0]) if names else None
                if heading:
                    levels[attribute(style, "styleId")] = int(heading[1] or 1)
        return levels

    def _sections(self, converted: OfficeContent) -> Iterator[str]:
        """Yield what stands beside the body, under a heading for each kind."""
        for heading, kinds in (("Notes", ("footnotes", "endnotes")), ("Headers and footers", ("header", "footer"))):
            found = [text for root in self._parts(*kinds) for text in converted.missing(paragraphs(root))]
            if found:
                yield "\n\n".join([f"## {heading}", *dict.fromkeys(found)])
        comments = [_comment(element) for root in self._parts("comments") for element in root]
        if any(comments):
            yield "\n".join(["## Comments\n", *filter(None, comments)])

    def _parts(self, *kinds: str) -> Iterator[Element]:
        named = [relation.target for relation in self._relations if relation.kind in kinds]
        folder = posixpath.dirname(self._main)
        parts = [name for name in self._package.below(f"{folder}/") if posixpath.dirname(name) == folder]
        usual = [name for name in parts if PART_NUMBER.sub("", posixpath.basename(name).lower()) in kinds]
        for name in dict.fromkeys(filter(None, map(self._package.find, [*named, *usual]))):
            root = self._package.tree(name)
            if root is not None:
                yield root

    def _part_text(self, kind: str, relation_id: str) -> str:
        target = next((relation.target for relation in self._relations if relation.id == relation_id), "")
        if kind == "altChunk":
            return self._chunk_text(target)
        root = self._package.tree(target) if target else None
        if root is None:
            return ""
        return chart_text(root) if kind == "chart" else diagram_text(root)

    def _chunk_text(self, name: str) -> str:
        data = self._package.read(name) if name else None
        try:
            if data is None:
                raise ReadError("it is missing or damaged")
            return _embedded_text(data, self._nested)
        except ReadError as error:
            self.notes.append(f"the part {posixpath.basename(name)} is left out: {error.reason}")
            return ""

    def _nested(self, data: bytes) -> str:
        if self._depth >= DEEPEST:
            raise ReadError(f"it stands in more than {DEEPEST} documents, one within the other")
        inner = _Reading(Package(open_archive(data)), self._depth + 1)
        text = inner.text()
        self.notes += inner.notes
        return text


def _comment(element: Element) -> str:
    text = one_line(" ".join(paragraph.text for paragraph in paragraphs(element)))
    author = one_line(attribute(element, "author"))
    return f"- {author}: {text}" if author and text else f"- {text}" if text else ""


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


def _body_markdown(data: bytes) -> str:
    """Return the body of a text document, without addresses of images."""
    file = io.BytesIO(data)
    styles = "\n".join(filter(None, (*STYLES[:1], mammoth.read_embedded_style_map(file), *STYLES[1:])))
    made = mammoth.convert_to_html(file, style_map=styles, include_embedded_style_map=False).value
    markdown: str = _Markdown().convert_soup(BeautifulSoup(made, "html.parser"))
    return single_blank_lines(IMAGE.sub(lambda image: one_line(image[1]), markdown.strip()))


def _embedded_text(data: bytes, read_nested: Callable[[bytes], str]) -> str:
    """Return the text of a part that Word shows as part of the document (`altChunk`), in the format of its bytes.

    :param read_nested: Reads a text document within the text document.
    :raises ReadError: Nothing here reads the format, or the part is broken.
    """
    if zipfile.is_zipfile(io.BytesIO(data)):
        return read_nested(data)
    if data.lstrip().startswith(b"{\\rtf"):
        raise ReadError("it is RTF")
    if MIME_HEADER.match(data):
        return read_mhtml(data, "").text
    return fragment_to_markdown(data) if MARKUP.match(data) else clean(decode(data).text)
