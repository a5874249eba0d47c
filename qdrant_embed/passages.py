"""What a collection gives back: passages by question, by place, by id."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, overload

from qdrant_embed.collection_parts import CollectionParts, preview_chunks
from qdrant_embed.embedding import Embedder
from qdrant_embed.errors import MissingExtraError
from qdrant_embed.recipe import Recipe, require_equal
from qdrant_embed.retrieval.browse import Browser
from qdrant_embed.retrieval.documents import Documents
from qdrant_embed.retrieval.hits import Answers, Hit, Hits
from qdrant_embed.retrieval.searcher import Mode, SearchRequest, as_queries, as_vector
from qdrant_embed.store.engine import Engine
from qdrant_embed.store.filters import PlainFilter, filter_of, warn_of_unknown_fields, without
from qdrant_embed.store.metadata import read_metadata
from qdrant_embed.store.own_points import own_points
from qdrant_embed.types import Document, FloatArray

if TYPE_CHECKING:
    import pandas as pd
    from llama_index.core.retrievers import BaseRetriever
    from qdrant_client import models

    from qdrant_embed.ingest.chunk_preview import Preview
    from qdrant_embed.reading.files import ReadOptions


class Handle:
    """One collection of an engine, and what is made of its recipe."""

    def __init__(self, engine: Engine, name: str, recipe: Recipe, runtime: str = "auto") -> None:
        self._engine, self._points = engine, own_points(engine)
        self._made = CollectionParts(self._points, name, recipe, runtime)
        self._browser = Browser(self._points, name)
        self._runtime = runtime
        self.name = name
        self.recipe = recipe

    def _use(self, recipe: Recipe) -> CollectionParts:
        """Go on with another recipe, by the same runtime; return the parts for it."""
        self.recipe = recipe
        self._made = made = CollectionParts(self._points, self.name, recipe, self._runtime)
        return made

    @property
    def _parts(self) -> CollectionParts:
        """The parts for what the name leads to now: another handle may have put recoded vectors behind it.

        To be read once by each method: the next time it may be others.

        :raises RecipeMismatchError: More than the compression has become another.
        """
        made = self._made
        if not made.current:
            stored = read_metadata(self._engine, self.name)["recipe"]
            given = self.recipe.as_dict()
            require_equal(self.name, stored, {**given, "compression": stored["compression"]})
            made = self._use(Recipe.from_dict(stored))
        return made

    @property
    def embedder(self) -> Embedder:
        """The model, checked to be the one whose vectors the collection holds."""
        return self._parts.embedder


class Passages(Handle):
    """The reading half of a `Collection`."""

    # By question

    @overload
    def search(  # type: ignore[overload-overlap]
        self, query: str, k: int = ..., *,
        filter: PlainFilter | models.Filter | None = ..., mode: Mode = ..., min_score: float | None = ...,
        offset: int = ...,
    ) -> Hits: ...  # fmt: skip
    @overload
    def search(
        self, query: Sequence[str], k: int = ..., *,
        filter: PlainFilter | models.Filter | None = ..., mode: Mode = ..., min_score: float | None = ...,
        offset: int = ...,
    ) -> Answers: ...  # fmt: skip
    def search(
        self,
        query: str | Sequence[str],
        k: int = 5,
        *,
        filter: PlainFilter | models.Filter | None = None,
        mode: Mode = "hybrid",
        min_score: float | None = None,
        offset: int = 0,
    ) -> Hits | Answers:
        """Return the best `k` passages, best first; for a list of queries, one list for each.

        The first hits are the same for every `k`.

        :param filter: A plain dict (see docs/guide/searching.md) or a `qdrant_client.models.Filter`.
        :param mode: `hybrid` (dense, BM25 and, where there is one, the sparse model, fused by rank; or, where there
            is a multi-vector model, ranked again by that), or one alone: `dense`, `bm25`, `sparse`, `multivector`.
        :param min_score: Leave out hits below this score; its scale is the mode's.
        :param offset: Hits passed over before the first one: `offset=5, k=5` is the second page.
        :raises ConfigurationError: A query is blank, or `k`, the mode or the filter makes no sense.
        """
        queries = as_queries(query)
        wanted = SearchRequest(k=k, offset=offset, where=filter, min_score=min_score)
        found = self._parts.searcher.search(queries, wanted, mode=mode)
        if queries:
            warn_of_unknown_fields(self._points, self.name, filter, sum(map(len, found)))
        return found[0] if isinstance(query, str) else Answers(found)

    def search_vector(
        self,
        vector: Sequence[float] | FloatArray,
        k: int = 5,
        *,
        filter: PlainFilter | models.Filter | None = None,
        min_score: float | None = None,
        offset: int = 0,
    ) -> Hits:
        """Return the `k` passages whose dense vectors are nearest to a vector of yours, best first.

        :param vector: (dim,), as `embedder.embed_queries` gives them: whole, whatever the collection makes of its own.
        :raises ConfigurationError: It has another number of dimensions, or holds what is no number.
        """
        parts = self._parts
        row = as_vector(vector, parts.embedder.dim)
        wanted = SearchRequest(k=k, offset=offset, where=filter, min_score=min_score)
        found = parts.searcher.nearest(row, wanted, "nearest to a vector")
        warn_of_unknown_fields(self._points, self.name, filter, len(found))
        return found

    def similar(
        self,
        to: Hit | str | Sequence[Hit | str],
        k: int = 5,
        *,
        filter: PlainFilter | models.Filter | None = None,
        min_score: float | None = None,
        offset: int = 0,
    ) -> Hits:
        """Return the `k` passages that are most like given ones, best first, these left out.

        :param to: Hits or ids of chunks; of several, the mean of their dense vectors is compared with.
        :raises ConfigurationError: There is none, or one of them is not in the collection.
        """
        given = [to] if isinstance(to, Hit | str) else list(to)
        named = [one for one in given if not isinstance(one, Hit)]
        fetched = iter(self._browser.get(named) if named else ())
        hits = [one if isinstance(one, Hit) else next(fetched) for one in given]
        others = without(filter_of(self._points, self.name, filter), [hit.id for hit in hits])
        wanted = SearchRequest(k=k, offset=offset, where=others, min_score=min_score)
        found = self._parts.searcher.similar(hits, wanted)
        warn_of_unknown_fields(self._points, self.name, filter, len(found))
        return found

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

    @overload
    def get(self, ids: str) -> Hit: ...  # type: ignore[overload-overlap]
    @overload
    def get(self, ids: Sequence[str]) -> Hits: ...
    def get(self, ids: str | Sequence[str]) -> Hit | Hits:
        """Return one chunk by its id, or several in the order of their ids.

        :raises ConfigurationError: There is no such point.
        """
        if isinstance(ids, str) or not isinstance(ids, Sequence):
            return self._browser.get([ids])[0]
        return Hits(self._browser.get(list(ids)))

    def chunks(self, source: str, *, root: str | None = None) -> Hits:
        """Return all chunks of a document, in reading order.

        :raises UnknownNameError: There is no such document; those with like names are listed.
        """
        return self._browser.chunks(source, root)

    def preview(self, what: str | Path | Document, *, reading: ReadOptions | None = None) -> Preview:
        """Return the chunks that an ingest would make, with their numbers of tokens; nothing is embedded or stored.

        :param what: A file, a text, or a `Document`.
        :raises ConfigurationError: There is no such file.
        :raises ReadError: The file cannot be read.
        """
        return preview_chunks(self.recipe, what, reading=reading, runtime=self._runtime)

    def neighbors(self, hit: Hit, before: int = 1, after: int = 1) -> Hits:
        """Return the chunks around a hit in its document, the hit included, in reading order.

        :param before: How many chunks before the hit; `after` likewise.
        """
        return self._browser.neighbors(hit, before, after)

    def documents(self, *, filter: PlainFilter | models.Filter | None = None) -> Documents:
        """Return the documents of the collection, by root and source.

        :param filter: Only documents that have a chunk which it lets through.
        """
        found = self._browser.documents(filter)
        warn_of_unknown_fields(self._points, self.name, filter, len(found))
        return found

    def count(self, *, filter: PlainFilter | models.Filter | None = None) -> int:
        """Return the number of chunks, or of those that a filter lets through."""
        where = filter_of(self._points, self.name, filter)
        found = self._points.count(self.name, count_filter=where, exact=True).count
        warn_of_unknown_fields(self._points, self.name, filter, found)
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
        found = self._browser.to_pandas(filter, self._parts.codec if vectors else None)
        warn_of_unknown_fields(self._points, self.name, filter, len(found))
        return found
