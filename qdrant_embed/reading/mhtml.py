"""Web archives (MHTML): the pages of a MIME message, as browsers and Office save them."""

from __future__ import annotations

from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message

from qdrant_embed.reading.parsed import Parsed
from qdrant_embed.reading.web import read_html


def read_mhtml(data: bytes, name: str) -> Parsed:
    """Read the pages of a web archive, one after the other."""
    pages = [read_html(page, name, encoding) for page, encoding in _pages(message_from_bytes(data))]
    texts = [page.text for page in pages if page.text]
    notes = tuple(note for page in pages for note in page.notes)
    title = next((page.title for page in pages if page.title), "")
    guessed = next((page.guessed_encoding for page in pages if page.guessed_encoding), "")
    return Parsed(
        text="\n\n".join(texts), title=title, text_type="text/markdown", notes=notes, guessed_encoding=guessed
    )


def _pages(message: Message) -> Iterator[tuple[bytes, str]]:
    for part in message.walk():
        payload = part.get_payload(decode=True) if part.get_content_type() in ("text/html", "text/plain") else None
        if isinstance(payload, bytes):
            yield payload, str(part.get_content_charset(""))
