"""A collection made anew in another form while it goes on answering.

Files, in reading order: catch_up, recompression.

Public: `RecompressResult` (what `Collection.recompress` returns).
"""

from typing import TYPE_CHECKING

from qdrant_embed.registry import lazy_names

if TYPE_CHECKING:
    from qdrant_embed.migration.recompression import RecompressResult as RecompressResult
else:
    __getattr__, __dir__, __all__ = lazy_names(
        __name__,
        {
            "recompression": ["RecompressResult"],
        },
    )
