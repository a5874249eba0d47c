"""The part of the façade that is about other programs: collections that they wrote, and a client for their stores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, Unpack

from qdrant_embed.operations.attached_handle import attach_handle, attached_of
from qdrant_embed.operations.collection_queries import client_of
from qdrant_embed.recipe import Recipe

if TYPE_CHECKING:
    from qdrant_embed.attachment.adoption import Adoption
    from qdrant_embed.attachment.foreign_layout import ForeignLayout, LayoutSettings
    from qdrant_embed.operations.collection_handle import CollectionHandle
    from qdrant_embed.stock_client.engine_clients import EngineClient
    from qdrant_embed.store.location import Location


class Attachable:
    """What `Collection` inherits: opening what something else wrote, and writing to it in its own layout."""

    def __init__(self, handle: CollectionHandle) -> None:
        self._handle = handle

    @classmethod
    def attach(
        cls, name: str, *,
        at: Location = "./qdrant_data", model: str = "", recipe: Recipe | None = None, embedder: str = "",
        runtime: str = "auto", writable: bool = False, **layout: Unpack[LayoutSettings],
    ) -> Self:  # fmt: skip
        """Open a collection that something else wrote, as it is; see docs/guide/attaching.md.

        Everything that reads works as far as its vectors, indexes and payload allow; `print(collection.layout)` says
        what was found. The model is proved: some stored texts are embedded again and compared with their vectors.

        :param at: As for `open`; nothing is created.
        :param model: What made its vectors, or `none` to search by words and filters alone. Left out, the collection
            has to say it, in its metadata or in the name of its vector.
        :param recipe: In place of `model`, to name also a sparse model, a language or a cut of dimensions.
        :param embedder: Another word for `model`.
        :param writable: Whether points may be added (`add`), indexed and deleted.
        :param layout: Keys and vectors that are known: `text=`, `metadata=`, `vector=`, `sparse=`, `source=`,
            `document=`, `index=`, `start=`, `page=`; see `ForeignLayout` of `qdrant_embed.attachment`.
        :raises RecipeMismatchError: The model did not make the vectors; cosines and candidates are told.
        :raises ConfigurationError: No model is named, or nothing shows where the text stands.
        """
        return cls(attach_handle(name, at, model or embedder, recipe, runtime, layout, writable=writable))

    @property
    def client(self) -> EngineClient:
        """A `QdrantClient` over the location, for stores of other packages; see docs/guide/stores.md.

        `client.to_async()` is an `AsyncQdrantClient` over the same. Of a collection that was attached to be read, it
        writes nothing, anywhere. It sees all collections and points, and is of use until the collection is closed.
        """
        return client_of(self._handle)

    @property
    def layout(self) -> ForeignLayout:
        """Where points have text, metadata and vectors, and by which sign that was found."""
        return self._handle.layout

    def add(self, what: Any) -> list[str]:
        """Add texts or documents to an attached collection, in its own layout; return the ids of the new points.

        They are cut into chunks and embedded as the stored ones were. Adding the same again changes nothing.

        :param what: A text, a list of texts, or documents as `ingest` takes them.
        :raises ConfigurationError: It was attached to be read, or is a collection of this library: `ingest` into that.
        """
        return attached_of(self._handle).add(what)

    def adopt(self) -> Adoption:
        """Make an attached collection one of this library's, where its points allow it; else say what is missing.

        :raises ConfigurationError: It was attached to be read, or without a model.
        """
        return attached_of(self._handle).adopt()
