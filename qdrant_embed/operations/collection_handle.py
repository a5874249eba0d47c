"""An opened collection: its engine, its name, and the parts for what the name leads to now."""

from __future__ import annotations

import re
import reprlib
from contextlib import suppress
from typing import TYPE_CHECKING

from qdrant_embed.collection_parts import CollectionParts, create_collection
from qdrant_embed.errors import (
    CollectionExistsError,
    CollectionNotFoundError,
    ConfigurationError,
    RecipeMismatchError,
    require_type,
)
from qdrant_embed.recipe import Recipe, require_equal, require_recipe, require_same_recipe
from qdrant_embed.retrieval.browse import Browser
from qdrant_embed.runtimes.choice import RuntimeChoice
from qdrant_embed.servers.server_options import ServerOptions
from qdrant_embed.store.copies import aliases, copy_lease
from qdrant_embed.store.create import require_kept
from qdrant_embed.store.engine import Engine
from qdrant_embed.store.filters.field_indexes import complete, declare_if_allowed
from qdrant_embed.store.location import open_engine
from qdrant_embed.store.metadata import read_metadata
from qdrant_embed.store.own_points import own_points

if TYPE_CHECKING:
    from qdrant_embed.ingest.context import IngestContext
    from qdrant_embed.store.location import Location


LONGEST_NAME = 255
_NOT_IN_NAMES = re.compile(r'[/\\:*?"<>|\x00-\x1f]')


class CollectionHandle:
    """One collection of an engine, and what is made of its recipe.

    :ivar engine: What holds the collection, with all of its points.
    :ivar points: The same engine without what other programs wrote into the collection.
    """

    def __init__(self, engine: Engine, name: str, recipe: Recipe, runtime: str = "auto") -> None:
        self.engine, self.points = engine, own_points(engine)
        self.name = name
        self.runtime = runtime
        self.browser = Browser(self.points, name)
        self.use(recipe)

    def use(self, recipe: Recipe) -> None:
        """Go on with another recipe, by the same runtime."""
        self.recipe = recipe
        self._made = CollectionParts(self.points, self.name, recipe, self.runtime)

    @property
    def parts(self) -> CollectionParts:
        """The parts for what the name leads to now: another handle may have put recompressed vectors behind it.

        To be read once by each method: the next time it may be others.

        :raises RecipeMismatchError: More than the compression has become another.
        """
        if not self._made.current:
            stored = read_metadata(self.engine, self.name)["recipe"]
            given = self.recipe.as_dict()
            require_equal(self.name, stored, {**given, "compression": stored["compression"]})
            self.use(Recipe.from_dict(stored))
        return self._made

    def target(self) -> IngestContext:
        """Return what is written to, checked to be what this handle was opened for.

        :raises RecipeMismatchError: The collection was dropped and made anew with another recipe or model.
        """
        target = self.parts.target
        stored = read_metadata(self.engine, self.name)
        if stored["fingerprint"] != target.fingerprint:
            require_same_recipe(self.name, stored["recipe"], self.recipe)
            raise RecipeMismatchError(
                f"collection {self.name!r} has fingerprint {stored['fingerprint']}, what this handle would write has "
                f"{target.fingerprint}: it was made anew since. Open it again: Collection.open({self.name!r}, at=…)."
            )
        return target


def open_handle(
    name: str, at: Location, recipe: Recipe | None, runtime: str, server: ServerOptions | None = None
) -> CollectionHandle:
    """See `Collection.open`."""
    _require_name(name)
    require_type("runtime", runtime, str, "'auto' or a runtime such as 'openvino:int8' or 'torch'")
    if runtime != "auto":
        RuntimeChoice.parse(runtime)
    if recipe is not None:
        require_recipe(recipe)
    if server is not None:
        require_type("server", server, ServerOptions, "ServerOptions(shards=…, replicas=…)")
    engine = open_engine(at, make=recipe is not None)
    try:
        return CollectionHandle(engine, name, _recipe_in(engine, name, recipe, server), runtime)
    except BaseException:
        engine.close()
        raise


def _require_name(name: object) -> None:
    require_type("name", name, str, "a name such as 'documents'")
    if not name:
        raise ConfigurationError("the name of the collection is empty; give one such as 'documents'.")


def _require_new_name(name: str) -> None:
    """Refuse a name that not every engine takes: the collection could not be moved there."""
    found = _NOT_IN_NAMES.search(name)
    if found or len(name) > LONGEST_NAME:
        held = f"holds {found[0]!r}" if found else f"has {len(name)} characters"
        raise ConfigurationError(
            f"a collection cannot be called {reprlib.repr(name)}: the name {held}. Give at most {LONGEST_NAME} "
            'characters, without / \\ : * ? " < > | and control characters.'
        )


def _recipe_in(engine: Engine, name: str, recipe: Recipe | None, server: ServerOptions | None) -> Recipe:
    """Return a collection's recipe; where there is no collection, make it by the given one."""
    aliases.finish_switch(engine, name)
    copy_lease.release_expired(engine, name)
    if recipe is not None and not engine.collection_exists(name):
        _require_new_name(name)
        with suppress(CollectionExistsError):  # another program has made it in this moment
            create_collection(engine, name, recipe, server=server)
            return recipe
    stored = read_metadata(engine, name)
    complete(engine, name)
    if recipe is not None:
        require_same_recipe(name, stored["recipe"], recipe)
        declare_if_allowed(engine, name, recipe.index)
        stored = read_metadata(engine, name)
    require_kept(engine, name, server)
    return Recipe.from_dict(stored["recipe"])


def drop_collection(name: str, at: Location) -> bool:
    """See `Collection.drop`."""
    _require_name(name)
    try:
        engine = open_engine(at, make=False)
    except CollectionNotFoundError:
        return False
    try:
        aliases.finish_switch(engine, name)
        aliases.remove_unfinished_copies(engine, name)
        existed = engine.collection_exists(name)
        if existed:
            engine.delete_collection(aliases.resolve_alias(engine, name))
        return existed
    finally:
        engine.close()
