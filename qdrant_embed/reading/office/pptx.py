"""PPTX as Markdown: each slide by python-pptx, and the parts that it leaves out."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate, zip_longest
from xml.etree.ElementTree import Element

from qdrant_embed.errors import ReadError
from qdrant_embed.reading.archives import core_title, open_archive
from qdrant_embed.reading.markup import local_name
from qdrant_embed.reading.office.drawings import chart_labels, chart_text, diagram_text
from qdrant_embed.reading.office.inventory import OfficeContent, paragraphs
from qdrant_embed.reading.office.package import Package
from qdrant_embed.reading.office.slides import slide_texts
from qdrant_embed.reading.parsed import Parsed, one_line
from qdrant_embed.reading.text import first_heading

USUAL_MAIN = "ppt/presentation.xml"


def read_pptx(data: bytes, name: str) -> Parsed:
    """Read slides with their notes and comments; each is a page.

    :raises ReadError: It is encrypted, broken, too large, or no presentation.
    """
    archive = open_archive(data)
    package = Package(archive)
    reading = _SlideReading(package)
    slides = reading.slides(data)
    text = "\n\n".join(slides)
    starts = accumulate((len(slide) + 2 for slide in slides[:-1]), initial=0)
    return Parsed(
        text=text,
        title=core_title(archive) or first_heading(text),
        text_type="text/markdown",
        page_starts=tuple(starts) if slides else (),
        notes=tuple(reading.notes),
    )


class _SlideReading:
    """One presentation that is read."""

    def __init__(self, package: Package) -> None:
        self.notes: list[str] = []
        self._package = package
        self._main = package.main_part(USUAL_MAIN)

    def slides(self, data: bytes) -> list[str]:
        """Return the text of each slide, and put what is left out on `notes`."""
        names = list(self._names())
        converted = self._converted(data, len(names))
        slides = [self._slide(name, text) for name, text in zip_longest(names, converted, fillvalue="")]
        self.notes += self._package.notes()
        return slides

    def _names(self) -> Iterator[str]:
        """Yield the parts that are slides in the order of the presentation, of their numbers if that is damaged."""
        root = self._package.tree(self._main)
        targets = {relation.id: relation.target for relation in self._package.relations(self._main)}
        order = [] if root is None else [element for element in root.iter() if local_name(element) == "sldId"]
        if not order:
            numbered = [name for name in self._package.below("ppt/slides/slide") if name.lower().endswith(".xml")]
            if root is None and not numbered:
                raise ReadError(f"broken file: its part {self._main} is damaged")
            yield from sorted(numbered, key=lambda name: (len(name), name))
        for number, element in enumerate(order, start=1):
            relation = next((value for key, value in element.attrib.items() if key.endswith("}id")), "")
            target = targets.get(relation, "")
            if target and self._package.find(target):
                yield target
            else:
                self.notes.append(f"slide {number} is missing in the file")

    def _converted(self, data: bytes, count: int) -> list[str]:
        try:
            return list(slide_texts(data, self.notes))
        except Exception as error:  # python-pptx opens no file with a damaged part
            reason = one_line(str(error))[:200]
            self.notes.append(f"read as plain paragraphs, for the converter stumbles over it: {reason}")
            return [""] * count

    def _slide(self, name: str, text: str) -> str:
        root = self._package.tree(name) if name else None
        if root is None:
            return text
        if root.get("show") == "0":
            self.notes.append(f"slide {name.rpartition('slide')[2].removesuffix('.xml')} is hidden, and is read too")
        converted = OfficeContent(text)
        parts = [text, *converted.missing(paragraphs(root))]
        parts += self._from_other_parts(name, converted)
        return "\n\n".join(part for part in parts if part)

    def _from_other_parts(self, name: str, converted: OfficeContent) -> Iterator[str]:
        """Yield what a slide shows from other parts, and what is said about it."""
        for relation in self._package.relations(name):
            root = self._package.tree(relation.target) if relation.target.lower().endswith(".xml") else None
            if root is None:
                continue
            if relation.kind == "chart" and not all(map(converted.holds, chart_labels(root))):
                yield chart_text(root)
            elif relation.kind == "diagramData" and converted.missing(paragraphs(root)):
                yield diagram_text(root)
            elif relation.kind == "notesSlide":
                yield from converted.missing(paragraphs(root))
            elif relation.kind == "comments":
                yield "\n".join(f"- Comment: {text}" for text in _comments(root))


def _comments(root: Element) -> Iterator[str]:
    """Yield the comments of a slide: those of old have a `text` each, those with answers have paragraphs."""
    for element in root:
        plain = [inner.text or "" for inner in element.iter() if local_name(inner) == "text"]
        text = one_line(" ".join([*plain, *(paragraph.text for paragraph in paragraphs(element))]))
        if text:
            yield text
