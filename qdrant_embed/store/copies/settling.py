"""A collection made ready to be written to: what earlier changes left unfinished is finished, or given up.

Readers never need any of this: a key that may only read, or a full disk, keeps nobody from searching.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from qdrant_embed.store.copies.aliases import finish_switch, first_metadata, is_whole_copy_there
from qdrant_embed.store.copies.copy_lease import give_up_dead_copy
from qdrant_embed.store.copies.generations import Generation, find_generation
from qdrant_embed.store.filters.field_indexes import complete
from qdrant_embed.store.metadata import merge_metadata

if TYPE_CHECKING:
    from qdrant_embed.store.engine import Engine


def settled(engine: Engine, name: str) -> Generation:
    """Return what a name leads to, after everything that was cut off is done.

    :raises StoreError: It is being copied.
    """
    found = find_generation(engine, name)
    if not (found.settled and found.reached):
        if not is_whole_copy_there(engine, name):
            give_up_dead_copy(engine, found.own)
        finish_switch(engine, name)
        found = find_generation(engine, name)
    found = _verified(engine, found)
    complete(engine, found.own, facts=found.facts)
    return found


def _verified(engine: Engine, found: Generation) -> Generation:
    """Return the generation, by the name by which it can be written to, whatever its metadata say."""
    there = engine.collection_names()
    if found.name in there and found.own != found.name:
        # A snapshot of a generation that was restored under the name itself: its metadata came from elsewhere.
        merge_metadata(engine, found.name, first_metadata(found.name, found.name))
        return find_generation(engine, found.name)
    # A key may open an alias, and not the collection behind it.
    return found if found.own in there else replace(found, own=found.name)
