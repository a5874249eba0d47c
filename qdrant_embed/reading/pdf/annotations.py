"""What people wrote on a PDF: the values of its form fields, notes and boxes; and the data of XFA forms."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any
from xml.etree.ElementTree import Element

import pypdfium2.raw as pdfium

from qdrant_embed.reading.markup import local_name, xml_tree
from qdrant_embed.reading.parsed import one_line
from qdrant_embed.reading.text_encoding import decode

LONGEST_LABEL = 60
LABEL_REACH = 250.0
"""Points to the side of a field in which its label is looked for."""
UNTOLD = frozenset(("yes", "on", "1", "true", "x"))
"""What a box that is ticked is called where the name says nothing."""
CONCEALED = "••••"
"""Stands for what was typed into a field for passwords, which no index shall hold."""
XFA_PACKETS = ("template", "datasets")
XFA_TEXTS = frozenset(("text", "exData"))


def annotation_lines(page: Any, text_page: Any, text: str, form: Any) -> list[str]:
    """Return the values of the fields of a page, and the texts of its notes, a line each.

    :param text: All text of the page.
    :param form: Handle of the document's form, None if it has none.
    """
    lines, labels = [], _Labels(text_page, text)
    for number in range(pdfium.FPDFPage_GetAnnotCount(page)):
        annotation = pdfium.FPDFPage_GetAnnot(page, number)
        if not annotation:
            continue
        hidden = pdfium.FPDFAnnot_GetFlags(annotation) & (pdfium.FPDF_ANNOT_FLAG_HIDDEN | pdfium.FPDF_ANNOT_FLAG_NOVIEW)
        kind = pdfium.FPDFAnnot_GetSubtype(annotation)
        if not hidden and kind == pdfium.FPDF_ANNOT_WIDGET:
            lines.append(_field(annotation, form, labels) if form else _value_without_form(annotation))
        elif not hidden and kind not in (pdfium.FPDF_ANNOT_WIDGET, pdfium.FPDF_ANNOT_LINK, pdfium.FPDF_ANNOT_POPUP):
            lines.append(_note(annotation, free=kind == pdfium.FPDF_ANNOT_FREETEXT))
        pdfium.FPDFPage_CloseAnnot(annotation)
    return [line for line in dict.fromkeys(lines) if line]


def xfa_lines(document: Any) -> list[str]:
    """Return the texts and data of a form that is described in XML; a page says to open it elsewhere.

    :raises ReadError: The XML declares entities.
    """
    lines: list[str] = []
    for number in range(max(pdfium.FPDF_GetXFAPacketCount(document), 0)):
        stated = _bytes(functools.partial(pdfium.FPDF_GetXFAPacketName, document, number))
        name = stated.rstrip(b"\0").decode(errors="replace")
        if name in XFA_PACKETS or not name:  # without a name it is one file of all packets
            root, _ = xml_tree(decode(_packet(document, number)).text)
            for packet in [root] if name else (part for part in root.iter() if local_name(part) in XFA_PACKETS):
                lines += _packet_lines(packet, is_data=(name or local_name(packet)) == "datasets")
    return list(dict.fromkeys(lines))


def _packet_lines(packet: Element, *, is_data: bool) -> Iterator[str]:
    for element in packet.iter():
        tag = local_name(element)
        text = one_line("".join(element.itertext())) if not len(element) else ""
        if text and (tag in XFA_TEXTS or is_data):
            yield text if tag in XFA_TEXTS else f"{tag}: {text}"


def _field(annotation: Any, form: Any, labels: _Labels) -> str:
    kind = pdfium.FPDFAnnot_GetFormFieldType(form, annotation)
    name = _text(lambda buffer, size: pdfium.FPDFAnnot_GetFormFieldName(form, annotation, buffer, size))
    told = _text(lambda buffer, size: pdfium.FPDFAnnot_GetFormFieldAlternateName(form, annotation, buffer, size))
    if kind in (pdfium.FPDF_FORMFIELD_CHECKBOX, pdfium.FPDF_FORMFIELD_RADIOBUTTON):
        if not pdfium.FPDFAnnot_IsChecked(form, annotation):
            return ""
        value = _text(lambda buffer, size: pdfium.FPDFAnnot_GetFormFieldExportValue(form, annotation, buffer, size))
        label = told or labels.text_next_to(annotation, right=True) or name
        return f"[x] {label}" if value.lower() in UNTOLD or value == label else f"[x] {label}: {value}"
    value = _text(lambda buffer, size: pdfium.FPDFAnnot_GetFormFieldValue(form, annotation, buffer, size))
    if kind in (pdfium.FPDF_FORMFIELD_COMBOBOX, pdfium.FPDF_FORMFIELD_LISTBOX):
        value = ", ".join(_chosen(annotation, form)) or value
    is_text = kind == pdfium.FPDF_FORMFIELD_TEXTFIELD
    if is_text and value and _is_secret(pdfium.FPDFAnnot_GetFormFieldFlags(form, annotation)):
        value = CONCEALED
    if not value or kind == pdfium.FPDF_FORMFIELD_PUSHBUTTON:
        return ""
    label = told or labels.text_next_to(annotation, right=False) or name
    return f"{label.rstrip(' :')}: {value}" if label else value


def _chosen(annotation: Any, form: Any) -> Iterator[str]:
    """Yield the choices that are made, as they are shown."""
    for at in range(pdfium.FPDFAnnot_GetOptionCount(form, annotation)):
        if pdfium.FPDFAnnot_IsOptionSelected(form, annotation, at):
            yield _text(functools.partial(pdfium.FPDFAnnot_GetOptionLabel, form, annotation, at))


def _value_without_form(annotation: Any) -> str:
    """Return the value of a field that no form of the document lists, as when pages were taken from another one."""
    named = {
        key: _text(functools.partial(pdfium.FPDFAnnot_GetStringValue, annotation, key)) for key in (b"TU", b"T", b"V")
    }
    label, value, flags = named[b"TU"] or named[b"T"], named[b"V"], ctypes.c_float()
    if value and pdfium.FPDFAnnot_GetNumberValue(annotation, b"Ff", flags) and _is_secret(int(flags.value)):
        value = CONCEALED
    return f"{label}: {value}" if label and value else value


def _is_secret(flags: int) -> bool:
    return bool(flags & pdfium.FPDF_FORMFLAG_TEXT_PASSWORD)


def _note(annotation: Any, *, free: bool) -> str:
    text = _text(lambda buffer, size: pdfium.FPDFAnnot_GetStringValue(annotation, b"Contents", buffer, size))
    return text if free or not text else f"Note: {text}"


class _Labels:
    """The words of a page that may be what a field is called."""

    def __init__(self, text_page: Any, text: str) -> None:
        self._text_page = text_page
        self._text = text

    @cached_property
    def _whole(self) -> str:
        return f" {one_line(self._text)} "  # of use to fields only, which few pages have

    def text_next_to(self, annotation: Any, *, right: bool) -> str:
        """Return the short text to one side of a field, which is its label."""
        box = pdfium.FS_RECTF()
        if not pdfium.FPDFAnnot_GetRect(annotation, box):
            return ""
        start, end = (box.right, box.right + LABEL_REACH) if right else (box.left - LABEL_REACH, box.left)
        text = one_line(self._text_page.get_text_bounded(start, box.bottom, end, box.top))
        # Where the box cuts a line, only some letters are in reach.
        return text if len(text) <= LONGEST_LABEL and f" {text} " in self._whole else ""


def _packet(document: Any, number: int) -> bytes:
    size = ctypes.c_ulong()
    pdfium.FPDF_GetXFAPacketContent(document, number, None, 0, size)
    buffer = ctypes.create_string_buffer(size.value)
    pdfium.FPDF_GetXFAPacketContent(document, number, buffer, size.value, size)
    return buffer.raw


def _text(fill: Callable[[Any, int], int]) -> str:
    """Return a text that PDFium gives as UTF-16."""
    raw = _bytes(lambda buffer, size: fill(ctypes.cast(buffer, ctypes.POINTER(pdfium.FPDF_WCHAR)), size))
    return one_line(raw.decode("utf-16-le", errors="replace").rstrip("\0"))


def _bytes(fill: Callable[[Any, int], int]) -> bytes:
    size = fill(None, 0)
    buffer = ctypes.create_string_buffer(max(size, 1))
    fill(buffer, size)
    return buffer.raw[:size]
