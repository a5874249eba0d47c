"""E-mail: headers worth reading, the body, the names of attachments."""

from __future__ import annotations

import io
import re
from contextlib import suppress
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime

from qdrant_embed.reading.decoding import decode
from qdrant_embed.reading.parsed import Parsed, one_line
from qdrant_embed.reading.web import fragment_to_markdown
from qdrant_embed.types import Json

HEADERS = ("From", "To", "Cc", "Date")
MSG_HEADER = re.compile(r"^\*\*(From|To|Subject):\*\* (.*)$", re.MULTILINE)


def read_eml(data: bytes, name: str) -> Parsed:
    """Read an Internet message; of several alternatives of the body, the plain one."""
    message = message_from_bytes(data, policy=policy.default)
    headers = {header: one_line(str(message[header])) for header in HEADERS if message[header]}
    attachments = [one_line(part.get_filename() or "") for part in message.walk() if part.is_attachment()]
    if any(attachments):
        headers["Attachments"] = ", ".join(filter(None, attachments))
    return _letter(one_line(str(message["Subject"] or "")), headers, _body(message))


def read_msg(data: bytes, name: str) -> Parsed:
    """Read an Outlook message."""
    from markitdown import StreamInfo
    from markitdown.converters import OutlookMsgConverter

    converted = OutlookMsgConverter().convert(io.BytesIO(data), StreamInfo()).markdown
    about, _, body = converted.partition("## Content")
    headers = {match[1]: one_line(match[2]) for match in MSG_HEADER.finditer(about)}
    return _letter(headers.pop("Subject", ""), headers, body)


def _letter(subject: str, headers: dict[str, str], body: str) -> Parsed:
    """Put a message together with its subject as heading, so that every chunk of a long one has it as context."""
    lines = "\n".join(f"{header}: {value}" for header, value in headers.items())
    text = "\n\n".join(part for part in (f"# {subject}" if subject else "", lines, body.strip()) if part)
    metadata: dict[str, Json] = {header.lower(): headers[header] for header in ("From", "To") if header in headers}
    if "Date" in headers:
        metadata["date"] = _iso(headers["Date"])
    return Parsed(text=text, title=subject, text_type="text/markdown", metadata=metadata)


def _iso(date: str) -> str:
    try:
        return parsedate_to_datetime(date).isoformat()
    except ValueError:
        return date


def _body(message: EmailMessage) -> str:
    shown = [part for part in message.walk() if not part.is_attachment() and part.get_content_maintype() == "text"]
    plain = [part for part in shown if part.get_content_subtype() == "plain"]
    if plain:
        return "\n\n".join(_decoded(part) for part in plain)
    return "\n\n".join(fragment_to_markdown(_decoded(part)) for part in shown if part.get_content_subtype() == "html")


def _decoded(part: EmailMessage) -> str:
    """Decode a part as it says, or, where it says nothing or something unknown, as the bytes look."""
    if part.get_content_charset() is not None:
        with suppress(LookupError):
            return str(part.get_content())
    payload = part.get_payload(decode=True)
    return decode(payload).text if isinstance(payload, bytes) else ""
