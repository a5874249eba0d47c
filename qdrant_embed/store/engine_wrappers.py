"""Engines that hand their calls on to something else."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from qdrant_embed.servers.features import Feature
from qdrant_embed.store.engine import Engine
from qdrant_embed.types import Json

if TYPE_CHECKING:
    from qdrant_client import models

P = ParamSpec("P")
R = TypeVar("R")


def forwarded(method: Callable[Concatenate[Engine, P], R]) -> Callable[Concatenate[Any, P], R]:
    """Return a method of the same signature that calls `forward`, with the arguments that were given."""

    def call(self: ForwardingEngine, /, *arguments: P.args, **named: P.kwargs) -> R:
        return self.forward(method, *arguments, **named)

    update_wrapper(call, method, updated=())  # without the mark of an abstract one
    return call


class ForwardingEngine(Engine):
    """An engine whose methods, as far as they are `QdrantClient`'s, all go through `forward`."""

    @abstractmethod
    def forward(self, method: Callable[Concatenate[Engine, P], R], *arguments: P.args, **named: P.kwargs) -> R:
        """Call what has a method's name elsewhere, and return what it returns."""

    get_collections = forwarded(Engine.get_collections)
    collection_exists = forwarded(Engine.collection_exists)
    create_collection = forwarded(Engine.create_collection)
    get_collection = forwarded(Engine.get_collection)
    update_collection = forwarded(Engine.update_collection)
    delete_collection = forwarded(Engine.delete_collection)
    create_payload_index = forwarded(Engine.create_payload_index)
    update_collection_aliases = forwarded(Engine.update_collection_aliases)
    get_aliases = forwarded(Engine.get_aliases)
    get_collection_aliases = forwarded(Engine.get_collection_aliases)
    upsert = forwarded(Engine.upsert)
    delete = forwarded(Engine.delete)
    set_payload = forwarded(Engine.set_payload)
    retrieve = forwarded(Engine.retrieve)
    scroll = forwarded(Engine.scroll)
    count = forwarded(Engine.count)
    facet = forwarded(Engine.facet)
    query_points = forwarded(Engine.query_points)
    query_batch_points = forwarded(Engine.query_batch_points)


class WrappedEngine(ForwardingEngine):
    """An engine around another one, which does what a subclass does not.

    :ivar whole: The other one.
    """

    def __init__(self, engine: Engine) -> None:
        self.whole, self.client = engine, engine.client

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.whole!r})"

    def forward(self, method: Callable[Concatenate[Engine, P], R], *arguments: P.args, **named: P.kwargs) -> R:
        """Call the other engine's method of the same name."""
        found: R = getattr(self.whole, method.__name__)(*arguments, **named)
        return found

    @property
    def shared(self) -> bool:
        """Whether other processes may use it at the same time."""
        return self.whole.shared

    @property
    def joined(self) -> bool:
        """Whether other processes may be using it now."""
        return self.whole.joined

    @property
    def held_by(self) -> str:
        """The other process through which it is used; empty where there is none."""
        return self.whole.held_by

    @property
    def identity(self) -> str:
        """What holds the collections."""
        return self.whole.identity

    def lacks(self, feature: Feature) -> str:
        """Say why a feature is not to be had; empty if it is."""
        return self.whole.lacks(feature)

    @property
    def described(self) -> str:
        """What answers, with its version."""
        return self.whole.described

    def note_collection(self, collection_name: str, info: models.CollectionInfo, called: str) -> bool:
        """Take note of what was said of a collection by another of its names."""
        return self.whole.note_collection(collection_name, info, called)

    def stored_metadata(self, collection_name: str) -> Mapping[str, Json]:
        """Return the metadata entries of a collection, whoever set them."""
        return self.whole.stored_metadata(collection_name)

    def save_attachment(self, collection_name: str, data: bytes, noted: dict[str, Json]) -> None:
        """Keep a file with a collection, replacing the one there was."""
        self.whole.save_attachment(collection_name, data, noted)

    def load_attachment(self, collection_name: str) -> bytes | None:
        """Return the file that is kept with a collection; None if there is none."""
        return self.whole.load_attachment(collection_name)

    def disk_sizes(self, collection_name: str) -> tuple[int, int] | None:
        """Return the bytes that a collection takes on the disk, and those that its files seem to have."""
        return self.whole.disk_sizes(collection_name)

    def finish_bulk_load(self, collection_name: str) -> None:
        """Build the search index over what was written, and bring it to disk."""
        self.whole.finish_bulk_load(collection_name)

    def close(self) -> None:
        """Close the other engine."""
        self.whole.close()


class LentEngine(WrappedEngine):
    """An engine that the user made, and will close."""

    def close(self) -> None:
        """Do nothing."""
