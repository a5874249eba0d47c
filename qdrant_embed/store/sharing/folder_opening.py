"""A folder, opened or joined."""

from __future__ import annotations

from pathlib import Path

from qdrant_embed.errors import LocationLockedError
from qdrant_embed.store.edge import EdgeEngine
from qdrant_embed.store.engine import Engine
from qdrant_embed.store.sharing.folder_server import offer
from qdrant_embed.store.sharing.socket_place import POSSIBLE


def open_folder(path: Path, *, make: bool = True) -> Engine:
    """Open a folder, or join the process that holds it.

    :raises LocationLockedError: Another process holds it, and cannot be asked.
    """
    try:
        engine = EdgeEngine(path, make=make)
    except LocationLockedError:
        if not POSSIBLE:
            raise
        from qdrant_embed.store.sharing.shared_engine import SharedEngine

        return SharedEngine(path, make=make)
    offer(engine)
    return engine
