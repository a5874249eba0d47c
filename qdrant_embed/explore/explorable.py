"""The part of the façade that shows a collection."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qdrant_embed.explore.explorer import Explorer
    from qdrant_embed.operations.collection_handle import CollectionHandle


class Explorable:
    """What `Collection` inherits: a page to look at it."""

    _handle: CollectionHandle

    def explore(self, *, port: int = 0) -> Explorer:
        """Show the collection: search, documents, a map, statistics; `selection` is what was selected in the map.

        In a notebook it is a widget, elsewhere a page on the loopback address, to be opened by its `url`. The page
        asks nothing of any other machine. Close it when done; see docs/guide/exploring.md.

        :param port: Of the page; 0 for any that is free. A widget needs none.
        :raises MissingExtraError: The extra `explore`, or in a notebook `widget`, is not installed.
        """
        from qdrant_embed.explore.explorer import explore

        return explore(self._handle, port)
