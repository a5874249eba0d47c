"""What can be done to a collection that something else wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qdrant_embed.operations.attached_handle import attached_of

if TYPE_CHECKING:
    from qdrant_embed.attachment.adoption import Adoption
    from qdrant_embed.operations.collection_handle import CollectionHandle


class CollectionAttachment:
    """What only a collection has that something else wrote, as `collection.attachment`."""

    def __init__(self, handle: CollectionHandle) -> None:
        self._handle = handle

    def add(self, what: Any) -> list[str]:
        """Add texts or documents to an attached collection, in its own layout; return the ids of the new points.

        They are cut into chunks and embedded as the stored ones were. Adding the same again changes nothing.

        :param what: A text, a list of texts, or documents as `ingest` takes them.
        :raises ConfigurationError: It was attached to be read, or is a collection of this library: `ingest` into that.
        """
        from qdrant_embed.attachment.attached_writer import add

        attached = attached_of(self._handle)
        return add(attached.settle(), attached.name, what)

    def adopt(self) -> Adoption:
        """Make an attached collection one of this library's, where its points allow it; else say what is missing.

        :raises ConfigurationError: It was attached to be read, or without a model.
        """
        from qdrant_embed.attachment.adoption import adopt

        attached = attached_of(self._handle)
        return adopt(attached.settle(), attached.name)
