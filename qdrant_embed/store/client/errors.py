"""What can go wrong on the way to a server: sorted into kinds, told in our words."""

from __future__ import annotations

import base64
import html
import json
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import unquote

from qdrant_embed.errors import (
    AccessDeniedError,
    CollectionExistsError,
    CollectionNotFoundError,
    StoreError,
    UnsupportedByEngineError,
)
from qdrant_embed.store.client.limits import limit_error

LONGEST = 300
"""Characters of a server's reason that are shown."""
PART = 8
"""Characters of a secret in a row that are struck out wherever they stand."""

Kind = Literal[
    "unreachable", "cut", "timeout", "away", "busy", "broken", "foreign", "too large", "forbidden", "missing",
    "refused", "unsupported",
]  # fmt: skip
TRANSIENT: frozenset[Kind] = frozenset({"unreachable", "cut", "timeout", "away", "busy", "broken", "foreign"})
UNSENT: frozenset[Kind] = frozenset({"unreachable", "busy"})
"""Faults that leave the server as it was, so that even what must not be done twice may be tried again."""

ADVICE: dict[Kind, str] = {
    "unreachable": "Is a server running there? Start one: docker run -p 6333:6333 -p 6334:6334 qdrant/qdrant",
    "cut": "The connection was cut several times; look at the server's log and at proxies on the way.",
    "timeout": "The server did not answer in time; look at its load, or give it longer.",
    "away": "A proxy before the server says so, or the server while it starts; look at their logs.",
    "busy": "The server limits requests and stayed at its limit; try again later.",
    "broken": "The server failed several times; look at its log.",
    "foreign": "Check the address, and what stands between: a proxy, a login page, another program.",
    "too large": "A single request is larger than the server takes; raise service.max_request_size_mb there.",
    "forbidden": "Set the environment variable QDRANT_API_KEY to a key that may do this.",
    "missing": "Check the URL: is it a Qdrant server's, with the right port and path?",
    "refused": "",
    "unsupported": "A current Qdrant server has it.",
}


@dataclass(frozen=True, slots=True)
class ServerFault:
    """One failure of a request.

    :param detail: What was said about it, without secrets.
    :param wait: Seconds after which the server wants to be asked again, if it said so.
    """

    kind: Kind
    detail: str
    wait: float | None = None


class FaultError(Exception):
    """Carries a fault to those who can act on it; users see `told(…)`."""

    def __init__(self, fault: ServerFault) -> None:
        super().__init__(fault.detail)
        self.fault = fault


def told(fault: ServerFault, place: str, collection: str | None) -> StoreError:
    """Return the error that a user sees.

    :param place: The server's URL, or `memory`.
    """
    detail = f"{place}: {fault.detail}".rstrip(". ")
    if (limited := limit_error(fault.detail, detail)) is not None:
        return limited
    if fault.kind == "missing" and collection is not None and _names_a_collection(fault.detail):
        return CollectionNotFoundError(f"there is no collection {collection!r} at {place}.")
    if re.search(r"([Cc]ollection|[Aa]lias) .*already exists", fault.detail):
        return CollectionExistsError(f"{detail}. Choose another name.")
    if fault.kind == "foreign":
        return StoreError(f"what answers at {place} is no Qdrant server: {fault.detail}. {ADVICE['foreign']}")
    kinds: dict[Kind, type[StoreError]] = {"unsupported": UnsupportedByEngineError, "forbidden": AccessDeniedError}
    return kinds.get(fault.kind, StoreError)(f"{detail}. {ADVICE[fault.kind]}".rstrip())


def diagnose(error: Exception, secret: str | None) -> ServerFault:
    """Sort an exception of `qdrant_client`, or of what lies below it."""
    fault = _of_http(error) or _of_grpc(error) or _of_local(error)
    detail = struck(" ".join(fault.detail.split()), secret)
    return ServerFault(fault.kind, detail if len(detail) <= LONGEST else f"{detail[:LONGEST]}…", fault.wait)


def struck(text: str, secret: str | None) -> str:
    """Return a text without a secret or parts of it, also where it is escaped or encoded.

    To be called before a text is cut: what is left of a secret then would not be found any more.
    """
    if not secret:
        return text
    for plainer in (_without_escapes, html.unescape, unquote):
        plain = plainer(text)
        if secret not in text and secret in plain:
            text = plain
    data = secret.encode()
    encoded = [base64.b64encode(b"\0" * shift + data).decode()[4 * bool(shift) : -4] for shift in range(3)]
    for form in (secret, *encoded):
        text = _without_parts(text, form)
    return text


def _without_escapes(text: str) -> str:
    return re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text)


def _without_parts(text: str, form: str) -> str:
    size = min(PART, len(form))
    if not size:
        return text
    parts = {form[start : start + size] for start in range(len(form) - size + 1)}
    covered = [False] * len(text)
    for start in range(len(text) - size + 1):
        if text[start : start + size] in parts:
            covered[start : start + size] = [True] * size
    kept: list[str] = []
    for place, hidden in enumerate(covered):
        if not hidden:
            kept.append(text[place])
        elif not place or not covered[place - 1]:
            kept.append("***")
    return "".join(kept)


_TOO_LARGE = re.compile("message (length )?(too large|larger)|request larger than rate limiter capacity")
"""What can never pass as one request, however often it is sent."""


def _of_http(error: Exception) -> ServerFault | None:
    from qdrant_client.common.client_exceptions import QdrantException, ResourceExhaustedResponse
    from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

    if isinstance(error, ResourceExhaustedResponse):
        wait = float(error.retry_after_s)
        return ServerFault("busy", f"too many requests, wanted a pause of {wait:g} s ({error})", wait)
    if isinstance(error, UnexpectedResponse) and 300 <= (error.status_code or 0) < 400:
        to = error.headers.get("location") or "another place"
        return ServerFault("foreign", f"it redirects to {to} (HTTP {error.status_code})")
    if isinstance(error, UnexpectedResponse):
        said = _said(error.content)
        kind: Kind = "too large" if _TOO_LARGE.search(said) else _kind_of_status(error.status_code or 0)
        return ServerFault(kind, f"HTTP {error.status_code}, {said}")
    if isinstance(error, ResponseHandlingException):
        return _of_transport(error.source)
    if isinstance(error, QdrantException):
        return ServerFault("busy", str(error))
    return None


def _of_transport(error: Exception) -> ServerFault:
    import httpx

    name = type(error).__name__
    if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout)):
        return ServerFault("unreachable", f"no connection ({error or name})")
    if isinstance(error, httpx.TimeoutException):
        return ServerFault("timeout", f"no answer in time ({name})")
    if isinstance(error, httpx.TransportError):
        return ServerFault("cut", f"the connection was cut ({error or name})")
    return ServerFault("foreign", f"it sent {_kind_of_answer(error)}")


def _of_grpc(error: Exception) -> ServerFault | None:
    import grpc  # type: ignore[import-untyped]

    if not isinstance(error, grpc.RpcError):
        return None
    status, detail = error.code(), str(error.details())
    if status in (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.OUT_OF_RANGE):
        return ServerFault("too large" if _TOO_LARGE.search(detail) else "busy", f"gRPC {status.name}, {detail}")
    kinds: dict[Any, Kind] = {
        grpc.StatusCode.UNAVAILABLE: "unreachable" if "connect" in detail.lower() else "cut",
        grpc.StatusCode.DEADLINE_EXCEEDED: "timeout",
        grpc.StatusCode.INTERNAL: "broken",
        grpc.StatusCode.UNAUTHENTICATED: "forbidden",
        grpc.StatusCode.PERMISSION_DENIED: "forbidden",
        grpc.StatusCode.NOT_FOUND: "missing",
        grpc.StatusCode.UNIMPLEMENTED: "unsupported",
    }
    return ServerFault(kinds.get(status, "refused"), f"gRPC {status.name}, {detail}")


def _of_local(error: Exception) -> ServerFault:
    if isinstance(error, NotImplementedError):
        return ServerFault("unsupported", str(error))
    if isinstance(error, json.JSONDecodeError):
        return ServerFault("foreign", f"it sent {_kind_of_answer(error)}")
    if isinstance(error, RecursionError):
        return ServerFault("refused", "a filter or a query is nested too deep")
    return ServerFault("missing" if _names_a_collection(str(error)) else "refused", f"{type(error).__name__}: {error}")


def _kind_of_status(status: int) -> Kind:
    if status in (401, 403):
        return "forbidden"
    if status in (502, 503, 504):
        return "away"
    if status >= 500:
        return "broken"
    kinds: dict[int, Kind] = {404: "missing", 408: "timeout", 413: "too large", 429: "busy"}
    return kinds.get(status, "refused")


def _kind_of_answer(error: Exception) -> str:
    if not isinstance(error, json.JSONDecodeError):
        return f"an answer that is not Qdrant's ({type(error).__name__})"
    text = error.doc.strip()
    if not text:
        return "an empty answer"
    return "HTML" if text.startswith("<") else "an answer that is no JSON"


def _said(content: bytes) -> str:
    """Return what the server gave as the reason."""
    text = content.decode("utf-8", "replace")
    found = re.search(r'"error"\s*:\s*("(?:[^"\\]|\\.)*")', text)
    if found is not None:
        with suppress(ValueError):
            return str(json.loads(found[1], strict=False)) or "no reason given"
    return text.strip() or "no reason given"


def _names_a_collection(detail: str) -> bool:
    return bool(re.search(r"[Cc]ollection .*(doesn't exist|does not exist|not found)", detail))
