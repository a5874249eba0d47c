"""The page served on a loopback port, in this thread or in one of its own."""

from __future__ import annotations

import secrets
import socket
import threading
from typing import TYPE_CHECKING, Any

from qdrant_embed.display import reason
from qdrant_embed.errors import ConfigurationError
from qdrant_embed.explore.web_app import make_app
from qdrant_embed.extras import require_extra

if TYPE_CHECKING:
    from qdrant_embed.explore.explorer_session import ExplorerSession

LOOPBACK = "127.0.0.1"
MOST_REQUESTS = 32
"""That are answered at once."""


class PageServer:
    """Serves a session until it is told to stop.

    :param port: 0 for any that is free.
    :raises MissingExtraError: starlette or uvicorn is not installed.
    :raises ConfigurationError: The port is taken.
    """

    def __init__(self, session: ExplorerSession, port: int = 0) -> None:
        require_extra("explore", "explore")
        import uvicorn

        self._socket = _bound(port)
        self._port = self._socket.getsockname()[1]
        self._token = secrets.token_urlsafe(32)
        hosts = [f"{host}:{self._port}" for host in (LOOPBACK, "localhost")]
        config = uvicorn.Config(
            make_app(session, self._token, hosts),
            log_config=None,
            log_level="critical",
            access_log=False,  # it would show the token
            lifespan="off",
            loop="asyncio",
            http="h11",
            ws="none",
            server_header=False,
            proxy_headers=False,
            limit_concurrency=MOST_REQUESTS,
            timeout_graceful_shutdown=2,
        )
        self._server: Any = uvicorn.Server(config)
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The address of the page, with its token: whoever knows it can read the collection."""
        return f"http://{LOOPBACK}:{self._port}/{self._token}/"

    def run(self) -> None:
        """Serve until Ctrl-C."""
        self._server.run(sockets=[self._socket])

    def start(self) -> None:
        """Serve in a thread of its own, a daemon."""
        self._thread = threading.Thread(target=self.run, name="qdrant-embed-explore", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop serving; the port is free afterwards."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(10)
        self._socket.close()


def _bound(port: int) -> socket.socket:
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((LOOPBACK, port))
        found.listen(128)
    except (OSError, OverflowError) as error:
        found.close()
        why = reason(error) if isinstance(error, OSError) else "it is no number of a port"
        raise ConfigurationError(f"port {port} cannot be used ({why}); give another, or 0 for any free one.") from None
    return found
