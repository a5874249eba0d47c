"""A mark in a collection's metadata, another one after every change of its points.

Sign codes are searched in this process's memory, so every process must notice what any other one wrote. The number of
points does not tell: an edited document often has as many as before.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from qdrant_embed.compression import Compression

if TYPE_CHECKING:
    from qdrant_embed.store.engine import Engine

CHANGED_KEY = "qdrant_embed_changed"
"""Metadata entry of its own, so that setting it touches no entry that somebody else is changing."""


def bump_revision(engine: Engine, name: str, compression: Compression) -> None:
    """Let those who hold this collection's codes in memory know that points came or went.

    Costs nothing where nobody holds any. To be called after the change, before anybody is told of it.
    """
    if compression.datatype == "bits":
        engine.update_collection(collection_name=name, metadata={CHANGED_KEY: uuid.uuid4().hex})


def revision_of(engine: Engine, name: str) -> str | None:
    """Return the mark as it stands; None before the first change."""
    found = engine.stored_metadata(name).get(CHANGED_KEY)
    return None if found is None else str(found)
