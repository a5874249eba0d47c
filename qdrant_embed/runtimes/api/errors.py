"""What can go wrong with one request, by what should be done about it, and how to tell from an answer."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

PASSING_STATUSES = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529})
"""Statuses after which the same request may work a little later."""

_NO_CREDIT = re.compile(r"insufficient_quota|exceeded your current quota|billing", re.IGNORECASE)
_TOO_LARGE = re.compile(
    r"too (?:long|large|many (?:tokens|inputs|texts))|context[ _](?:length|window)"
    r"|max(?:imum)?[ _](?:allowed |input |number )?(?:batch|length|tokens|input|context)|max \d+ tokens|max_tokens"
    r"|exceed\w* (?:\w+ ){0,3}(?:length|size|tokens|limit)|must have less than|at most \d+ (?:texts|items|inputs)",
    re.IGNORECASE,
)
_OF_TIME = re.compile(
    r"time[ -]?limit|timed?[ -]?out|deadline|rate[ -]?limit|per (?:second|minute|hour|day)|\b[rt]p[mds]\b",
    re.IGNORECASE,
)
"""Limits that pass by themselves, whatever the size of a request."""
_TOO_LARGE_FOR_A_MINUTE = re.compile(r"request too large|tokens must be reduced", re.IGNORECASE)
_SHOWN = 300


class RequestError(Exception):
    """A request brought no vectors; the message says why and holds no secret.

    :param wait: Seconds that the server asked to be left alone, None if it did not say.
    """

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


class TransientError(RequestError):
    """The same request may work later."""


class MalformedResponseError(TransientError):
    """An answer came and cannot be used: no JSON, a wrong count, a wrong width, something that is not a number."""


class TooLargeError(RequestError):
    """The request is larger than the server takes; its halves may not be."""


class PerhapsTooLargeError(TooLargeError):
    """The server broke down and spoke of size: worth one more try before the request is halved."""


class RejectedError(RequestError):
    """The server judged these texts and will judge them so again."""


class PermanentError(RequestError):
    """Every request will end like this: a wrong key, a wrong address, no credit."""


def fault_of(status: int, headers: Mapping[str, str], message: str) -> RequestError:
    """Tell what an answer that is no success means.

    :param message: What the server said, secrets already taken out.
    """
    said = f"status {status}: {message}" if message else f"status {status}"
    if status == 429 and _NO_CREDIT.search(message):
        return PermanentError(said)
    if status == 413 or (status == 429 and _TOO_LARGE_FOR_A_MINUTE.search(message)):
        return TooLargeError(said)
    if _TOO_LARGE.search(message) and not _OF_TIME.search(message):
        if status in (400, 422):
            return TooLargeError(said)
        if status == 500:
            return PerhapsTooLargeError(said, retry_after(headers))
    if status in PASSING_STATUSES:
        return TransientError(said, retry_after(headers))
    if status in (400, 422):
        return RejectedError(said)
    return PermanentError(said)


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Return the seconds a server asks to be left alone, None if it does not say (RFC 9110, section 10.2.3).

    A date is compared with the server's own `Date`, since its clock and ours may differ.
    """
    try:
        if "retry-after-ms" in headers:
            return max(0.0, float(headers["retry-after-ms"]) / 1000)
        stated = headers["retry-after"].strip()
        if re.fullmatch(r"\d+(\.\d*)?", stated):
            return float(stated)
        here = now or (parsedate_to_datetime(headers["date"]) if "date" in headers else datetime.now(UTC))
        until = parsedate_to_datetime(stated)
        return max(0.0, (_aware(until) - _aware(here)).total_seconds())
    except (KeyError, ValueError, TypeError):
        return None


def said_by(body: bytes) -> str:
    """Return the message in an error's body, in one line, whole: what is cut off later must be scrubbed first."""
    text = body.decode("utf-8", "replace")
    try:
        found = json.loads(text)
    except ValueError:
        return _one_line(text)
    for key in ("error", "message", "detail", "error_description"):
        if isinstance(found, dict) and found.get(key):
            found = found[key]
    return _one_line(found if isinstance(found, str) else json.dumps(found))


def shortened(message: str) -> str:
    """Return at most `_SHOWN` characters of a message."""
    return message if len(message) <= _SHOWN else message[:_SHOWN] + "…"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
