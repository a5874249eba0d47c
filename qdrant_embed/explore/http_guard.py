"""Who may ask the page: whoever has its token, by the name under which it is served, from the page itself."""

from __future__ import annotations

import json
from collections.abc import Iterable
from hmac import compare_digest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 2 * 2**20
"""Of the body of a request: all points of the largest map, as numbers, are a third of that."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
    (b"cache-control", b"no-store"),
)


class HttpGuard:
    """Lets through what has the token as the first part of its path, which it takes off, and refuses everything else.

    Another site can let a browser send requests to a loopback port, by a name of its own that it makes lead there (DNS
    rebinding), or blindly. So the name asked for has to be ours, and a page that asks has to be this one.

    :param hosts: What the header `Host` may say, such as `127.0.0.1:8000`.
    """

    def __init__(self, app: ASGIApp, token: str, hosts: Iterable[str]) -> None:
        self._app, self._token, self._hosts = app, token.encode(), frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return None
        refused = self._refusal(scope)
        if refused is not None:
            return await _say(send, *refused)
        _, _, rest = scope["path"].removeprefix("/").partition("/")
        body = await _body(receive)
        if body is None:
            return await _say(send, 413, f"a request may have at most {MOST_BYTES:,} bytes")

        async def read() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *HEADERS]
            await send(message)

        await self._app({**scope, "path": f"/{rest}", "raw_path": f"/{rest}".encode()}, read, answer)
        return None

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get("host", "")
        if host not in self._hosts:
            return 421, "this page is not served under that name"
        if headers.get("origin", f"http://{host}") != f"http://{host}":
            return 403, "another page may not ask this one"
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return 403, "another page may not lead here; open the address that was printed"
        token, slash, _ = scope["path"].removeprefix("/").partition("/")
        if not compare_digest(token.encode("utf-8", "replace"), self._token) or not slash:
            return 403, "the address lacks its token; open the one that was printed, whole"
        return None


async def _body(receive: Receive) -> bytes | None:
    """Return the body of a request; None if it is too large, of which no more is read then."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return b"".join(parts)
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MOST_BYTES:
            return None
        if not message.get("more_body"):
            return b"".join(parts)


async def _say(send: Send, status: int, why: str) -> None:
    body = json.dumps({"error": why}).encode()
    start = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *HEADERS]
    await send({"type": "http.response.start", "status": status, "headers": start})
    await send({"type": "http.response.body", "body": body})
