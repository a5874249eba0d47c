"""A letter as Markdown: its subject as heading, the headers worth reading, the body, the names of attachments."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes, policy
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import Any

from qdrant_embed.reading.mail.body import Body
from qdrant_embed.reading.mail.headers import header
from qdrant_embed.reading.mail.outlook import outlook_message
from qdrant_embed.reading.parsed import Parsed
from qdrant_embed.types import Json

HEADERS = ("From", "To", "Cc", "Date")


def read_eml(data: bytes, name: str) -> Parsed:
    """Read an Internet message; of several alternatives of the body, the plain one unless it says less."""
    message = message_from_bytes(data, policy=policy.compat32)
    return _read(message, has_body=len(data) > len(data.partition(b"\n\n")[0]) + 2)


def read_msg(data: bytes, name: str) -> Parsed:
    """Read an Outlook message as an Internet message of the same parts."""
    message, unread = outlook_message(data)
    parsed = _read(message, has_body=False)
    return replace(parsed, notes=(unread, *parsed.notes)) if unread else parsed


def _read(message: Message[Any, Any], *, has_body: bool) -> Parsed:
    """Read a message.

    :param has_body: Whether there is more than headers, so that it is to be said if no text is found in it.
    """
    headers = {name: value for name in HEADERS if (value := header(message, name))}
    body = Body()
    body.read(message)
    if not body.texts and has_body and not body.notes:
        body.notes.append("no text was found in its body")
    if body.attachments:
        headers["Attachments"] = ", ".join(body.attachments)
    parsed = _letter(header(message, "Subject"), headers, "\n\n".join(body.texts))
    return replace(parsed, notes=tuple(dict.fromkeys(body.notes)), guessed_encoding=body.guessed_encoding)


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
