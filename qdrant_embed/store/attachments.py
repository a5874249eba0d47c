"""One small file that belongs to a collection: beside its shard in a folder, in its metadata elsewhere."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qdrant_embed.store.engine import Engine
    from qdrant_embed.types import Json

ATTACHMENT_KEY = "qdrant_embed_transform"
"""Metadata entry of an attachment where there is no folder: base64, apart from what `schema.read_metadata` returns."""


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
    encoded = (engine.get_collection(name).config.metadata or {}).get(ATTACHMENT_KEY)
    return None if encoded is None else base64.b64decode(encoded)
