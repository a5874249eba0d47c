"""The engine of a server's URL, of memory, and of a client that the user made."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from qdrant_embed.servers.features import require_supported
from qdrant_embed.servers.patience import patient
from qdrant_embed.store.client.engine import ClientEngine, quiet
from qdrant_embed.store.client.grpc import CHANNEL, find_grpc_port
from qdrant_embed.store.client.persistence import AT_ONCE
from qdrant_embed.store.client.server_engine import ServerEngine
from qdrant_embed.store.engine import Engine

if TYPE_CHECKING:
    from qdrant_client import QdrantClient

_LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


def connect(url: str, api_key: str | None, timeout: int) -> Engine:
    """Return the engine of a server, through gRPC if its port answers.

    :raises StoreError: Nobody answers at the URL.
    :raises UnsupportedByEngineError: The server is too old.
    """
    from qdrant_client import QdrantClient

    parts = urlsplit(url)
    grpc_port = find_grpc_port(parts)
    # A key that does not leave the machine needs no warning about an insecure connection.
    with quiet("Api key is used with an insecure") if parts.hostname in _LOCAL_HOSTS else nullcontext():
        client = QdrantClient(
            url=url,
            grpc_port=grpc_port or 0,
            prefer_grpc=grpc_port is not None,
            api_key=api_key or None,
            timeout=timeout,
            grpc_options=dict(CHANNEL),
            check_compatibility=False,
        )
    # A wrong address is to be found out at once: patience is for servers that have answered before.
    try:
        with patient(0.0):
            version = ServerEngine(client, place=url, secret=api_key, retries=AT_ONCE).version
        require_supported(version, url)
    except BaseException:
        client.close()
        raise
    engine = ServerEngine(client, place=url, secret=api_key)
    engine.version = version  # asked for once
    return engine


def in_memory() -> Engine:
    """Return an empty engine that forgets everything when it is closed."""
    from qdrant_client import QdrantClient

    return ClientEngine(QdrantClient(":memory:"), place="memory")


def of_client(client: QdrantClient) -> Engine:
    """Return the engine of a client that the user made, and will close.

    :raises UnsupportedByEngineError: Its server is too old.
    """
    engine = ClientEngine(client, place="your QdrantClient", owned=False)
    if not engine.shared:
        return engine
    require_supported(engine.version, engine.place)
    served = ServerEngine(client, place=engine.place, owned=False)
    served.version = engine.version
    return served
