"""Outlook's messages: the properties of an OLE file, put together as the Internet message that they were."""

from __future__ import annotations

import io
import struct
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, message_from_string
from email.message import Message
from email.policy import compat32
from email.utils import format_datetime
from mimetypes import guess_type
from typing import Any

import olefile

from qdrant_embed.errors import ReadError
from qdrant_embed.reading.mail.body import DEEPEST
from qdrant_embed.reading.mail.headers import header
from qdrant_embed.reading.text_encoding import decode

SUBJECT, HEADERS, BODY, HTML, COMPRESSED_RTF = "0037", "007D", "1000", "1013", "1009"
SENDER, SENDER_ADDRESSES, TO, CC = "0C1A", ("5D01", "0C1F"), "0E04", "0E03"
FILE_NAMES, FILE, FILE_TYPE, CONTENT_ID = ("3707", "3704", "3001"), "3701", "370E", "3712"
"""Tags of the properties, as in the names of their streams."""
CODE_PAGES = (0x3FDE, 0x3FFD)
SENT = (0x0039, 0x0E06)
OTHER_CODE_PAGES = {
    20127: "ascii", 20866: "koi8-r", 20932: "euc-jp", 21866: "koi8-u", 50220: "iso-2022-jp", 50221: "iso-2022-jp",
    50222: "iso-2022-jp", 50225: "iso-2022-kr", 51932: "euc-jp", 51936: "gb2312", 51949: "euc-kr", 52936: "hz",
    54936: "gb18030", 65001: "utf-8",
}  # fmt: skip
"""Numbers of Windows that are not those of a `cp` codec; 28591 and so on are ISO 8859."""
NUMBER, TIME = 0x0003, 0x0040


def outlook_message(data: bytes) -> tuple[Message[str, str], str]:
    """Return the message in an OLE file, and a sentence on a body that nothing here reads, mostly empty.

    :raises OSError: It is no OLE file, or broken.
    """
    with olefile.OleFileIO(io.BytesIO(data)) as file:
        whole = _Item(file, ())
        return whole.message(), _unread_body(whole)


class _Item:
    """A message or an attached file: a storage of the OLE file, and the properties in it."""

    def __init__(self, file: Any, place: tuple[str, ...]) -> None:
        self._file = file
        self._place = place
        self._fixed = dict(self._fixed_properties())
        pages = [number for tag in CODE_PAGES if (number := self._fixed.get(tag))]
        self.encoding = _encoding(pages[0]) if pages else ""

    def message(self) -> Message[str, str]:
        """Return all of a message as one of parts."""
        whole = _parts("mixed")
        for name, value in self._headers().items():
            if value:
                whole[name] = value
        bodies = _parts("alternative")
        for tag, media in ((BODY, "text/plain"), (HTML, "text/html")):
            stored, encoding = self.stored(tag)
            if stored:
                bodies.attach(_part(stored, media, encoding))
        whole.attach(bodies)
        for place in self._attached():
            whole.attach(_Item(self._file, place).attachment(self.encoding))
        return whole

    def attachment(self, encoding: str) -> Message[str, str]:
        """Return an attached file, or a message within the message, as a part."""
        inner = (*self._place, f"__substg1.0_{FILE}000D")
        name = next(filter(None, (self.text(tag, encoding) for tag in FILE_NAMES)), "")
        media = self.text(FILE_TYPE, encoding).lower() or guess_type(name)[0] or "application/octet-stream"
        if self._file.exists("/".join((*inner, "__properties_version1.0"))) and len(inner) < 2 * DEEPEST:
            return _within(_Item(self._file, inner).message())
        stored, _ = self.stored(FILE)
        if media == "message/rfc822":
            return _within(message_from_bytes(stored, policy=compat32))
        part = _part(stored, media, "")
        shown_within = media.startswith("image/") and self.text(CONTENT_ID, encoding)
        part.add_header("Content-Disposition", "inline" if shown_within else "attachment", filename=name)
        return part

    def stored(self, tag: str) -> tuple[bytes, str]:
        """Return the bytes of a property, and their encoding; nothing if there is none."""
        for kind, encoding in (("001F", "utf-16-le"), ("001E", self.encoding), ("0102", self.encoding)):
            name = "/".join((*self._place, f"__substg1.0_{tag}{kind}"))
            if self._file.exists(name) and (data := self._file.openstream(name).read()):
                if kind == "001F":
                    return data.decode(encoding, "replace").rstrip("\0").encode("utf-8", "replace"), "utf-8"
                return (data if kind == "0102" else data.rstrip(b"\0")), encoding
        return b"", ""

    def text(self, tag: str, encoding: str = "") -> str:
        """Return a property as text, empty if there is none."""
        stored, own = self.stored(tag)
        try:
            return decode(stored, own or encoding).text
        except ReadError:
            return stored.decode("latin-1")

    def _headers(self) -> dict[str, str]:
        """Return the headers that the message came with, and for those that it had not, the properties."""
        came = message_from_string(self.text(HEADERS).lstrip(), policy=compat32)
        address = next((text for tag in SENDER_ADDRESSES if "@" in (text := self.text(tag))), "")
        sender = self.text(SENDER)
        named = f"{sender} <{address}>" if sender and address and sender != address else sender or address
        own = {"Subject": self.text(SUBJECT), "From": named, "To": self.text(TO), "Cc": self.text(CC)}
        sent = next((time for tag in SENT if (time := self._fixed.get(tag))), 0)
        own["Date"] = _date(sent) if sent else ""
        return {name: header(came, name) or value for name, value in own.items()}

    def _attached(self) -> Iterator[tuple[str, ...]]:
        depth = len(self._place)
        for path in self._file.listdir(streams=False, storages=True):
            if len(path) == depth + 1 and tuple(path[:depth]) == self._place and path[-1].startswith("__attach_"):
                yield tuple(path)

    def _fixed_properties(self) -> Iterator[tuple[int, int]]:
        """Yield the numbers and times, which have no streams of their own; what stands before them differs in size."""
        name = "/".join((*self._place, "__properties_version1.0"))
        data = self._file.openstream(name).read() if self._file.exists(name) else b""
        start = 32 if not self._place else 24 if self._place[-1].endswith("000D") else 8
        for place in range(start, len(data) - 15, 16):
            kind, tag, _, value = struct.unpack_from("<HHIQ", data, place)
            if kind in (NUMBER, TIME):
                yield tag, value & 0xFFFFFFFF if kind == NUMBER else value


def _unread_body(item: _Item) -> str:
    if item.stored(BODY)[0] or item.stored(HTML)[0] or not item.stored(COMPRESSED_RTF)[0]:
        return ""
    return "its body is there as RTF alone, and was not read"


def _encoding(page: int) -> str:
    return f"iso-8859-{page - 28590}" if 28591 <= page <= 28605 else OTHER_CODE_PAGES.get(page, f"cp{page}")


def _date(ticks: int) -> str:
    """Return a time, counted by Windows in tenths of microseconds since 1601, as a header has it."""
    try:
        return format_datetime(datetime(1601, 1, 1, tzinfo=UTC) + timedelta(microseconds=ticks // 10))
    except OverflowError:
        return ""


def _parts(kind: str) -> Message[str, str]:
    message: Message[str, str] = Message(compat32)
    message["Content-Type"] = f"multipart/{kind}"
    message.set_payload([])
    return message


def _within(inner: Message[str, str]) -> Message[str, str]:
    message: Message[str, str] = Message(compat32)
    message["Content-Type"] = "message/rfc822"
    message.attach(inner)
    return message


def _part(data: bytes, media: str, encoding: str) -> Message[str, str]:
    part: Message[str, str] = Message(compat32)
    part.add_header("Content-Type", media, **({"charset": encoding} if encoding else {}))
    part["Content-Transfer-Encoding"] = "base64"
    part.set_payload(b64encode(data).decode("ascii"))
    return part
