"""Clients over an engine: `QdrantClient` and `AsyncQdrantClient` for whoever asks, with their arguments and checks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qdrant_client import AsyncQdrantClient, QdrantClient
from qdrant_client.async_client_base import AsyncQdrantBase

from qdrant_embed.errors import UnsupportedByEngineError
from qdrant_embed.stock_client.engine_backend import EngineBackend
from qdrant_embed.store.location import open_engine

if TYPE_CHECKING:
    from qdrant_embed.store.engine import Engine
    from qdrant_embed.store.location import Location

_AT_ONCE = frozenset({"upload_points", "upload_collection"})
"""Methods that are not awaited in `AsyncQdrantClient` either."""
_NO_OPTIONS = "this client is around an engine and cannot be made again from options; use client.to_async()."


class EngineClient(QdrantClient):
    """A `QdrantClient` whose calls an engine answers: a folder's, a server's, memory's, or one of your own.

    What the engine lacks raises `UnsupportedByEngineError`; a missing collection or a taken name is a `ValueError`.

    :param before_writing: Called before whatever may change something; raises where that is not allowed.
    :param owned: Close the engine with the client.
    """

    def __init__(
        self, engine: Engine, *, before_writing: Callable[[], object] = lambda: None, owned: bool = False
    ) -> None:
        super().__init__(":memory:")  # opens nothing; the engine takes the place of what answers
        self.backend = self._client = EngineBackend(engine, before_writing, owned=owned)

    @property
    def init_options(self) -> dict[str, Any]:
        """Refuse: another client made from them would hold other points.

        :raises UnsupportedByEngineError: Always.
        """
        raise UnsupportedByEngineError(_NO_OPTIONS)

    def to_async(self) -> AsyncEngineClient:
        """Return an `AsyncQdrantClient` over the same engine; it is closed with this client."""
        return AsyncEngineClient(self)


class AsyncBackend(AsyncQdrantBase):
    """Answers an asynchronous client's calls by those of another backend, each in a thread of its own."""

    def __init__(self, backend: EngineBackend) -> None:
        super().__init__()
        self._backend = backend

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("_") or not hasattr(AsyncQdrantBase, name):
            return super().__getattribute__(name)
        method = getattr(self._backend, name)
        if name in _AT_ONCE:
            return method

        async def call(*arguments: Any, **named: Any) -> Any:
            return await asyncio.to_thread(method, *arguments, **named)

        return call


class AsyncEngineClient(AsyncQdrantClient):
    """An `AsyncQdrantClient` that asks the engine of another client, in threads.

    :param client: The other client, which stays open when this one is closed.
    """

    def __init__(self, client: EngineClient) -> None:
        super().__init__(":memory:")
        self.sync_client = client
        self._client = AsyncBackend(client.backend)

    async def close(self, grpc_grace: float | None = None, **kwargs: Any) -> None:
        """Do nothing: the engine is the other client's."""

    @property
    def init_options(self) -> dict[str, Any]:
        """Refuse: another client made from them would hold other points.

        :raises UnsupportedByEngineError: Always.
        """
        raise UnsupportedByEngineError(_NO_OPTIONS)


def open_client(at: Location, *, make: bool = True) -> EngineClient:
    """Return a `QdrantClient` over a location, for stores that were written for one; closing it lets go of a folder.

    :param at: A folder (embedded engine), a server's URL, `:memory:`, or a `QdrantClient` or `Engine` of yours.
    :param make: Whether a folder that holds no collections becomes one that does.
    :raises LocationLockedError: Another process holds the folder.
    """
    return EngineClient(open_engine(at, make=make), owned=True)
