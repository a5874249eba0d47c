"""The collections that a server answers from: opened when first asked for, by one thread, and kept open."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

from qdrant_embed import Collection, Recipe
from qdrant_embed.errors import CollectionNotFoundError, ConfigurationError, RecipeMismatchError
from qdrant_embed.store import Listing

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What is served, and what clients may do with it.

    :param at: A folder, a server's URL, `:memory:`, or a `QdrantClient` or `Engine` of yours.
    :param collection: The one that is meant where a client names none; None for the only one there is.
    :param runtime: What runs the models.
    :param allow_writes: Whether there are the tools `ingest` and `delete`.
    :param folders: What `ingest` may read: these folders and what is below them.
    :param model: The model of a collection that `ingest` makes; None to make none.
    :param attach: The model of collections that something else wrote: a name, `none` for search by words alone, or
        `auto` for the one that a collection names. It is proved on stored texts.
    :param rerankers: Words that clients may rerank with besides `tokens`, `mmr` and `recency`. Others load models.
    """

    at: Any
    collection: str | None = None
    runtime: str = "auto"
    allow_writes: bool = False
    folders: tuple[str | Path, ...] = ()
    model: str | None = None
    attach: str = "auto"
    rerankers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for folder in self.folders:
            if not Path(folder).expanduser().is_dir():
                raise ConfigurationError(f"{str(folder)!r} is no folder; give one that ingest may read.")
        object.__setattr__(self, "folders", tuple(Path(folder).expanduser().resolve() for folder in self.folders))
        if self.folders and not self.allow_writes:
            raise ConfigurationError("folders to ingest are given, and nothing may be written; type --allow-writes.")


class OpenCollections:
    """The open collections of one server, to be closed after it. Several threads may ask at once.

    A model is loaded at the first search that needs it.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._open: dict[str, Collection] = {}
        self._unplaced: set[str] = set()
        self._lock = threading.Lock()

    def get(self, name: str | None, *, make: bool = False) -> Collection:
        """Return a collection, the usual one if none is named.

        :param make: Whether one that does not exist is made, if the settings say with which model.
        :raises CollectionNotFoundError: There is none of this name; those that there are are listed.
        :raises ConfigurationError: None is named, and there are several.
        """
        wanted = name or self.settings.collection or self._only()
        with self._lock:
            if wanted not in self._open:
                self._open[wanted] = self._opened(wanted, make=make)
            return self._open[wanted]

    def using(self, name: str | None, work: Callable[[Collection], T], *, make: bool = False) -> T:
        """Return what the work gives for a collection; where that was made anew meanwhile, for the new one.

        Errors are those of `get`, and what the work raises.
        """
        found = self.get(name, make=make)
        try:
            return work(found)
        except (CollectionNotFoundError, RecipeMismatchError):
            with self._lock:
                if self._open.get(found.name) is found:
                    self._open.pop(found.name).close()
            return work(self.get(name, make=make))

    def names(self) -> list[str]:
        """Return the names of all collections at the location."""
        return [found.name for found in self._listed()]

    def placed_at_search(self, name: str) -> bool:
        """Tell whether hits of an open collection say where in their documents they stand."""
        return name not in self._unplaced

    def close(self) -> None:
        """Let go of the location."""
        with self._lock:
            for collection in self._open.values():
                collection.close()
            self._open.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _opened(self, name: str, *, make: bool) -> Collection:
        given = self.settings
        if any(found.name == name and found.recipe is None and not found.problem for found in self._listed()):
            return self._attached(name)
        try:
            return Collection.open(name, at=given.at, runtime=given.runtime)
        except CollectionNotFoundError:
            if make and given.model is not None:
                return Collection.open(name, at=given.at, recipe=Recipe(model=given.model), runtime=given.runtime)
            raise CollectionNotFoundError(
                f"there is no collection {name!r}. Call list_collections, and give the name of one: "
                f"{', '.join(map(repr, self.names())) or 'none there yet'}."
            ) from None

    def _attached(self, name: str) -> Collection:
        """Open what something else wrote, to be read; without the places of chunks, their order is one of ours."""
        model = "" if self.settings.attach == "auto" else self.settings.attach
        found = Collection.attach(name, at=self.settings.at, model=model, runtime=self.settings.runtime)
        if not found.layout.start:
            self._unplaced.add(name)
        return found

    def _listed(self) -> Listing:
        return Collection.list(at=self.settings.at)

    def _only(self) -> str:
        names = self.names()
        if len(names) == 1:
            return names[0]
        if not names:
            raise CollectionNotFoundError("there is no collection yet. Type: qdrant-embed ingest PATH --at LOCATION")
        raise ConfigurationError(
            f"which collection? Give collection= with the name of one: {', '.join(map(repr, names))}."
        )
