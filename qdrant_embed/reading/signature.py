"""What the bytes of a file say that it is, where its name says something else."""

from __future__ import annotations

import codecs
import io
import re
import zipfile

from qdrant_embed.reading.archives import DAMAGED, ENCRYPTED_PACKAGE, OLE
from qdrant_embed.reading.text_encoding import looks_binary

HEAD_BYTES = 8192
ZIP = b"PK\x03\x04"
FOLDERS = {"word/": ".docx", "ppt/": ".pptx", "xl/": ".xlsx"}
MIMETYPES = {
    b"application/epub+zip": ".epub",
    b"application/vnd.oasis.opendocument.text": ".odt",
    b"application/vnd.oasis.opendocument.spreadsheet": ".ods",
    b"application/vnd.oasis.opendocument.presentation": ".odp",
}
STREAMS = {"__properties_version1.0": ".msg", "Workbook": ".xls", "WordDocument": ".doc", "PowerPoint Document": ".ppt"}
"""Names within an OLE file, by which its formats differ."""
SAME_READER = ({".xlsx", ".xlsm"}, {".html", ".htm", ".xhtml"})
OLD_NAMES = frozenset((".doc", ".dot", ".ppt", ".pps", ".rtf"))
"""Extensions of formats that nothing here reads, under which files of others are common."""
OFFICE_NAMES = frozenset(
    (".xls", ".xlsx", ".xlsm", ".csv", ".tsv", ".docx", ".pptx", ".epub", ".pdf", ".msg", *OLD_NAMES)
)
"""Extensions under which programs write pages and tables, since Office opens these."""
SHEETS = frozenset((".xls", ".xlsx", ".xlsm"))
HTML = re.compile(
    rb"\s*(?:<!--.*?-->\s*|<\?xml[^>]*>\s*)*<(?:!doctype\s+html|html|head|body|meta|table|div|style|center|tr)\b",
    re.IGNORECASE | re.DOTALL,
)
SPREADSHEET_XML = re.compile(
    rb"\s*<\?xml.*?<(?:\w+:)?Workbook\b[^>]*urn:schemas-microsoft-com:office:spreadsheet", re.DOTALL
)
MIME = re.compile(
    rb"\s*(?:[\w-]+:[^\n]*\n(?:[ \t][^\n]*\n)*){1,40}?Content-Type:\s*(?:multipart/related|text/html)", re.IGNORECASE
)
MIME_VERSION = re.compile(rb"^MIME-Version:", re.IGNORECASE | re.MULTILINE)
TABLE_LINE = re.compile(rb"[^\n]*[\t;,|]")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def true_extension(extension: str, data: bytes) -> str:
    """Return the extension of the format that the bytes are in; the given one where they do not say."""
    head = data[:HEAD_BYTES].removeprefix(BYTE_ORDER_MARK).lstrip()
    found = _binary_format(extension, head, data) or _text_format(extension, head)
    return extension if not found or any({extension, found} <= same for same in SAME_READER) else found


def is_another_format(extension: str, head: bytes) -> bool:
    """Tell from the first bytes whether a file that nothing reads by its name may be of a format that is read.

    :param extension: One of `OLD_NAMES`.
    """
    head = head.removeprefix(BYTE_ORDER_MARK).lstrip()
    return head.startswith((ZIP, b"%PDF-")) or bool(_text_format(extension, head))


def _binary_format(extension: str, head: bytes, data: bytes) -> str | None:
    if head.startswith(b"%PDF-"):
        return ".pdf"
    if head.startswith(b"{\\rtf"):
        return ".rtf"
    if head.startswith(ZIP):
        return _zip_format(data)
    return _ole_format(extension, data) if data.startswith(OLE) else None


def _zip_format(data: bytes) -> str | None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = [name.lower() for name in archive.namelist()]
            kind = b""
            if "mimetype" in names:
                with archive.open("mimetype") as member:
                    kind = member.read(80).strip()
    except (KeyError, *DAMAGED):
        return None
    if kind in MIMETYPES:
        return MIMETYPES[kind]
    if "xl/workbook.bin" in names:
        return ".xlsb"
    found = next((FOLDERS[folder] for folder in FOLDERS if any(name.startswith(folder) for name in names)), None)
    return ".epub" if found is None and "meta-inf/container.xml" in names else found


def _ole_format(extension: str, data: bytes) -> str | None:
    if ENCRYPTED_PACKAGE in data:
        return extension if extension in (".docx", ".pptx") else ".xlsx"
    found = [kind for name, kind in STREAMS.items() if name.encode("utf-16-le") in data]
    return extension if extension in found or not found else found[0]


def _text_format(extension: str, head: bytes) -> str | None:
    if MIME.match(head) and MIME_VERSION.search(head) and extension in (*OFFICE_NAMES, ".html", ".htm", ".xhtml"):
        return ".mht"
    if extension not in OFFICE_NAMES or looks_binary(head):
        return None
    head = _narrow(head)
    if SPREADSHEET_XML.match(head):
        return ".xml"
    if HTML.match(head):
        return ".html"
    if extension in SHEETS and (line := TABLE_LINE.match(head)):
        return ".tsv" if b"\t" in line[0] else ".csv"
    return None


def _narrow(head: bytes) -> bytes:
    """Return text in UTF-16 that has a mark as UTF-8, in which markup and delimiters are bytes."""
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if head.startswith(mark):
            return head[len(mark) :].decode(encoding, "replace").encode("utf-8", "replace")
    return head
