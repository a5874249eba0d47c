"""Running a server: over standard input and output, or over HTTP on this machine alone."""

from __future__ import annotations

import asyncio
import hmac
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Sequence

from mcp.server.transport_security import TransportSecuritySettings
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from qdrant_embed.display import reason
from qdrant_embed.errors import ConfigurationError
from qdrant_embed_mcp.open_collections import OpenCollections, Settings
from qdrant_embed_mcp.server import make_server

LOOPBACK = "127.0.0.1"
MOST_REQUEST_BYTES = 1 << 20
SHORTEST_TOKEN = 16
INTERRUPTED = 130
CLOSE_SECONDS = 2.0


def serve_stdio(settings: Settings) -> None:
    """Serve the client at the other end of standard input and output, until it goes away.

    Nothing but messages of the protocol is written to standard output: what else is printed, by whatever is loaded,
    goes to standard error. At Ctrl-C and SIGTERM the process ends with code 130: a thread that waits for the client's
    next line cannot be woken. What was stored is kept.
    """
    _log_to_stderr()
    with OpenCollections(settings) as collections:
        asyncio.run(_answer_stdio(collections))


async def _answer_stdio(collections: OpenCollections) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN and sys.platform != "win32":
            loop.add_signal_handler(number, _leave, collections)
    await make_server(collections).run_stdio_async()


def _leave(collections: OpenCollections) -> None:
    """End the process: collections are closed, unless that takes longer than a person waits."""
    closing = threading.Thread(target=collections.close, daemon=True)
    closing.start()
    closing.join(CLOSE_SECONDS)
    os._exit(INTERRUPTED)


def serve_http(settings: Settings, port: int, *, token: str | None = None) -> None:
    """Serve clients on this machine at `http://127.0.0.1:PORT/mcp`, until Ctrl-C.

    Requests whose `Host` or `Origin` is another machine's are refused, so that no page in a browser reaches it.

    :param token: What clients have to send as `Authorization: Bearer TOKEN`; None to ask for none.
    :raises ConfigurationError: The token is too short to be a secret, or missing though clients may write; or the port
        is taken.
    """
    import uvicorn

    with _listening(port) as listener, OpenCollections(settings) as collections:
        _log_to_stderr()
        config = uvicorn.Config(
            http_app(collections, port, token=token),
            ws="none",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=2,
        )
        uvicorn.Server(config).run([listener])


def _listening(port: int) -> socket.socket:
    try:
        return socket.create_server((LOOPBACK, port))
    except OSError as error:
        raise ConfigurationError(
            f"port {port} cannot be listened at: {reason(error)}. Give another: --http PORT."
        ) from None


def http_app(collections: OpenCollections, port: int, *, token: str | None = None) -> ASGIApp:
    """Return the app that `serve_http` runs."""
    if token is not None and len(token) < SHORTEST_TOKEN:
        raise ConfigurationError(f"the token has {len(token)} characters; give at least {SHORTEST_TOKEN}, random ones.")
    if token is None and collections.settings.allow_writes:
        raise ConfigurationError(
            "other users of this machine can reach a port, too: to allow writes over HTTP, give a token. Type: "
            "QDRANT_EMBED_MCP_TOKEN=$(openssl rand -hex 16) qdrant-embed mcp …"
        )
    hosts = [f"{host}:{port}" for host in (LOOPBACK, "localhost")]
    security = TransportSecuritySettings(allowed_hosts=hosts, allowed_origins=[f"http://{host}" for host in hosts])
    app = make_server(collections).streamable_http_app(
        json_response=True, stateless_http=True, max_request_body_size=MOST_REQUEST_BYTES, transport_security=security,
        host=LOOPBACK,
    )  # fmt: skip
    return app if token is None else _Guard(app, token)


class _Guard:
    """Lets requests with the token through."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app, self._wanted = app, f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not hmac.compare_digest(_authorization(scope["headers"]), self._wanted):
            refused = PlainTextResponse(
                "the header 'Authorization: Bearer TOKEN' is missing or has another token",
                401,
                {"WWW-Authenticate": "Bearer"},
            )
            await refused(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _authorization(headers: Sequence[tuple[bytes, bytes]]) -> bytes:
    return next((value for name, value in headers if name == b"authorization"), b"")


def _log_to_stderr() -> None:
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    logging.captureWarnings(capture=True)
