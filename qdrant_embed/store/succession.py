"""One collection takes another's name; wherever that is cut off, the name leads to all points again afterwards.

An alias cannot have a collection's name, so for a moment the name leads nowhere. The copy says in its metadata whose
name it takes, and that it is whole; `finish` reads this and does what is left to do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qdrant_embed.store.schema import METADATA_KEY, merge_metadata
from qdrant_embed.types import Json

if TYPE_CHECKING:
    from qdrant_client import models

    from qdrant_embed.store.engine import Engine

KEY = "succeeds"
"""Metadata entry of a copy: the `name` it takes, the collection `before` it, and whether it is `whole`."""


def own_name(engine: Engine, name: str) -> str:
    """Return the name of the collection that a name or an alias leads to."""
    aliases = {alias.alias_name: alias.collection_name for alias in engine.get_aliases().aliases}
    return aliases.get(name, name)


def copy_name(name: str, fingerprint: str) -> str:
    """Return how a copy is called that shall take a name."""
    return f"{name}--{fingerprint[:8]}"


def begun(engine: Engine, name: str) -> dict[str, Json]:
    """Return the metadata entries with which a copy is created: whose name it will take."""
    return {KEY: {"name": name, "before": own_name(engine, name), "whole": False}}


def take_over(engine: Engine, name: str, copy: str) -> None:
    """Let the name lead to a copy that is whole, and remove what it led to before."""
    merge_metadata(engine, copy, {KEY: {**_succession(engine, copy), "whole": True}})
    finish(engine, name)


def finish(engine: Engine, name: str) -> None:
    """Do what is left to do for a copy to take this name; nothing where nothing was begun."""
    exists = engine.collection_exists(name)
    own = own_name(engine, name) if exists else name
    for copy in _copies(engine, name):
        noted = _succession(engine, copy)
        if noted.get("name") != name or not noted["whole"]:
            continue
        if copy != own and (not exists or own == noted["before"]):
            _switch(engine, name, copy, noted["before"])
        if noted["before"] != name and engine.collection_exists(noted["before"]):
            engine.delete_collection(noted["before"])
        merge_metadata(engine, copy, {KEY: {}})
        return


def clear(engine: Engine, name: str) -> None:
    """Remove copies that were begun and given up before they were whole."""
    for copy in _copies(engine, name):
        noted = _succession(engine, copy)
        if noted.get("name") == name and not noted["whole"]:
            engine.delete_collection(copy)


def _switch(engine: Engine, name: str, copy: str, before: str) -> None:
    from qdrant_client import models

    # Removing a collection removes the aliases that lead to it, so all of them move first.
    others = engine.get_collection_aliases(before).aliases if engine.collection_exists(before) else []
    moved = [alias.alias_name for alias in others]
    removals = [models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name=alias)) for alias in moved]
    if moved:
        engine.update_collection_aliases([*removals, *(_alias(alias, copy) for alias in moved)])
    if before == name:
        engine.delete_collection(name)
        engine.update_collection_aliases([_alias(name, copy)])


def _alias(name: str, collection: str) -> models.CreateAliasOperation:
    from qdrant_client import models

    return models.CreateAliasOperation(create_alias=models.CreateAlias(collection_name=collection, alias_name=name))


def _copies(engine: Engine, name: str) -> list[str]:
    start = copy_name(name, "")
    return [found.name for found in engine.get_collections().collections if found.name.startswith(start)]


def _succession(engine: Engine, copy: str) -> dict[str, Any]:
    stored = (engine.get_collection(copy).config.metadata or {}).get(METADATA_KEY)
    return dict(stored.get(KEY) or {}) if isinstance(stored, dict) else {}
