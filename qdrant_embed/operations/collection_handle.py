"""An opened collection: its engine, its name, and the parts for what the name leads to now."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from qdrant_embed.attachment.layout_detection import own_layout
from qdrant_embed.collection_parts import CollectionParts, make_generation
from qdrant_embed.concurrency import pause
from qdrant_embed.embedding.recipe_models import under_its_name, with_absolute_paths
from qdrant_embed.errors import (
    AccessDeniedError,
    CollectionNotFoundError,
    ConfigurationError,
    RecipeMismatchError,
    StoreError,
    require_type,
)
from qdrant_embed.recipe import Recipe, of_points, require_equal, require_recipe, require_same_recipe
from qdrant_embed.runtimes.choice import RuntimeChoice
from qdrant_embed.servers.server_options import ServerOptions
from qdrant_embed.store.copies import aliases
from qdrant_embed.store.copies.generations import Generation, find_generation, not_found, resolve_alias
from qdrant_embed.store.copies.settling import settled
from qdrant_embed.store.create import require_kept
from qdrant_embed.store.engine import Engine
from qdrant_embed.store.filters.field_indexes import complete, declare, declare_if_allowed
from qdrant_embed.store.location import open_engine

if TYPE_CHECKING:
    from qdrant_embed.attachment.foreign_layout import ForeignLayout
    from qdrant_embed.ingest.context import IngestContext
    from qdrant_embed.store.location import Location


T = TypeVar("T")

LONGEST_NAME = 255
PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
"""Seconds between looks for a name that led somewhere a moment ago."""
_NOT_IN_NAMES = re.compile(r'[/\\:*?"<>|\x00-\x1f]')


class CollectionHandle:
    """One collection of an engine, and what is made of its recipe.

    :ivar engine: What holds the collection, with all of its points.
    """

    def __init__(self, engine: Engine, generation: Generation, runtime: str = "auto", model_at: str = "") -> None:
        self.engine = engine
        self.name = generation.name
        self.runtime, self._model_at = runtime, model_at
        self._mistaken = ""
        self._use(generation)

    def _find(self) -> Generation:
        """Return what the name leads to, whatever the metadata of a restored snapshot say of it."""
        found = find_generation(self.engine, self.name)
        return replace(found, said=self.name, own=self.name) if found.said == self._mistaken else found

    def _use(self, generation: Generation) -> None:
        """Go on with what the name leads to, by the same runtime."""
        self._made = CollectionParts(self.engine, generation, self.runtime, self._model_at)

    @property
    def recipe(self) -> Recipe:
        """Everything that decides its vectors."""
        return self._made.recipe

    @property
    def points(self) -> Engine:
        """The engine without what other programs wrote; the name leads to what the parts were last made for."""
        return self._made.points

    @property
    def layout(self) -> ForeignLayout:
        """Where points have what a chunk is made of."""
        return own_layout(self.engine.get_collection(self.parts.generation.own))

    @property
    def parts(self) -> CollectionParts:
        """The parts for what the name leads to now, for which it is asked.

        To be read once by each method: the next time they may be others.

        :raises RecipeMismatchError: More than the compression has become another.
        """
        self.go_on()
        return self._made

    def go_on(self) -> None:
        """Look at what the name leads to now, and take it.

        :raises RecipeMismatchError: More than the compression has become another.
        """
        self._go_on_with(self._find())

    def answer(self, ask: Callable[[CollectionParts], T]) -> T:
        """Return what the parts answer, without asking first whether another handle has changed the compression.

        Where it has, what they are for is gone, and the parts for what took its place are asked. Nothing is written.

        :raises CollectionNotFoundError: The collection was removed.
        :raises RecipeMismatchError: It was made anew, and more than the compression has become another.
        """
        while True:
            made = self._made
            try:
                found = ask(made)
            except AccessDeniedError:
                if not made.pinned:
                    raise
                self._use(replace(made.generation, own=self.name))
            except CollectionNotFoundError:
                if self._made is made:
                    self._follow()
            else:
                if made.pinned or self._find().said == made.generation.said:
                    return found
                self.go_on()

    def settle(self) -> CollectionParts:
        """Return the parts of what may be written to: what was cut off before is finished, or given up.

        :raises StoreError: It is being copied.
        :raises RecipeMismatchError: More than the compression has become another.
        """
        self._go_on_with(settled(self.engine, self.name))
        return self._made

    def require_writable(self) -> None:
        """Refuse to write where it was attached to be read.

        :raises ConfigurationError: It was.
        """

    def require_ours(self) -> None:
        """Refuse what only a collection of this library can be changed in; this one is.

        :raises ConfigurationError: Another program made it.
        """

    def index_field(self, field: str, kind: str) -> None:
        """See `Collection.index_field`."""
        declare(self.points, self.name, {field: kind})
        self.go_on()

    def forget(self) -> None:
        """Ask again what changes with documents, at the next search that needs it."""
        self._made.roots.forget()

    def target(self) -> IngestContext:
        """Return what is written to, checked to be what this handle was opened for.

        :raises RecipeMismatchError: The collection was dropped and made anew with another recipe or model.
        """
        parts = self.parts
        target, stored = parts.target, parts.generation.stored
        if stored["fingerprint"] != target.fingerprint:
            require_same_recipe(self.name, stored["recipe"], self.recipe)
            raise RecipeMismatchError(
                f"collection {self.name!r} has fingerprint {stored['fingerprint']}, what this handle would write has "
                f"{target.fingerprint}: it was made anew since. Open it again: Collection.open({self.name!r}, at=…)."
            )
        return target

    def _go_on_with(self, found: Generation) -> None:
        """Take what was found in place of what there was, if it is another."""
        known, stored = self._made.generation, found.stored
        if self._made.by_alias:
            found = replace(found, own=self.name)
        before, now = of_points(known.stored["recipe"]), of_points(stored["recipe"])
        if (found.said, found.own, now) == (known.said, known.own, before):
            self._made.note(found)
            return
        require_equal(self.name, now, {**before, "compression": now["compression"]})
        self._use(found)

    def _follow(self) -> None:
        """Find what has taken the place of a generation that is gone.

        A server of several nodes tells of it on each at another moment, so it is waited for a little.

        :raises CollectionNotFoundError: Nothing has.
        """
        gone = self._made.generation.said
        for seconds in (*PAUSES, None) if self.engine.shared else (None,):
            try:
                found = self._find()
                if found.said == gone and resolve_alias(self.engine, self.name) == self.name:
                    self._mistaken = gone  # by what its metadata say, which came with it from elsewhere
                    found = self._find()
            except CollectionNotFoundError:
                if seconds is None:
                    raise
            else:
                if found.said != gone:
                    return self._go_on_with(found)
            if seconds is not None:
                pause(seconds)
        raise not_found(self.engine, self.name)


def open_handle(
    name: str, at: Location, recipe: Recipe | None, runtime: str, server: ServerOptions | None = None
) -> CollectionHandle:
    """See `Collection.open`."""
    require_name(name)
    require_type("runtime", runtime, str, "'auto' or a runtime such as 'openvino:int8' or 'torch'")
    if runtime != "auto":
        RuntimeChoice.parse(runtime)
    if recipe is not None:
        require_recipe(recipe)
        recipe = with_absolute_paths(recipe)
    if server is not None:
        require_type("server", server, ServerOptions, "ServerOptions(shards=…, replicas=…)")
    engine = open_engine(at, make=recipe is not None)
    try:
        generation, model_at = _opened(engine, name, recipe, server)
        return CollectionHandle(engine, generation, runtime, model_at)
    except BaseException:
        engine.close()
        raise


def require_name(name: object) -> None:
    """Refuse what is no name of a collection.

    :raises ConfigurationError: It is no text, or an empty one.
    """
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


def _opened(engine: Engine, name: str, recipe: Recipe | None, server: ServerOptions | None) -> tuple[Generation, str]:
    """Return what a name leads to, and where its model is; where that is nothing, make it by the given recipe."""
    try:
        found = find_generation(engine, name)
    except CollectionNotFoundError:
        if recipe is None:
            raise
        _require_new_name(name)
        return make_generation(engine, name, recipe, server), recipe.model_at
    stored = found.stored["recipe"]  # or nothing is done to what something else made
    if recipe is not None:
        recipe = under_its_name(found.stored, recipe)
        require_same_recipe(name, stored, recipe)
        if not recipe.index.items() <= stored.get("index", {}).items():
            declare_if_allowed(engine, name, recipe.index)
            found = find_generation(engine, name)
    require_kept(engine, name, server)
    with suppress(StoreError):  # a key that may only read is enough for all that does without its indexes
        complete(engine, found.own, facts=found.facts)
    return found, recipe.model_at if recipe is not None else ""


def drop_collection(name: str, at: Location) -> bool:
    """See `Collection.drop`."""
    require_name(name)
    try:
        engine = open_engine(at, make=False)
    except CollectionNotFoundError:
        return False
    try:
        return aliases.remove_collection(engine, name)
    finally:
        engine.close()
