"""One collection takes another's names; wherever that is cut off, each name leads to all points again afterwards.

Names that are aliases go over in one step. An alias cannot have a collection's name, though, so a collection of an
earlier version has to be removed first, and its name leads nowhere for a moment; readers then find the copy by what it
says of itself (`generations.successor`). The copy says in its metadata whose names it takes, and that it is whole;
`finish_switch` reads this and does what is left to do.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from qdrant_embed.errors import CollectionNotFoundError
from qdrant_embed.store.copies.generations import (
    KEY,
    generation_name,
    generations,
    resolve_alias,
    succession,
    successor,
)
from qdrant_embed.store.metadata import merge_metadata
from qdrant_embed.types import Json

if TYPE_CHECKING:
    from qdrant_client import models

    from qdrant_embed.store.engine import Engine


def point_alias(engine: Engine, name: str, own: str) -> None:
    """Let a name lead to a collection: an alias, moved in one step where it led elsewhere."""
    engine.update_collection_aliases([_alias(name, own)])


def first_metadata(name: str, own: str) -> dict[str, Json]:
    """Return the metadata entries with which the first generation of a name is created."""
    return {KEY: {"name": name, "own": own}}


def copy_name(engine: Engine, name: str) -> str:
    """Return how a copy is called that shall take a collection's names: otherwise than every other copy.

    What is learned from vectors, or trained, may differ where the recipe is the same, so no recipe's hash would do.
    """
    return generation_name(_first_name(engine, name), uuid.uuid4().hex[:12])


def copy_metadata(engine: Engine, name: str, copy: str) -> dict[str, Json]:
    """Return the metadata entries with which a copy is created: whose names it will take."""
    before = resolve_alias(engine, name)
    first = _first_name(engine, name)
    # A generation's own name was made up here, and goes with it; any other one is somebody's, and must lead on.
    named = before in (name, first)
    return {KEY: {"name": first, "own": copy, "before": before, "named": named, "whole": False}}


def switch_aliases(engine: Engine, name: str, copy: str) -> None:
    """Let a collection's names lead to a copy that is whole, and remove what they led to before."""
    merge_metadata(engine, copy, {KEY: {**succession(engine.stored_metadata(copy)), "whole": True}})
    finish_switch(engine, name)


def finish_switch(engine: Engine, name: str) -> None:
    """Do what is left to do for a generation to have the names of this collection; nothing where there is nothing."""
    first = _first_name(engine, name)
    for copy, noted in generations(engine, first):
        if noted.get("whole"):
            _take_names(engine, copy, noted["before"], named=noted["named"])
            merge_metadata(engine, copy, {KEY: {"name": noted["name"], "own": copy}})
            return
    own = None if engine.collection_exists(first) else successor(engine, first)
    if own is not None:
        point_alias(engine, first, own)


def is_whole_copy_there(engine: Engine, name: str) -> bool:
    """Tell whether a copy of a collection is whole, and waits to take over."""
    return any(noted.get("whole") for _, noted in generations(engine, _first_name(engine, name)))


def remove_unfinished_copies(engine: Engine, name: str) -> None:
    """Remove copies that were begun and given up before they were whole."""
    for copy, noted in generations(engine, _first_name(engine, name)):
        if noted.get("whole") is False:
            engine.delete_collection(copy)


def remove_collection(engine: Engine, name: str) -> bool:
    """Remove what a name leads to, with every copy of it; return whether there was something."""
    own = resolve_alias(engine, name)
    doomed = [copy for copy, _ in generations(engine, _first_name(engine, name)) if copy != own]
    existed = engine.collection_exists(own)
    # The one that answers goes last: cut off, there is still a collection to drop.
    for one in [*doomed, *([own] if existed else [])]:
        engine.delete_collection(one)
    return existed or bool(doomed)


def _take_names(engine: Engine, copy: str, before: str, *, named: bool) -> None:
    if engine.collection_exists(before) and resolve_alias(engine, before) == before:
        # Removing a collection removes the aliases that lead to it, so all of them move first, in one step.
        moved = [alias.alias_name for alias in engine.get_collection_aliases(before).aliases]
        if moved:
            engine.update_collection_aliases([_alias(alias, copy) for alias in moved])
        engine.delete_collection(before)
    if named and not engine.collection_exists(before):
        point_alias(engine, before, copy)


def _alias(name: str, collection: str) -> models.CreateAliasOperation:
    from qdrant_client import models

    return models.CreateAliasOperation(create_alias=models.CreateAlias(collection_name=collection, alias_name=name))


def _first_name(engine: Engine, name: str) -> str:
    """Return the name under which a collection was first made, by whichever of its names it is asked for.

    Whoever opens it finds by this what another name's user has begun.
    """
    try:
        return str(succession(engine.stored_metadata(name)).get("name", resolve_alias(engine, name)))
    except CollectionNotFoundError:
        return name
