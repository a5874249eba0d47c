"""Where points live: locations, engines, the layout of a collection, and filters.

Files, in reading order: methods, engine, engine_wrappers, metadata, payload_values, points, client, quantization,
scroll, filters, edge, sharing, collection_codec, layout, copies, create, location, tracing, own_points, listing,
stored_vectors, export.

Public: `Engine` (what a new engine has to answer), `WrappedEngine` (one around another), `open_engine` and
`require_location` (of a location), `Listing` and `ListedCollection` (its collections), and of filters `PlainFilter`
(their type), `Pattern` (a text with stars), `to_filter`, `PAYLOAD_FIELDS` and `MOST_NESTED`.
"""

from typing import TYPE_CHECKING

from qdrant_embed.registry import lazy_names

if TYPE_CHECKING:
    from qdrant_embed.store.engine import Engine as Engine
    from qdrant_embed.store.engine_wrappers import WrappedEngine as WrappedEngine
    from qdrant_embed.store.filters import MOST_NESTED as MOST_NESTED
    from qdrant_embed.store.filters import PAYLOAD_FIELDS as PAYLOAD_FIELDS
    from qdrant_embed.store.filters import Pattern as Pattern
    from qdrant_embed.store.filters import PlainFilter as PlainFilter
    from qdrant_embed.store.filters import to_filter as to_filter
    from qdrant_embed.store.listing import ListedCollection as ListedCollection
    from qdrant_embed.store.listing import Listing as Listing
    from qdrant_embed.store.location import open_engine as open_engine
    from qdrant_embed.store.location import require_location as require_location
else:
    __getattr__, __dir__, __all__ = lazy_names(
        __name__,
        {
            "engine": ["Engine"],
            "engine_wrappers": ["WrappedEngine"],
            "filters": ["MOST_NESTED", "PAYLOAD_FIELDS", "Pattern", "PlainFilter", "to_filter"],
            "listing": ["ListedCollection", "Listing"],
            "location": ["open_engine", "require_location"],
        },
    )
