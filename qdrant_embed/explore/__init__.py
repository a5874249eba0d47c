"""A collection to look at: one page in a browser, or a widget in a notebook.

Files, in reading order: background_task, nearest_neighbors, repulsion, neighbor_map, map_clusters, map_cache,
collection_map, chunk_statistics, passage_views, python_code, explorer_session, http_guard, web_app, page_server,
notebook_widget, explorer.

Public: `Explorer` (what `Collection.explore` returns) and `ExplorerPage` (the one with an address).
"""

from typing import TYPE_CHECKING

from qdrant_embed.registry import lazy_names

if TYPE_CHECKING:
    from qdrant_embed.explore.explorer import Explorer as Explorer
    from qdrant_embed.explore.explorer import ExplorerPage as ExplorerPage
else:
    __getattr__, __dir__, __all__ = lazy_names(__name__, {"explorer": ["Explorer", "ExplorerPage"]})
