"""One small file that belongs to a collection: beside its shard in a folder, in its metadata elsewhere."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from qdrant_embed.compression import Compression
from qdrant_embed.errors import ConfigurationError
from qdrant_embed.store.engine import is_served
from qdrant_embed.store.metadata import metadata_of

if TYPE_CHECKING:
    from qdrant_embed.store.engine import Engine
    from qdrant_embed.types import Json

SERVER_BYTES = 30 * 1024 * 1024
"""What an attachment may take in a request: a server takes 32 MiB by default, other metadata included."""

ATTACHMENT_KEY = "qdrant_embed_transform"
"""Metadata entry of an attachment where there is no folder: base64, apart from what `schema.read_metadata` returns."""


def require_room(engine: Engine, compression: Compression, dim: int) -> None:
    """Refuse a compression that learns more than a server can keep, before anything is made by it.

    :param dim: Dimensions that are compressed.
    :raises ConfigurationError: Its matrix would not fit into a request.
    """
    rows = 2 * compression.learned if compression.learned else dim if compression.rotation else 0
    needed = 4 * -(-4 * rows * dim // 3)
    if is_served(engine) and needed > SERVER_BYTES:
        most = int((SERVER_BYTES * 3 / 16) ** 0.5) // 64 * 64
        raise ConfigurationError(
            f"compression {str(compression)!r} keeps a matrix of {rows} x {dim} numbers with the collection: "
            f"{needed / 2**20:.0f} MB in one request, and a server takes 32. Keep fewer dimensions (rotations of up to "
            f"'{most}d' fit), use no rotation, or a folder: at='./qdrant_data'."
        )


def save_attachment(engine: Engine, name: str, data: bytes, noted: dict[str, Json]) -> None:
    """Keep a file with a collection, replacing the one there was, on disk when this returns.

    :param noted: Metadata entries that say which file it is; set with it, in one request where it is metadata too.
    """
    from qdrant_embed.store.edge import EdgeEngine

    if isinstance(engine, EdgeEngine):
        engine.folder().attach(name, data)
        engine.update_collection(collection_name=name, metadata=noted)
        return
    encoded = base64.b64encode(data).decode("ascii")
    engine.update_collection(collection_name=name, metadata={ATTACHMENT_KEY: encoded, **noted})


def load_attachment(engine: Engine, name: str) -> bytes | None:
    """Return the file that is kept with a collection; None if there is none."""
    from qdrant_embed.store.edge import EdgeEngine

    if isinstance(engine, EdgeEngine):
        return engine.folder().attachment(name)
    encoded = metadata_of(engine, name).get(ATTACHMENT_KEY)
    return None if encoded is None else base64.b64decode(encoded)
