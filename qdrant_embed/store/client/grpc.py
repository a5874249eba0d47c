"""Whether a server can be spoken to through gRPC, which is faster for points than JSON."""

from __future__ import annotations

import os
import socket
from urllib.parse import SplitResult

from qdrant_embed.errors import ConfigurationError

REST_PORT = 6333
GRPC_PORT = 6334
VARIABLE = "QDRANT_GRPC_PORT"
PATIENCE = 1.0
"""Seconds that a port may take to answer."""
CHANNEL = {
    "grpc.initial_reconnect_backoff_ms": 200,
    "grpc.min_reconnect_backoff_ms": 2000,
    "grpc.max_reconnect_backoff_ms": 500,
}
"""Options of a channel. By default it looks for a server that went away after pauses of up to two minutes, and waits
20 seconds for a try to connect (`min`, whatever its name says)."""


def find_grpc_port(url: SplitResult) -> int | None:
    """Return the server's gRPC port, None for JSON.

    The environment variable `QDRANT_GRPC_PORT` decides; 0 stands for JSON. Without it, a server on the usual port whose
    usual gRPC port answers is spoken to through gRPC. A URL with a path belongs to a proxy, so it gets JSON.

    :raises ConfigurationError: The variable is not a port.
    """
    chosen = os.environ.get(VARIABLE)
    if chosen:
        if not chosen.isdecimal() or int(chosen) > 65535:
            raise ConfigurationError(
                f"{VARIABLE}={chosen!r} is not a port; expected a number such as 6334, or 0 for none."
            )
        return int(chosen) or None
    if url.hostname is None or url.path.strip("/") or url.port not in (None, REST_PORT):
        return None
    return GRPC_PORT if _answers(url.hostname, GRPC_PORT, secure=url.scheme == "https") else None


def _answers(host: str, port: int, *, secure: bool) -> bool:
    import grpc  # type: ignore[import-untyped]

    try:
        # A closed port says so at once; the channel below would go on trying.
        socket.create_connection((host, port), timeout=PATIENCE).close()
    except OSError:
        return False
    target = f"{host}:{port}"
    channel = grpc.secure_channel(target, grpc.ssl_channel_credentials()) if secure else grpc.insecure_channel(target)
    try:
        grpc.channel_ready_future(channel).result(timeout=PATIENCE)
    except grpc.FutureTimeoutError:
        return False
    finally:
        channel.close()
    return True
