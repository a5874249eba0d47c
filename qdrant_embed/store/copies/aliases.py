"""One collection takes another's name; wherever that is cut off, the name leads to all points again afterwards.

An alias cannot have a collection's name, so for a moment the name leads nowhere. The copy says in its metadata whose
name it takes, and that it is whole; `finish` reads this and does what is left to do.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from qdrant_embed.errors import StoreError
from qdrant_embed.store.metadata import METADATA_KEY, merge_metadata
from qdrant_embed.types import Json

if TYPE_CHECKING:
    from qdrant_client import models

    from qdrant_embed.store.engine import Engine

_MARK = "--"
KEY = "succeeds"
"""Metadata entry of a copy: the `name` under which the collection was first made, for good; and, until it has taken
over, the collection `before` it, whether that was `named` so by someone, and whether the copy is `whole`."""


def resolve_alias(engine: Engine, name: str) -> str:
    """Return the name of the collection that a name or an alias leads to."""
    aliases = {alias.alias_name: alias.collection_name for alias in engine.get_aliases().aliases}
    return aliases.get(name, name)


def copy_name(engine: Engine, name: str) -> str:
    """Return how a copy is called that shall take a collection's names: otherwise than every other copy.

    What is learned from vectors, or trained, may differ where the recipe is the same, so no recipe's hash would do.
    """
    return f"{_first_name(engine, name)}{_MARK}{uuid.uuid4().hex[:12]}"


def require_finished(engine: Engine, name: str) -> None:
    """Refuse to begin with a collection of which a copy is whole and waits to take over.

    :raises StoreError: There is one.
    """
    if any(noted.get("whole") for _, noted in _copies(engine, name)):
        raise StoreError(
            f"an earlier change of collection {name!r} was cut off when its copy was whole. Open the collection again, "
            "which finishes it, and see whether there is anything left to change."
        )


def copy_metadata(engine: Engine, name: str) -> dict[str, Json]:
    """Return the metadata entries with which a copy is created: whose names it will take."""
    before = resolve_alias(engine, name)
    # A copy's own name was made up here, and goes with it; any other one is somebody's, and must lead to the points.
    named = before == name or KEY not in _metadata(engine, before)
    return {KEY: {"name": _first_name(engine, name), "before": before, "named": named, "whole": False}}


def switch_aliases(engine: Engine, name: str, copy: str) -> None:
    """Let a collection's names lead to a copy that is whole, and remove what they led to before."""
    merge_metadata(engine, copy, {KEY: {**_succession(engine, copy), "whole": True}})
    finish_switch(engine, name)


def finish_switch(engine: Engine, name: str) -> None:
    """Do what is left to do for a copy to take the names of this collection; nothing where nothing was begun."""
    for copy, noted in _copies(engine, name):
        if noted.get("whole"):
            _take_names(engine, copy, noted["before"], named=noted["named"])
            merge_metadata(engine, copy, {KEY: {"name": noted["name"]}})
            return


def remove_unfinished_copies(engine: Engine, name: str) -> None:
    """Remove copies that were begun and given up before they were whole."""
    for copy, noted in _copies(engine, name):
        if noted.get("whole") is False:
            engine.delete_collection(copy)


def _take_names(engine: Engine, copy: str, before: str, *, named: bool) -> None:
    from qdrant_client import models

    if engine.collection_exists(before) and resolve_alias(engine, before) == before:
        # Removing a collection removes the aliases that lead to it, so all of them move first.
        moved = [alias.alias_name for alias in engine.get_collection_aliases(before).aliases]
        removals = [models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name=alias)) for alias in moved]
        if moved:
            engine.update_collection_aliases([*removals, *(_alias(alias, copy) for alias in moved)])
        engine.delete_collection(before)
    if named and not engine.collection_exists(before):
        engine.update_collection_aliases([_alias(before, copy)])


def _alias(name: str, collection: str) -> models.CreateAliasOperation:
    from qdrant_client import models

    return models.CreateAliasOperation(create_alias=models.CreateAlias(collection_name=collection, alias_name=name))


def _first_name(engine: Engine, name: str) -> str:
    """Return the name under which a collection was first made, by whichever of its names it is asked for.

    Whoever opens it finds by this what another name's user has begun.
    """
    own = resolve_alias(engine, name)
    return str(_succession(engine, own).get("name", own)) if engine.collection_exists(own) else own


def _copies(engine: Engine, name: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the copies of a collection, with what they say of themselves."""
    first = _first_name(engine, name)
    start = f"{first}{_MARK}"
    found = [found.name for found in engine.get_collections().collections if found.name.startswith(start)]
    noted = [(copy, _succession(engine, copy)) for copy in found]
    return [(copy, entries) for copy, entries in noted if entries.get("name") == first]


def _succession(engine: Engine, copy: str) -> dict[str, Any]:
    return dict(_metadata(engine, copy).get(KEY) or {})


def _metadata(engine: Engine, name: str) -> dict[str, Any]:
    """Return this library's metadata of a collection; nothing for one that something else made."""
    stored = engine.stored_metadata(name).get(METADATA_KEY)
    return stored if isinstance(stored, dict) else {}
