"""What this library asks of a vector engine: a few methods of `QdrantClient`, with the same names and meanings.

`store.edge.EdgeEngine` answers for a folder; `store.client.engine.ClientEngine` wraps a `QdrantClient`: a server's, the
one in memory, or the user's own. An engine of your own inherits from `Engine`, and may be given as a location:
`Collection.open(name, at=MyEngine())`. `qdrant_embed.testing` checks an engine and compares two.

Every engine raises `StoreError` or one of its subclasses, never an exception of a transport:
`UnsupportedByEngineError` where it lacks a feature; `CollectionNotFoundError` where a collection is missing and
`CollectionExistsError` where a name is taken, which are `ValueError` too, as stores written for `QdrantClient` expect.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from qdrant_embed.servers.features import Feature
from qdrant_embed.store.methods.search_methods import SearchMethods
from qdrant_embed.types import Json

if TYPE_CHECKING:
    from qdrant_client import QdrantClient, models

ATTACHMENT_KEY = "qdrant_embed_transform"
"""Metadata entry of an attachment that has no better place: base64, apart from what `read_metadata` returns."""


@runtime_checkable
class Engine(SearchMethods, Protocol):
    """A place that holds collections.

    What is below is about the engine itself, and is written only where it differs; so are `SearchMethods`.
    """

    client: QdrantClient | None = None
    """The client of `qdrant_client` that it is around; None where it is around none."""

    @property
    def shared(self) -> bool:
        """Whether other processes may use it at the same time, as they may a server."""
        return False

    @property
    def joined(self) -> bool:
        """Whether other processes may be using it now: a server always, a folder once one has come."""
        return self.shared

    @property
    def held_by(self) -> str:
        """The other process through which it is used, in words; empty where there is none."""
        return ""

    @property
    def identity(self) -> str:
        """What holds the collections: equal for two engines of a process that hold the same ones."""
        return str(id(self))

    def lacks(self, feature: Feature) -> str:
        """Say why a feature is not to be had, for a message; empty if it is.

        :param feature: A name of the table in `servers/features.py`, e.g. `indexes`, by which a filter need not look at
            every point, or `text ranking`, BM25 over a text index.
        """
        return ""

    @property
    def described(self) -> str:
        """What answers, with its version, in a few words for people."""
        return f"an engine of your own: {type(self).__name__}"

    def note_collection(self, collection_name: str, info: models.CollectionInfo, called: str) -> bool:
        """Take note of what was said of a collection by another of its names; return whether that is of any use.

        :param called: The other name, by which users know it.
        """
        return False

    def stored_metadata(self, collection_name: str) -> Mapping[str, Json]:
        """Return the metadata entries of a collection, whoever set them.

        An engine that can tell them of a collection whose points are damaged lets it be named and removed.
        """
        return self.get_collection(collection_name).config.metadata or {}

    def save_attachment(self, collection_name: str, data: bytes, noted: dict[str, Json]) -> None:
        """Keep a file with a collection, replacing the one there was, on disk when this returns.

        :param noted: Metadata entries that say which file it is; set with it, here in one request.
        """
        encoded = base64.b64encode(data).decode("ascii")
        self.update_collection(collection_name, metadata={ATTACHMENT_KEY: encoded, **noted})

    def load_attachment(self, collection_name: str) -> bytes | None:
        """Return the file that is kept with a collection; None if there is none."""
        return attachment_in(self.stored_metadata(collection_name))

    def disk_sizes(self, collection_name: str) -> tuple[int, int] | None:
        """Return the bytes that a collection takes on the disk, and those that its files seem to have.

        None where that is not known.
        """
        return None

    def finish_bulk_load(self, collection_name: str) -> None:
        """Build the search index over what was written, and bring it to disk."""

    def close(self) -> None:
        """Let go of the location; closing again does nothing."""


def attachment_in(metadata: Mapping[str, Json]) -> bytes | None:
    """Return the file that stands among a collection's metadata entries; None where there is none, or elsewhere."""
    encoded = metadata.get(ATTACHMENT_KEY)
    return None if encoded is None else base64.b64decode(str(encoded))
