"""Headers of a message as text: each is read by itself, so that one that is malformed costs none of the others."""

from __future__ import annotations

import re
from base64 import b64decode
from email.message import Message
from email.utils import collapse_rfc2231_value
from quopri import decodestring
from typing import Any

from qdrant_embed.errors import ReadError
from qdrant_embed.reading.parsed import one_line
from qdrant_embed.reading.text_encoding import decode

WORD = re.compile(r"=\?([\w.:-]+)(?:\*[\w-]*)?\?([bBqQ])\?([^?]*)\?=")
BETWEEN_WORDS = re.compile(r"(?<=\?=)\s+(?==\?)")
NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/]")


def header(message: Message[Any, Any], name: str) -> str:
    """Return all values of a header as one line, encoded words decoded; empty if there is none."""
    values = [str(value) for key, value in message.raw_items() if key.lower() == name.lower()]
    return ", ".join(filter(None, (one_line(decoded_words(value)) for value in values)))


def parameter(message: Message[Any, Any], name: str, header_name: str = "content-type") -> str:
    """Return a parameter such as `charset` of a header, empty if it has none or is malformed beyond reading."""
    try:
        value = message.get_param(name, "", header_name)
        return one_line(decoded_words(collapse_rfc2231_value(value))) if value else ""
    except (LookupError, ValueError, AttributeError, TypeError):
        return ""


def file_name(message: Message[Any, Any]) -> str:
    """Return the name of an attached file, empty if it has none."""
    return parameter(message, "filename", "content-disposition") or parameter(message, "name")


def kind(message: Message[Any, Any]) -> str:
    """Return the media type of a part in lower case, that of plain text if it is malformed."""
    try:
        return message.get_content_type()
    except (LookupError, ValueError, AttributeError, TypeError):
        return "text/plain"


def is_attached(message: Message[Any, Any]) -> bool:
    """Tell whether a part is shown as a file beside the text."""
    try:
        return message.get_content_disposition() == "attachment"
    except (LookupError, ValueError, AttributeError, TypeError):
        return False


def decoded_words(value: str) -> str:
    """Return a header with its encoded words (RFC 2047) decoded, and its bytes beyond ASCII by what they are."""
    pieces: list[tuple[bytes, str]] = []
    place = 0
    value = BETWEEN_WORDS.sub("", value)
    for word in WORD.finditer(value):
        if word.start() > place:
            pieces.append((_bytes(value[place : word.start()]), ""))
        raw = _word_bytes(word[2], word[3])
        if pieces and pieces[-1][1] == word[1] and place == word.start():
            pieces[-1] = (pieces[-1][0] + raw, word[1])  # a character may be split between two words
        else:
            pieces.append((raw, word[1]))
        place = word.end()
    pieces.append((_bytes(value[place:]), ""))
    return "".join(_text(raw, charset) for raw, charset in pieces)


def _word_bytes(method: str, text: str) -> bytes:
    if method in "qQ":
        return decodestring(_bytes(text), header=True)
    letters = NOT_BASE64.sub("", text)
    return b64decode(letters[: len(letters) - (len(letters) % 4 == 1)] + "=" * (-len(letters) % 4))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", errors="surrogateescape")


def _text(raw: bytes, charset: str) -> str:
    try:
        return decode(raw, charset).text
    except ReadError:
        return raw.decode("latin-1")
