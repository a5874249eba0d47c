"""Opening a collection from what was typed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from qdrant_embed.errors import CollectionNotFoundError, RecipeMismatchError
from qdrant_embed.store import require_location

if TYPE_CHECKING:
    from qdrant_embed import Collection, ServerOptions
    from qdrant_embed.recipe import Recipe
    from qdrant_embed.types import Json


@dataclass(frozen=True, slots=True)
class CollectionFlags:
    """A collection as it was asked for.

    :param recipe: The recipe flags that were typed, those left out not among them.
    :param runtime: What runs the model.
    :param server: How a server is to keep it, None where nothing of that was typed.
    """

    name: str
    at: str
    recipe: Mapping[str, Json]
    runtime: str = "auto"
    server: ServerOptions | None = None

    @classmethod
    def by_flags(cls, name: str, at: str, runtime: str = "auto", **flags: Json) -> CollectionFlags:
        """Ask for a collection by the recipe flags of a command, of which those left out are None."""
        return cls(name, at, {flag: value for flag, value in flags.items() if value is not None}, runtime)


def open_stored(
    name: str, at: str, runtime: str = "auto", server: ServerOptions | None = None, attach: str | None = None
) -> Collection:
    """Open a collection that exists.

    :param attach: The model of one that something else wrote, or `none`, or `auto` for the one that it names.
    :raises CollectionNotFoundError: There is none of this name.
    :raises ConfigurationError: A server keeps it otherwise.
    """
    require_location(at)
    from qdrant_embed import Collection

    if attach is not None:
        return Collection.attach(name, at=at, model="" if attach == "auto" else attach, runtime=runtime)
    return Collection.open(name, at=at, runtime=runtime, server=server)


def open_wanted(wanted: CollectionFlags, place: str = "") -> Collection:
    """Open a collection with the recipe that is stored with it; create it if there is none.

    :param place: Where to create it, and nothing is changed; empty for where it was asked for.
    :raises RecipeMismatchError: A recipe flag was typed that contradicts the stored recipe.
    """
    from qdrant_embed import Collection

    try:
        found = _open_same(wanted)
    except CollectionNotFoundError:
        at, server = (place, None) if place else (wanted.at, wanted.server)
        return Collection.open(wanted.name, at=at, recipe=_recipe(wanted), runtime=wanted.runtime, server=server)
    if not place:
        for field, kind in _recipe(wanted).index.items() - found.recipe.index.items():
            found.index_field(field, kind)
    return found


@contextmanager
def open_for_rehearsal(wanted: CollectionFlags) -> Iterator[Collection]:
    """Open a collection to see what an ingest would do; an empty one in a folder of its own if there is none.

    That folder is removed afterwards. A folder's engine has every compression, the one in memory has not.

    :raises RecipeMismatchError: A recipe flag was typed that contradicts the stored recipe.
    """
    with TemporaryDirectory(prefix="qdrant-embed-") as folder, open_wanted(wanted, folder) as collection:
        yield collection


def recipe_of(wanted: CollectionFlags) -> Recipe:
    """Return the recipe that an ingest would use, without making anything.

    :raises RecipeMismatchError: A recipe flag was typed that contradicts the stored recipe.
    """
    try:
        with _open_same(wanted) as collection:
            return collection.recipe
    except CollectionNotFoundError:
        return _recipe(wanted)


def _open_same(wanted: CollectionFlags) -> Collection:
    """Open a collection that exists; what it was made by must not contradict what was typed."""
    from qdrant_embed.embedding.recipe_models import with_absolute_paths
    from qdrant_embed.recipe import require_equal

    collection = open_stored(wanted.name, wanted.at, wanted.runtime, wanted.server)
    try:
        stored = collection.recipe.as_dict()
        typed = with_absolute_paths(_recipe(wanted)).as_dict()
        flags = {**stored, **{flag: typed.get(flag, value) for flag, value in wanted.recipe.items()}}
        if flags["model"] != stored["model"]:
            collection = _with_model(collection, wanted, str(flags["model"]))
            flags["model"] = stored["model"] if collection.recipe.model_at else flags["model"]
        require_equal(wanted.name, stored, flags)
    except BaseException:
        collection.close()
        raise
    return collection


def _with_model(collection: Collection, wanted: CollectionFlags, model: str) -> Collection:
    """Open a collection again with its model from where it was typed to be; leave it as it is if that is another."""
    from qdrant_embed import Collection

    recipe = replace(collection.recipe, model=model)
    collection.close()
    with suppress(RecipeMismatchError):
        return Collection.open(wanted.name, at=wanted.at, recipe=recipe, runtime=wanted.runtime, server=wanted.server)
    return open_stored(wanted.name, wanted.at, wanted.runtime, wanted.server)


def _recipe(wanted: CollectionFlags) -> Recipe:
    from qdrant_embed.recipe import Recipe

    return Recipe(**wanted.recipe)
