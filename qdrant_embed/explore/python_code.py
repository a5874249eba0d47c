"""What was done on the page, as Python code to copy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from qdrant_embed.recipe import Recipe
from qdrant_embed.types import Json

if TYPE_CHECKING:
    from qdrant_embed.attachment.foreign_layout import ForeignLayout

MOST_IDS = 1000
"""Ids that are written out."""


def opening(name: str, recipe: Recipe, layout: ForeignLayout) -> str:
    """Return the lines that open the collection: one of ours by name, others with the model and what was given."""
    if layout.ours:
        return f"from qdrant_embed import Collection\n\ndocs = Collection.open({name!a}, at=…)\n"
    usual = Recipe(model=recipe.model)
    chosen = {one.name: getattr(recipe, one.name) for one in fields(recipe)}
    more = [f"{name}={value!a}" for name, value in chosen.items() if value != getattr(usual, name)]
    model = f"model={recipe.model!a}"
    model = f"recipe=Recipe({', '.join((model, *more))})" if more else model
    given = {part: getattr(layout, part) for part, sign in layout.signs.items() if sign == "given"}
    words = ", ".join(["at=…", model, *(f"{part}={value!a}" for part, value in given.items())])
    names = "Collection, Recipe" if more else "Collection"
    return f"from qdrant_embed import {names}\n\ndocs = Collection.attach({name!a}, {words})\n"


def of_search(opened: str, given: Mapping[str, Json], where: Any) -> str:
    """Return the call that finds the same passages; texts stand there as Python's literals, whatever they hold.

    :param opened: What `opening` gives.
    """
    options = [f"k={given.get('k', 10)!r}"]
    options += [f"mode={given['mode']!r}"] if given.get("mode") not in (None, "", "hybrid") else []
    options += [f"filter={where!r}"] if where and isinstance(where, dict) else []
    options += [f"offset={given['offset']!r}"] if given.get("offset") else []
    options += ["group_by='document'"] if given.get("by_document") else []
    options += [f"rerank={given['rerank']!r}"] if given.get("rerank") else []
    more = "" if where is None or isinstance(where, dict) else "\n# of these hits, those that were selected in the map"
    return f"{opened}hits = docs.search({given.get('query', '')!a}, {', '.join(options)}){more}\n"


def of_ids(opened: str, ids: Sequence[str]) -> str:
    """Return the call that fetches chunks by their ids."""
    listed = "".join(f"    {one!r},\n" for one in ids[:MOST_IDS])
    more = f"    # … and {len(ids) - MOST_IDS:,} more\n" if len(ids) > MOST_IDS else ""
    return f"{opened}chunks = docs.get([\n{listed}{more}])\nchunks.to_pandas()\n"
