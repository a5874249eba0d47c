"""What `Collection.explore` returns: the page with its address, or in a notebook the same as a widget."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Protocol, Self

from qdrant_embed.display import as_html
from qdrant_embed.explore.explorer_session import ExplorerSession
from qdrant_embed.explore.page_server import PageServer

if TYPE_CHECKING:
    import pandas as pd

    from qdrant_embed.operations.collection_handle import CollectionHandle


class Explored(Protocol):
    """A collection, as a page needs it."""

    @property
    def _handle(self) -> CollectionHandle: ...


class Explorer(Protocol):
    """A look at a collection that goes on until it is closed."""

    @property
    def selection(self) -> pd.DataFrame:
        """The chunks that are selected in the map, as a data frame."""
        ...

    def close(self) -> None:
        """Let go of everything: no thread, no port is left."""
        ...


class ExplorerPage:
    """A page on a loopback port, served by a thread of this process until it is closed.

    Use it as a context manager, or call `close`. The collection stays open.
    """

    def __init__(self, handle: CollectionHandle, port: int = 0) -> None:
        self._session = ExplorerSession(handle)
        self._server = PageServer(self._session, port)
        self._server.start()
        self._open = True

    @classmethod
    def of(cls, collection: Explored, port: int = 0) -> Self:
        """Return the page of an open collection, in a notebook, too."""
        return cls(collection._handle, port)

    @property
    def url(self) -> str:
        """The address of the page; it holds the token that opens it."""
        return self._server.url

    @property
    def selection(self) -> pd.DataFrame:
        """The chunks that are selected in the map, as a data frame.

        :raises MissingExtraError: pandas is not installed.
        """
        return self._session.frame()

    def close(self) -> None:
        """Stop serving the page and computing for it; its port is free afterwards."""
        if self._open:
            self._open = False
            self._server.stop()
            self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"ExplorerPage({'open in a browser: call print(explorer.url)' if self._open else 'closed'})"

    def __str__(self) -> str:
        return self.url if self._open else "closed"

    def _repr_html_(self) -> str:
        if not self._open:
            return "closed"
        return f"<a href='{as_html(self.url)}' target='_blank' rel='noreferrer'>Explore the collection</a>"


def explore(handle: CollectionHandle, port: int = 0) -> Explorer:
    """See `Collection.explore`."""
    if not in_notebook():
        return ExplorerPage(handle, port)
    from qdrant_embed.explore.notebook_widget import explorer_widget

    made: Explorer = explorer_widget(ExplorerSession(handle))
    return made


def in_notebook() -> bool:
    """Tell whether this process is a notebook's kernel, to which a page can speak."""
    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module is not None else None
    return getattr(shell, "kernel", None) is not None
