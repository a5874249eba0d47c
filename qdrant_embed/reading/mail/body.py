"""The body of a message: the text of its parts, and what of them is not text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from email.policy import compat32
from typing import Any

from qdrant_embed.errors import ReadError
from qdrant_embed.reading.html import fragment_to_markdown
from qdrant_embed.reading.mail.headers import file_name, header, is_attached, kind, parameter
from qdrant_embed.reading.parsed import clean
from qdrant_embed.reading.text_encoding import decode, markup_encoding

DEEPEST = 30
STANDARD_PREAMBLE = re.compile(
    r"\W*(?:this is a )?(?:\w+ signed )?(?:multi-?part )?message in mime format.*",
    re.IGNORECASE | re.DOTALL,
)
BOUNDARY_LINE = re.compile(r"^--(?=\S)([^\n]{1,200}?)(?:--)?[ \t]*$", re.MULTILINE)
LATE_HEADERS = re.compile(r"\s*(?:[\w-]+:[^\n]*\n(?:[ \t][^\n]*\n)*)*?(?:content-type|mime-version):", re.IGNORECASE)
BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*")
WORDS = re.compile(r"\w+")
BLANK = re.compile("[\\s\u00a0\u00ad\u034f\u200b-\u200f\u2060\ufeff]*")
ENOUGH = 0.6
"""Share of an HTML part's words that the plain one must have to be taken for the same text."""
CALENDAR_FIELDS = ("SUMMARY", "DESCRIPTION", "LOCATION", "DTSTART", "DTEND", "ORGANIZER", "COMMENT")
QUOTED_SIGN = re.compile(r"(>*) ?(.*)")


@dataclass(slots=True)
class Body:
    """What a message holds.

    :param texts: Its text, in pieces, in their order.
    :param attachments: Names of the files in it.
    """

    texts: list[str] = field(default_factory=list)
    attachments: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    guessed_encoding: str = ""

    def read(self, part: Message[Any, Any], depth: int = 0) -> None:
        """Read a part and all that is in it."""
        media = kind(part)
        if depth > DEEPEST:
            self.notes.append("a part is nested too deeply and was not read")
        elif part.is_multipart():
            self._read_parts(part, media, depth)
        elif media.startswith("multipart/") or (depth == 0 and part.get("content-type") is None):
            self._read_unparted(part, depth)
        elif media.startswith("text/") or (media == "message/rfc822"):
            self._add_text(part, media)
        else:
            self._name(part, media)

    def _read_parts(self, part: Message[Any, Any], media: str, depth: int) -> None:
        parts = [inner for inner in part.get_payload() if isinstance(inner, Message)]
        self._add_around(part.preamble)
        if media == "message/rfc822":
            for inner in parts:
                subject = header(inner, "subject")
                about = [f"{name}: {value}" for name in ("From", "To", "Date") if (value := header(inner, name))]
                self.texts.append("\n".join(filter(None, (f"## {subject}" if subject else "", *about))))
                self.read(inner, depth + 1)
        elif media == "multipart/alternative":
            self._read_alternatives(parts, depth)
        else:
            for inner in parts:
                if media.startswith("message/"):  # the fields of a report of delivery
                    self.texts.append("\n".join(f"{name}: {header(inner, name)}" for name in inner))
                self.read(inner, depth + 1)
        self._add_around(part.epilogue)

    def _read_alternatives(self, parts: list[Message[Any, Any]], depth: int) -> None:
        """Take the plain form if it is the same text as the others, else the one with the most words."""
        bodies = []
        for inner in parts:
            body = Body()
            body.read(inner, depth + 1)
            bodies.append((len(WORDS.findall("\n".join(body.texts))), kind(inner) == "text/plain", body))
            self.attachments += body.attachments
        most = max((words for words, _, _ in bodies), default=0)
        chosen = next((body for words, plain, body in bodies if plain and words >= ENOUGH * most and words), None)
        chosen = chosen or next((body for words, _, body in bodies if words == most), None)
        if chosen:
            self.texts += chosen.texts
            self.notes += chosen.notes
            self.guessed_encoding = self.guessed_encoding or chosen.guessed_encoding

    def _read_unparted(self, part: Message[Any, Any], depth: int) -> None:
        """Read a message whose parts are not told apart as it says: by the boundary that is in it, or as text."""
        payload = str(part.get_payload())
        boundary = BOUNDARY_LINE.search(payload) if kind(part).startswith("multipart/") else None
        head = ""
        if boundary:
            head = f'Content-Type: {kind(part)}; boundary="{boundary[1]}"\n\n'
        elif not LATE_HEADERS.match(payload):
            self._add_text(part, "text/plain")
            return
        inner = message_from_bytes((head + payload.lstrip()).encode("utf-8", "surrogateescape"), policy=compat32)
        if inner.is_multipart() or not boundary:
            self.read(inner, depth + 1)
        else:
            self._add_text(part, "text/plain")

    def _add_text(self, part: Message[Any, Any], media: str) -> None:
        named = file_name(part) if is_attached(part) else ""
        if named:
            self.attachments.append(named)
        try:
            data = payload(part)
            named_encoding = parameter(part, "charset") or (markup_encoding(data) if media == "text/html" else "")
            decoded = decode(data, named_encoding)
        except ReadError as error:
            self.notes.append(f"a part was not read: {error.reason}")
            return
        text = clean(decoded.text)
        if media == "text/html":
            text = fragment_to_markdown(text)
        elif media == "text/calendar":
            text = _calendar(text)
        elif parameter(part, "format").lower() == "flowed":
            text = _unflowed(text, delete_space=parameter(part, "delsp").lower() == "yes")
        if not BLANK.fullmatch(text):
            self.texts.append((f"## {named}\n\n" if named else "") + text.strip("\n"))
            self.notes += decoded.notes
            self.guessed_encoding = self.guessed_encoding or decoded.guessed_encoding

    def _add_around(self, text: str | None) -> None:
        """Keep what stands before the first part and after the last, unless it is what old programs are told there."""
        if text and text.strip() and not STANDARD_PREAMBLE.fullmatch(text):
            raw = text.encode("utf-8", "surrogateescape")
            self.texts.append(clean(raw.decode("utf-8", "replace")).strip())

    def _name(self, part: Message[Any, Any], media: str) -> None:
        name = file_name(part)
        if name:
            self.attachments.append(name)
        if not media.startswith("text/") and (is_attached(part) or (name and not media.startswith("image/"))):
            self.notes.append(f"an attached file was not read: {name or media}")


def payload(part: Message[Any, Any]) -> bytes:
    """Return the bytes of a part; what says that it is base64 and is not stands as it is."""
    written = part.get_payload()
    encoding = str(part.get("content-transfer-encoding", "")).strip().lower()
    if isinstance(written, str) and encoding == "base64" and not BASE64.fullmatch(written):
        return written.encode("utf-8", "surrogateescape")
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _unflowed(text: str, *, delete_space: bool) -> str:
    """Join the lines of a paragraph (RFC 3676): a space at the end of a line says that it goes on."""
    lines: list[str] = []
    flowing, depth = False, ""
    for line in text.split("\n"):
        sign = QUOTED_SIGN.fullmatch(line)
        quote, rest = (sign[1], sign[2]) if sign else ("", line)
        if flowing and quote == depth and rest != "-- ":
            lines[-1] = (lines[-1][:-1] if delete_space else lines[-1]) + rest
        else:
            lines.append(f"{quote} {rest}" if quote else rest)
        flowing, depth = rest.endswith(" ") and rest != "-- ", quote
    return "\n".join(line.rstrip() for line in lines)


def _calendar(text: str) -> str:
    """Return the fields of an invitation that a reader is shown."""
    unfolded = re.sub(r"\n[ \t]", "", text)
    lines = []
    for line in unfolded.split("\n"):
        name, _, value = line.partition(":")
        if name.partition(";")[0].upper() in CALENDAR_FIELDS and value.strip():
            plain = re.sub(r"\\([\\,;])", r"\1", value.replace("\\n", "\n").replace("\\N", "\n"))
            lines.append(f"{name.partition(';')[0].capitalize()}: {plain}")
    return "\n".join(lines)
