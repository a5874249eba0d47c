"""Files within a DOCX that Word shows as part of its text (`altChunk`), as programs write them that convert to DOCX."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable

from qdrant_embed.errors import ReadError
from qdrant_embed.reading.html import fragment_to_markdown
from qdrant_embed.reading.mail.mhtml import read_mhtml
from qdrant_embed.reading.parsed import clean
from qdrant_embed.reading.text_encoding import decode

MIME_HEADER = re.compile(rb"\s*(?:[\w-]+:[^\n]*\n(?:[ \t][^\n]*\n)*)*?(?:MIME-Version|Content-Type):", re.IGNORECASE)
MARKUP = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*<")


def chunk_text(data: bytes, read_nested: Callable[[bytes], str]) -> str:
    """Return the text of a part in the format that its bytes are in.

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
