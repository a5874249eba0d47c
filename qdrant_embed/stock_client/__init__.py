"""A `QdrantClient` and an `AsyncQdrantClient` over any engine, for stores that were written for these.

Files, in reading order: payload_profiles, engine_backend, engine_clients.

Public: `open_client` (of a location), `EngineClient` (over an engine), `AsyncEngineClient` (the same, awaited).
"""

from typing import TYPE_CHECKING

from qdrant_embed.registry import lazy_names

if TYPE_CHECKING:
    from qdrant_embed.stock_client.engine_clients import AsyncEngineClient as AsyncEngineClient
    from qdrant_embed.stock_client.engine_clients import EngineClient as EngineClient
    from qdrant_embed.stock_client.engine_clients import open_client as open_client
else:
    __getattr__, __dir__, __all__ = lazy_names(
        __name__, {"engine_clients": ["AsyncEngineClient", "EngineClient", "open_client"]}
    )
