"""What `Collection` delegates to: an opened collection, what is asked of it, what changes it, what tunes it.

Files, in reading order: collection_handle, attached_handle, collection_queries, collection_changes,
collection_attachment, collection_vectors.

Public: `CollectionVectors` and `CollectionAttachment`, which are `collection.vectors` and `collection.attachment`.
"""

from typing import TYPE_CHECKING

from qdrant_embed.registry import lazy_names

if TYPE_CHECKING:
    from qdrant_embed.operations.collection_attachment import CollectionAttachment as CollectionAttachment
    from qdrant_embed.operations.collection_vectors import CollectionVectors as CollectionVectors
else:
    __getattr__, __dir__, __all__ = lazy_names(
        __name__, {"collection_attachment": ["CollectionAttachment"], "collection_vectors": ["CollectionVectors"]}
    )
