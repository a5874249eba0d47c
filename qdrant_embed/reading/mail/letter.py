"""A letter as Markdown: its subject as heading, the headers worth reading, the body, the names of attachments."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from email import message_from_bytes, policy
from email.utils import parsedate_to_datetime

from qdrant_embed.reading.mail.body import Body
from qdrant_embed.reading.mail.headers import header
from qdrant_embed.reading.parsed import Parsed, one_line
from qdrant_embed.types import Json

HEADERS = ("From", "To", "Cc", "Date")
MSG_HEADER = re.compile(r"^\*\*(From|To|Subject):\*\* (.*)$", re.MULTILINE)


def read_eml(data: bytes, name: str) -> Parsed:
    """Read an Internet message; of several alternatives of the body, the plain one unless it says less."""
    message = message_from_bytes(data, policy=policy.compat32)
    headers = {name: value for name in HEADERS if (value := header(message, name))}
    body = Body()
    body.read(message)
    if not body.texts and len(data) > len(data.partition(b"\n\n")[0]) + 2 and not body.notes:
        body.notes.append("no text was found in its body")
    if body.attachments:
        headers["Attachments"] = ", ".join(body.attachments)
    parsed = _letter(header(message, "Subject"), headers, "\n\n".join(body.texts))
    return replace(parsed, notes=tuple(dict.fromkeys(body.notes)), guessed_encoding=body.guessed_encoding)


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
