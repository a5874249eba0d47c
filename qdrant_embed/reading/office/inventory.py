"""All the text that a part of an Office file holds, to compare with what a converter made of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from qdrant_embed.reading.markup import local_name
from qdrant_embed.reading.office.package import attribute
from qdrant_embed.reading.parsed import letters

NOT_CONTENT = frozenset(
    ("del", "moveFrom", "pPr", "rPr", "sectPr", "tblPr", "tcPr", "trPr", "instrText", "delText", "rt")
)
"""Elements without text of the document as it is now: what was deleted, properties, commands of fields."""
SPACES = {"tab": "\t", "ptab": "\t", "br": "\n", "cr": "\n"}
MATH = "math}"
WINDOW = 10_000
"""Characters in which the next piece is looked for first; both texts have mostly the same order."""
BUDGET = 2 * 10**9
"""Characters that may be searched for pieces out of order; beyond it, a piece counts as missing, and is added again."""


@dataclass(slots=True)
class Paragraph:
    """One paragraph; `pieces` are the stretches of text that a converter keeps together, `style` is an id."""

    pieces: list[str] = field(default_factory=lambda: [""])
    style: str = ""

    @property
    def text(self) -> str:
        """Return the paragraph's text."""
        return "".join(self.pieces).strip()


def paragraphs(root: Element) -> Iterator[Paragraph]:
    """Yield the paragraphs that hold text, one inside another (as of a text box) before the outer."""
    opened: list[Paragraph] = []
    todo: list[tuple[Element, bool]] = [(root, False)]
    while todo:
        element, ends = todo.pop()
        name = local_name(element)
        if ends:
            paragraph = opened.pop()
            if paragraph.text:
                yield paragraph
            continue
        if name == "pPr" and opened:
            opened[-1].style = next((attribute(part, "val") for part in element if local_name(part) == "pStyle"), "")
        if name in NOT_CONTENT or (name == "fld" and element.get("type") == "slidenum"):
            continue
        if name == "p":
            opened.append(Paragraph())
            todo.append((element, True))
        elif opened:
            _add(opened[-1], element, name)
        todo.extend((child, False) for child in reversed(_shown(element, name)))


def _add(paragraph: Paragraph, element: Element, name: str) -> None:
    if name == "t":
        text = element.text or ""
        if MATH in element.tag:
            paragraph.pieces += [text, ""]  # converted to LaTeX, so that it cannot be compared
        else:
            paragraph.pieces[-1] += text
    elif name in SPACES:
        paragraph.pieces[-1] += SPACES[name]
    elif name not in ("r", "rPr"):
        paragraph.pieces.append("")


def _shown(element: Element, name: str) -> list[Element]:
    """Return an element's children; of alternatives, the first that has text."""
    if name != "AlternateContent":
        return list(element)
    return next(([child] for child in element if any(local_name(part) == "t" for part in child.iter())), [])


class OfficeContent:
    """The text that a converter produced, in which pieces of the original are looked for."""

    def __init__(self, text: str) -> None:
        self._text = letters(text)
        self._position = 0
        self._budget = BUDGET

    def holds(self, piece: str) -> bool:
        """Tell whether a piece of text is there, apart from white space and punctuation."""
        sought = letters(piece)
        found = self._text.find(sought, self._position, self._position + len(sought) + WINDOW)
        if found >= 0:
            self._position = found + len(sought)
            return True
        self._budget -= len(self._text)
        return self._budget > 0 and sought in self._text

    def missing(self, original: Iterable[Paragraph]) -> list[str]:
        """Return the paragraphs of which a piece is not there."""
        return [paragraph.text for paragraph in original if not all(map(self.holds, paragraph.pieces))]
