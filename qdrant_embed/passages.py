"""What a collection gives back: passages by question, by place, by id."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, overload

from qdrant_embed.embedding import Embedder
from qdrant_embed.errors import MissingExtraError
from qdrant_embed.parts import Parts
from qdrant_embed.recipe import Recipe, require_equal
from qdrant_embed.retrieval.browse import Browser, StoredDocument
from qdrant_embed.retrieval.hits import Hit, Hits
from qdrant_embed.retrieval.search import Mode, as_queries
from qdrant_embed.store import schema
from qdrant_embed.store.engine import Engine
from qdrant_embed.store.filters import PlainFilter, filter_of, warn_of_unknown_fields

if TYPE_CHECKING:
    import pandas as pd
    from llama_index.core.retrievers import BaseRetriever
    from qdrant_client import models


class Passages:
    """The reading half of a `Collection`."""

    def __init__(self, engine: Engine, name: str, recipe: Recipe, runtime: str = "auto") -> None:
        self._engine = engine
        self._made = Parts(engine, name, recipe, runtime)
        self._browser = Browser(engine, name)
        self._runtime = runtime
        self.name = name
        self.recipe = recipe

    def _use(self, recipe: Recipe) -> None:
        """Go on with another recipe, by the same runtime."""
        self.recipe = recipe
        self._made = Parts(self._engine, self.name, recipe, self._runtime)

    @property
    def _parts(self) -> Parts:
        """The parts for what the name leads to now: another handle may have put recoded vectors behind it.

        :raises RecipeMismatchError: More than the compression has become another.
        """
        if not self._made.current:
            stored = schema.read_metadata(self._engine, self.name)["recipe"]
            given = self.recipe.as_dict()
            require_equal(self.name, stored, {**given, "compression": stored["compression"]})
            self._use(Recipe.from_dict(stored))
        return self._made

    @property
    def embedder(self) -> Embedder:
        """The model, checked to be the one whose vectors the collection holds."""
        return self._parts.embedder

    # By question

    @overload
    def search(  # type: ignore[overload-overlap]
        self, query: str, k: int = ..., *,
        filter: PlainFilter | models.Filter | None = ..., mode: Mode = ..., min_score: float | None = ...,
    ) -> Hits: ...  # fmt: skip
    @overload
    def search(
        self, query: Sequence[str], k: int = ..., *,
        filter: PlainFilter | models.Filter | None = ..., mode: Mode = ..., min_score: float | None = ...,
    ) -> list[Hits]: ...  # fmt: skip
    def search(
        self,
        query: str | Sequence[str],
        k: int = 5,
        *,
        filter: PlainFilter | models.Filter | None = None,
        mode: Mode = "hybrid",
        min_score: float | None = None,
    ) -> Hits | list[Hits]:
        """Return the best `k` passages, best first; for a list of queries, one list for each.

        :param filter: A plain dict (see `qdrant_embed.store.filters`) or a `qdrant_client.models.Filter`.
        :param mode: `hybrid` (dense, BM25 and, where there is one, the sparse model, fused by rank; or, where there
            is a multi-vector model, ranked again by that), or one alone: `dense`, `bm25`, `sparse`, `multivector`.
        :param min_score: Leave out hits below this score; its scale is the mode's.
        :raises ConfigurationError: A query is blank, or `k`, the mode or the filter makes no sense.
        """
        queries = as_queries(query)
        found = self._parts.searcher.search(queries, k, where=filter, mode=mode, min_score=min_score)
        if queries and not any(found):
            warn_of_unknown_fields(self._engine, self.name, filter)
        return found[0] if isinstance(query, str) else found

    def as_retriever(
        self,
        k: int = 5,
        *,
        filter: PlainFilter | models.Filter | None = None,
        mode: Mode = "hybrid",
    ) -> BaseRetriever:
        """Return a LlamaIndex retriever over this collection.

        :raises MissingExtraError: The integration is not installed.
        """
        try:
            module = import_module("llama_index.retrievers.qdrant_embed")
        except ModuleNotFoundError as error:
            raise MissingExtraError("as_retriever()", str(error.name), "qdrant-embed[llama-index]") from None
        retriever: BaseRetriever = module.QdrantEmbedRetriever(self, k=k, filter=filter, mode=mode)
        return retriever

    # Looking around

    def get(self, point_id: str) -> Hit:
        """Return one chunk by its id.

        :raises ConfigurationError: There is no such point.
        """
        return self._browser.get(point_id)

    def chunks(self, source: str, *, root: str | None = None) -> Hits:
        """Return all chunks of a document, in reading order; none if there is no such document."""
        return self._browser.chunks(source, root)

    def neighbors(self, hit: Hit, before: int = 1, after: int = 1) -> Hits:
        """Return the chunks around a hit in its document, the hit included, in reading order.

        :param before: How many chunks before the hit; `after` likewise.
        """
        return self._browser.neighbours(hit, before, after)

    def documents(self, *, filter: PlainFilter | models.Filter | None = None) -> list[StoredDocument]:
        """Return the documents of the collection, by root and source.

        :param filter: Only documents that have a chunk which it lets through.
        """
        found = self._browser.documents(filter)
        if not found:
            warn_of_unknown_fields(self._engine, self.name, filter)
        return found

    def count(self, *, filter: PlainFilter | models.Filter | None = None) -> int:
        """Return the number of chunks, or of those that a filter lets through."""
        where = filter_of(self._engine, self.name, filter)
        found = self._engine.count(self.name, count_filter=where, exact=True).count
        if not found:
            warn_of_unknown_fields(self._engine, self.name, filter)
        return found

    def to_pandas(
        self,
        *,
        filter: PlainFilter | models.Filter | None = None,
        vectors: bool = False,
    ) -> pd.DataFrame:
        """Return the chunks as a data frame; `vectors=True` adds their dense vectors, one or one for each window.

        They are the model's, whatever the collection makes of them, and as exact as the format that it stores.

        :raises ConfigurationError: Vectors are wanted, and the collection keeps nothing but signs (`bits`).
        """
        return self._browser.to_pandas(filter, self._parts.coding if vectors else None)
