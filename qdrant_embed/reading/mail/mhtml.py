"""Web archives (MHTML): the pages of a MIME message, as browsers and Office save them."""

from __future__ import annotations

from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from email.policy import compat32

from qdrant_embed.reading.html import read_html
from qdrant_embed.reading.mail.body import payload
from qdrant_embed.reading.mail.headers import header, kind, parameter
from qdrant_embed.reading.parsed import Parsed


def read_mhtml(data: bytes, name: str) -> Parsed:
    """Read the pages of a web archive, one after the other."""
    message = message_from_bytes(data, policy=compat32)
    pages = [read_html(page, name, encoding) for page, encoding in _pages(message)]
    texts = [page.text for page in pages if page.text]
    notes = tuple(note for page in pages for note in page.notes)
    title = next((page.title for page in pages if page.title), "") or header(message, "subject")
    guessed = next((page.guessed_encoding for page in pages if page.guessed_encoding), "")
    return Parsed(
        text="\n\n".join(texts), title=title, text_type="text/markdown", notes=notes, guessed_encoding=guessed
    )


def _pages(message: Message) -> Iterator[tuple[bytes, str]]:
    for part in message.walk():
        if kind(part) in ("text/html", "application/xhtml+xml", "text/plain") and not part.is_multipart():
            yield payload(part), parameter(part, "charset")
