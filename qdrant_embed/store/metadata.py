"""What a collection says of itself in its own metadata: how it was made, and by which layout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from qdrant_embed.errors import StoreError
from qdrant_embed.types import Json

if TYPE_CHECKING:
    from qdrant_embed.store.engine import Engine

METADATA_KEY = "qdrant_embed"
ROOT_KEY = "qdrant_embed_root:"
"""Before a root's label: an entry for each, with its place, so that two programs that note one each lose none."""
FAILED_KEY = "qdrant_embed_failed:"
"""Before a root's label: what could not be ingested of it, so that programs that ingest other roots lose none of it."""
WITHHELD_KEY = "qdrant_embed_withheld:"
"""Before a root's label: whether a deletion was withheld there and not allowed yet."""
LAYOUT_VERSION = 1
"""Raised when points of an older layout cannot be read any more."""


def read_metadata(engine: Engine, name: str) -> dict[str, Any]:
    """Return what `create` stored about the collection.

    :raises CollectionNotFoundError: There is no such collection.
    :raises StoreError: The collection was made by something else, or by a newer version of this library.
    """
    return checked_metadata(name, engine.stored_metadata(name))


def checked_metadata(name: str, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return this library's entry of a collection's metadata.

    :raises StoreError: The collection was made by something else, or by a newer version of this library.
    """
    stored = metadata.get(METADATA_KEY)
    if not isinstance(stored, dict):
        raise StoreError(
            f"collection {name!r} holds no qdrant_embed metadata: something else made it. To read it, type: "
            f"Collection.attach({name!r}, at=…, model='…') (--attach MODEL); or choose another name for a new one."
        )
    if stored.get("layout") != LAYOUT_VERSION:
        raise StoreError(
            f"collection {name!r} has layout {stored.get('layout')!r}, this version of qdrant_embed reads "
            f"{LAYOUT_VERSION}. Upgrade qdrant-embed, or ingest into a new collection."
        )
    return dict(stored)


def read_roots(engine: Engine, name: str) -> dict[str, str]:
    """Return label → place of the roots that are noted with a collection; see `ingest.roots`."""
    return roots_in(engine.stored_metadata(name))


def roots_in(metadata: Mapping[str, Any]) -> dict[str, str]:
    """Return label → place of the roots that stand among a collection's metadata entries."""
    made = metadata.get(METADATA_KEY)
    with_copy: dict[str, Any] = dict(made.get("roots") or {}) if isinstance(made, dict) else {}
    noted = {key.removeprefix(ROOT_KEY): place for key, place in metadata.items() if key.startswith(ROOT_KEY)}
    return {label: str(place) for label, place in {**with_copy, **noted}.items() if place}


def note_root(engine: Engine, name: str, label: str, place: str) -> None:
    """Note where a root is; an empty place forgets it."""
    engine.update_collection(collection_name=name, metadata={f"{ROOT_KEY}{label}": place})


def forget_failures(engine: Engine, name: str, label: str) -> None:
    """Keep nothing any more of what failed under a root."""
    if engine.stored_metadata(name).get(f"{FAILED_KEY}{label}"):
        engine.update_collection(name, metadata={f"{FAILED_KEY}{label}": ""})


def carry_failures(engine: Engine, name: str, copy: str) -> None:
    """Let a copy know what failed, and what was withheld, under the roots of the collection that it is to replace."""
    stored = engine.stored_metadata(name)
    found = {key: entry for key, entry in stored.items() if key.startswith((FAILED_KEY, WITHHELD_KEY)) and entry}
    if found:
        engine.update_collection(copy, metadata=found)


def merge_metadata(engine: Engine, name: str, changes: Mapping[str, Json]) -> None:
    """Change some of the entries that `read_metadata` returns, leaving the others."""
    stored = {**read_metadata(engine, name), **changes}
    engine.update_collection(collection_name=name, metadata={METADATA_KEY: stored})
