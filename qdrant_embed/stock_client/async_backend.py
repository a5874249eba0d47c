"""What stands behind an `AsyncQdrantClient`: the same engine, asked in threads."""

from __future__ import annotations

import asyncio
from typing import Any

from qdrant_client.async_client_base import AsyncQdrantBase

from qdrant_embed.stock_client.engine_backend import EngineBackend

_AT_ONCE = frozenset({"upload_points", "upload_collection"})
"""Methods that are not awaited in `AsyncQdrantClient` either."""


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
