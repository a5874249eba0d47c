"""Engines that hand their calls on to something else."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from qdrant_embed.servers.features import Feature
from qdrant_embed.store.engine import Engine

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


KEEPING = ("stored_metadata", "save_attachment", "load_attachment", "disk_sizes", "finish_bulk_load")
"""What an engine does with a collection beside `QdrantClient`'s methods."""


class WholeForwardingEngine(ForwardingEngine):
    """An engine all of whose methods about collections go through `forward`."""

    stored_metadata = forwarded(Engine.stored_metadata)
    save_attachment = forwarded(Engine.save_attachment)
    load_attachment = forwarded(Engine.load_attachment)
    disk_sizes = forwarded(Engine.disk_sizes)
    finish_bulk_load = forwarded(Engine.finish_bulk_load)


def _of_whole(name: str) -> Any:
    return property(lambda engine: getattr(engine.whole, name))


class WrappedEngine(WholeForwardingEngine):
    """An engine around another one, which does what a subclass does not.

    Searches go through the methods of a client, which a subclass may have changed; see `HandingOn`.

    :ivar whole: The other one.
    """

    shared = _of_whole("shared")
    joined = _of_whole("joined")
    held_by = _of_whole("held_by")
    identity = _of_whole("identity")
    described = _of_whole("described")

    def __init__(self, engine: Engine) -> None:
        self.whole, self.client = engine, engine.client

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.whole!r})"

    def forward(self, method: Callable[Concatenate[Engine, P], R], *arguments: P.args, **named: P.kwargs) -> R:
        """Call the other engine's method of the same name."""
        found: R = getattr(self.whole, method.__name__)(*arguments, **named)
        return found

    def lacks(self, feature: Feature) -> str:
        """Say why a feature is not to be had; empty if it is."""
        return self.whole.lacks(feature)

    def note_collection(self, collection_name: str, info: models.CollectionInfo, called: str) -> bool:
        """Take note of what was said of a collection by another of its names."""
        return self.whole.note_collection(collection_name, info, called)

    def close(self) -> None:
        """Close the other engine."""
        self.whole.close()


class HandingOn(WrappedEngine):
    """An engine around another one that is asked for searches in their own values, too."""

    collection_names = forwarded(Engine.collection_names)
    alias_targets = forwarded(Engine.alias_targets)
    collection_facts = forwarded(Engine.collection_facts)
    rank = forwarded(Engine.rank)
    payloads = forwarded(Engine.payloads)
    count_points = forwarded(Engine.count_points)
    count_lacking = forwarded(Engine.count_lacking)


class LentEngine(HandingOn):
    """An engine that the user made, and will close."""

    def close(self) -> None:
        """Do nothing."""
