"""Office files and e-books are zip archives: checks before they are unpacked."""

from __future__ import annotations

import io
import zipfile
import zlib

from qdrant_embed.errors import ReadError
from qdrant_embed.reading.parsed import given_title

UNPACKED_LIMIT = 2**29
"""Bytes that an archive may unpack to; zipfile lets no member grow beyond what its directory says."""
MARKUP_LIMIT = 2**26
"""Bytes of XML and HTML that it may unpack to; the trees made of these take about seven times as much."""
MARKUP = (".xml", ".rels", ".vml", ".opf", ".ncx", ".html", ".htm", ".xhtml")
DAMAGED = (zipfile.BadZipFile, OSError, ValueError, EOFError, NotImplementedError, RuntimeError, zlib.error)
"""What reading a damaged member of an archive raises."""
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ENCRYPTED = "encrypted: it opens with a password only; save it without one"
ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")


def open_archive(data: bytes, *, markup_limit: int = MARKUP_LIMIT) -> zipfile.ZipFile:
    """Open an archive whose size unpacked is bearable.

    :param markup_limit: Bytes that its XML and HTML may unpack to; more where it is read as a stream.
    :raises ReadError: It is no archive, is encrypted, or is a bomb.
    """
    if data.startswith(OLE):
        old = "an Office file of the format before 2007 under a new name; save it anew"
        raise ReadError(ENCRYPTED if ENCRYPTED_PACKAGE in data else old)
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, OverflowError, NotImplementedError, OSError) as error:
        raise ReadError("broken file: it is no zip archive, as this format should be") from error
    members = archive.infolist()
    unpacked = sum(member.file_size for member in members)
    if unpacked > UNPACKED_LIMIT:
        raise ReadError(f"too large: it unpacks to {unpacked:,} bytes, the limit is {UNPACKED_LIMIT:,}")
    markup = sum(member.file_size for member in members if member.filename.lower().endswith(MARKUP))
    if markup > markup_limit:
        raise ReadError(f"too large: its text unpacks to {markup:,} bytes, the limit is {markup_limit:,}; split it")
    return archive


def core_title(archive: zipfile.ZipFile) -> str:
    """Return the title in an Office file's properties, empty if there is none."""
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import ParseError, fromstring

    try:
        properties = fromstring(archive.read("docProps/core.xml"))
    except (KeyError, ParseError, DefusedXmlException, *DAMAGED):
        return ""
    return given_title(properties.findtext("{http://purl.org/dc/elements/1.1/}title") or "")
