"""A DOCX made ready for its converter: what that would leave out stands where it can see it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable
from typing import Any

from lxml import etree

from qdrant_embed.reading.markup import local_name
from qdrant_embed.reading.office.formulas import latex_of
from qdrant_embed.reading.office.package import Package, attribute

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
MARK = "\ue0f0{}\ue0f1"
"""Stands for a part whose text is put in after the conversion; characters of private use, which no text has."""
WRAPPERS = frozenset(("fldSimple", "dir", "bdo", "ruby", "rubyBase"))
"""Elements around text that mean nothing to a reader; the converter would drop them with the text."""
KNOWN_BOXES = ("textbox", "AlternateContent")
"""Where the converter finds the text of a box: in the old form of drawings, and in a fallback of that form."""
SIGNS = (
    b"altChunk",
    b"fldSimple",
    b":dir",
    b":bdo",
    b":ruby",
    b"AlternateContent",
    b"txbxContent",
    b":chart",
    b"relIds",
    b"oMath",
    b"dstrike",
)
"""Without one of these, a document stays as it is."""
NOTES = ("footnotes.xml", "endnotes.xml")
STYLES = "styles.xml"
PartText = Callable[[str, str], str]
"""Kind (`altChunk`, `chart`, `relIds`) and id of a relation to the text of the part."""


def revise(package: Package, main: str, part_text: PartText) -> tuple[bytes, dict[str, str]]:
    """Return the file for the converter, images emptied, and the texts to put in place of marks."""
    body = package.read(main) or b""
    texts: dict[str, str] = {}
    if any(sign in body for sign in SIGNS):
        body = _changed(body, lambda root: _revise_body(root, part_text, texts))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as copy:
        for name in package.below(""):
            is_markup = name.lower().endswith((".xml", ".rels"))
            content = (body if name == main else _part(package, name)) if is_markup else b""
            if content is not None:
                copy.writestr(name, content)
    return buffer.getvalue(), texts


def _part(package: Package, name: str) -> bytes | None:
    """Return a part beside the body: notes with their formulas, styles as the converter needs them, others as is."""
    content = package.read(name)
    if content and name.lower().endswith(NOTES) and b"oMath" in content:
        return _changed(content, _write_formulas)
    if content and name.lower().endswith(STYLES):
        return _changed(content, _mend_styles)
    return content


def _changed(content: bytes, change: Callable[[Any], None]) -> bytes:
    """Return a part as something changes its tree; one that is no XML stays."""
    try:
        root = etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True))
    except (etree.XMLSyntaxError, ValueError):
        return content
    change(root)
    result: bytes = etree.tostring(root, encoding="utf-8", xml_declaration=True)
    return result


def _mend_styles(root: Any) -> None:
    """Give styles their usual type, and leave out those without an id, which nothing can name."""
    for style in list(root.iterchildren("{*}style")):
        if not attribute(style, "styleId"):
            root.remove(style)
        elif not attribute(style, "type"):
            style.set(f"{{{etree.QName(style).namespace}}}type", "paragraph")


def _write_formulas(root: Any) -> None:
    """Put formulas as LaTeX in place of what the converter would leave out."""
    for formula in list(root.iter("{*}oMath")):
        block = local_name(formula.getparent()) == "oMathPara"
        sign = "$$" if block else "$"
        run = etree.Element(f"{{{WORD}}}r")
        etree.SubElement(run, f"{{{WORD}}}t").text = f"{sign}{latex_of(formula)}{sign}"
        run.tail = formula.tail
        formula.getparent().replace(formula, run)
    for block in list(root.iter("{*}oMathPara")):
        _unwrap(block)


def _revise_body(root: Any, part_text: PartText, texts: dict[str, str]) -> None:
    _write_formulas(root)
    for element in list(root.iter("{*}dstrike")):
        element.tag = element.tag.replace("dstrike", "strike")
    for element in list(root.iter("{*}AlternateContent")):
        _choose(element)
    for element in list(root.iter("{*}txbxContent")):
        if not any(local_name(above) in KNOWN_BOXES for above in element.iterancestors()):
            _move_out(element, list(element))
    for element in [element for element in root.iter(etree.Element) if local_name(element) in WRAPPERS]:
        _unwrap(element)
    for element in list(root.iter("{*}altChunk", "{*}chart", "{*}relIds")):
        name = local_name(element)
        text = part_text(name, attribute(element, "dm" if name == "relIds" else "id"))
        if text:
            texts[mark := MARK.format(len(texts))] = text
            _move_out(element, [_paragraph(root, mark)])


def _choose(alternatives: Any) -> None:
    """Put the first alternative in place of a choice whose fallback, which the converter takes, has no text."""
    if alternatives.getparent() is None:
        return
    shown = [child for child in alternatives if next(child.iter("{*}t", "{*}relIds", "{*}chart"), None) is not None]
    if shown and local_name(shown[-1]) != "Fallback":
        for child in reversed(shown[0]):
            alternatives.addnext(child)
        alternatives.getparent().remove(alternatives)


def _move_out(element: Any, content: Iterable[Any]) -> None:
    """Put content after the outermost paragraph around an element, or after the element itself."""
    around = [above for above in element.iterancestors() if local_name(above) == "p"]
    place = around[-1] if around else element
    for child in reversed(list(content)):
        place.addnext(child)


def _unwrap(element: Any) -> None:
    for child in reversed(element):
        if local_name(child) not in ("rt", "rubyPr"):
            element.addnext(child)
    element.getparent().remove(element)


def _paragraph(root: Any, text: str) -> Any:
    namespace = etree.QName(root).namespace
    paragraph = etree.Element(f"{{{namespace}}}p")
    run = etree.SubElement(paragraph, f"{{{namespace}}}r")
    etree.SubElement(run, f"{{{namespace}}}t").text = text
    return paragraph
