"""The vector store: one LangChain document is one point, under the id that the caller knows it by."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn, Self

from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import VectorStore
from qdrant_client import models

from langchain_qdrant_embed.documents import of_store, stays_here
from langchain_qdrant_embed.embedding_proof import require_same
from langchain_qdrant_embed.embeddings import EmbedderEmbeddings, QdrantEmbedEmbeddings
from langchain_qdrant_embed.filters import over_metadata
from langchain_qdrant_embed.metadata_values import not_carried
from langchain_qdrant_embed.runtime import model_of
from qdrant_embed import Collection, Hit, Recipe
from qdrant_embed import Document as Text
from qdrant_embed.errors import CollectionNotFoundError, ConfigurationError
from qdrant_embed.store import to_filter

LOCATION = "./qdrant_data"
WHOLE = "document"
"""The chunker that cuts nothing: who gives documents to a vector store has cut them already."""
PAGE = 256
"""Ids of one request."""


class QdrantEmbedVectorStore(VectorStore):
    """Store LangChain documents in a collection, and search it in every mode that it has.

    A document is embedded whole, by the model of the collection, and never cut; ids may be any text. Scores of
    `hybrid`, the default, are from 0 to 1. Further words of `Collection.search` (`mode`, `rerank`, `min_score`, …) can
    be given to every search. A filter is a plain dict (`{"team": "security", "n": {"gte": 3}}`) over the documents'
    metadata, or a `qdrant_client.models.Filter`. For a collection of folders, whose documents are cut, take
    `QdrantEmbedRetriever`.

    :param collection: An open collection whose recipe has `chunker="document"`.
    :raises ConfigurationError: Its recipe cuts documents, or it is no collection.
    """

    def __init__(self, collection: Collection) -> None:
        if not isinstance(collection, Collection):
            raise ConfigurationError(
                f"a store is made over an open Collection, not {type(collection).__name__}. Type: "
                f"{type(self).__name__}.open(NAME, at=…, embedding=…), which opens or makes one."
            )
        if collection.recipe.chunker != WHOLE:
            raise ConfigurationError(
                f"collection {collection.name!r} cuts its documents (chunker={collection.recipe.chunker!r}), and a "
                "vector store gives back whole ones. Type QdrantEmbedRetriever(collection=…) to search it, or open a "
                "new one: QdrantEmbedVectorStore.open(NAME)."
            )
        self.collection = collection

    @classmethod
    def open(
        cls,
        name: str,
        *,
        at: str | Path | Any = LOCATION,
        embedding: Embeddings | None = None,
        embedding_name: str = "",
        model: str = "",
        recipe: Recipe | None = None,
    ) -> Self:
        """Open a collection, or make it. One that exists keeps its compression, and needs no model.

        :param at: A folder, a server's URL, `:memory:`, a `QdrantClient`, or an `Engine`.
        :param embedding: What makes the vectors: `QdrantEmbedEmbeddings`, or any embeddings of LangChain, which
            then have to be given whenever the collection is opened, and are proved on some stored texts.
        :param embedding_name: What the collection calls them, where class and model do not tell them from others.
        :param model: What makes them where no embeddings are given; `minilm` for a new collection.
        :param recipe: All else that decides the vectors, such as `Recipe(compression="float16+binary+rescore8")`.
        :raises ConfigurationError: The recipe cuts documents, or both a recipe and embeddings say which model.
        :raises RecipeMismatchError: It was made with another model or recipe, or by other embeddings.
        :raises ModelError: The embeddings give no vector, or have the name of others that this process uses.
        """
        if embedding is not None and recipe is not None:
            raise ConfigurationError("both recipe= and embedding= say which model makes the vectors; give one of them.")
        if recipe is None:
            wanted = _wanted(model if embedding is None else embedding, embedding_name)
            recipe = replace(_stored(name, at), **wanted)
        collection = Collection.open(name, at=at, recipe=recipe)
        try:
            if embedding is not None and not isinstance(embedding, QdrantEmbedEmbeddings):
                require_same(collection, embedding)
            return cls(collection)
        except BaseException:
            collection.close()
            raise

    @classmethod
    def from_texts(
        cls,
        texts: list[str],
        embedding: Embeddings,
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        name: str = "langchain",
        at: str | Path | Any = LOCATION,
        **more: Any,
    ) -> Self:
        """Open a collection as `open` does, and add texts."""
        store = cls.open(name, at=at, embedding=embedding, **more)
        store.add_texts(texts, metadatas, ids=ids)
        return store

    @property
    def embeddings(self) -> Embeddings:
        """The model of the collection as LangChain's embeddings."""
        return EmbedderEmbeddings(self.collection.embedder)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.collection!r})"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise stays_here(self, self.collection, "open({name!r}, at=…)")

    def add_texts(
        self,
        texts: Iterable[str],
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: Sequence[str | None] | None = None,
        **kwargs: Any,
    ) -> list[str]:
        """Store texts, in place of those that have the same ids; return the ids, new ones where none was given.

        :raises ConfigurationError: There are not as many metadata or ids as texts, or an id is no Unicode, and nothing
            is stored; or a text cannot be stored, which is named, and all others are.
        """
        given = list(texts)
        for word, values in (("metadatas", metadatas), ("ids", ids)):
            if values is not None and len(values) != len(given):
                raise ConfigurationError(f"{len(given)} texts came with {len(values)} {word}; give as many as texts.")
        named = [name or str(uuid.uuid4()) for name in ids or [None] * len(given)]
        fields = metadatas or [{} for _ in given]
        if odd := next((name for name in named if not _storable(name)), None):
            raise ConfigurationError(
                f"the id {odd!r} cannot be stored, for it is no Unicode; nothing was. Give another."
            )
        last = dict(zip(named, zip(given, fields, strict=True), strict=True))
        found = [Text(text=text, source=name, metadata=own or {}) for name, (text, own) in last.items()]
        if found:
            self._store(found)
        return named

    def _store(self, found: list[Text]) -> None:
        wrong = {
            text.source: "it has no text" if not text.text.strip() else not_carried(text.metadata) for text in found
        }
        report = self.collection.ingest([text for text in found if not wrong[text.source]])
        failed = [f"{failure.source!r} ({failure.reason})" for failure in report.failed]
        failed += [f"{source!r} ({why})" for source, why in wrong.items() if why]
        if failed:
            raise ConfigurationError(f"{len(failed)} of {len(found)} texts were not stored: {', '.join(failed[:5])}.")

    def delete(
        self, ids: list[str] | None = None, *, filter: Any = None, everything: bool = False, **kwargs: Any
    ) -> bool:
        """Remove documents by their ids, or those that a filter lets through; ids that are not there are passed over.

        :param filter: As for a search; with ids, both have to hold.
        :param everything: Remove all documents. Without ids or a filter nothing else does: a variable that happens to
            be None shall not empty a store.
        :raises ConfigurationError: Nothing says what to remove.
        """
        if ids is None and not filter and not everything:
            raise ConfigurationError("give ids= or filter=; everything=True removes all documents.")
        if ids is None:
            self.collection.delete(None if filter else "*", filter=over_metadata(filter))
        for page in _pages(ids or []):
            self.collection.delete(filter=_condition(page, to_filter(over_metadata(filter))))
        return True

    def get_by_ids(self, ids: Sequence[str], /) -> list[Document]:
        """Return the documents of these ids that are there, in this order."""
        found: dict[str, Document] = {}
        for page in _pages(ids):
            records, _ = self.collection.engine.scroll(self.collection.name, _condition(page), limit=len(page))
            hits = (Hit.from_payload(record.id, record.payload or {}) for record in records)
            found |= {hit.source: of_store(hit) for hit in hits}
        return [found[name] for name in dict.fromkeys(ids) if name in found]

    def similarity_search(self, query: str, k: int = 4, filter: Any = None, **more: Any) -> list[Document]:
        """Return the `k` best documents, best first."""
        return [document for document, _ in self.similarity_search_with_score(query, k, filter, **more)]

    def similarity_search_with_score(
        self, query: str, k: int = 4, filter: Any = None, **more: Any
    ) -> list[tuple[Document, float]]:
        """Return the `k` best documents with their scores, on the scale of the mode: for `hybrid` from 0 to 1."""
        return [
            (of_store(hit), hit.score) for hit in self.collection.search(query, k, filter=over_metadata(filter), **more)
        ]

    def _select_relevance_score_fn(self) -> Callable[[float], float]:
        return lambda score: min(1.0, max(0.0, score))

    def _similarity_search_with_relevance_scores(
        self, query: str, k: int = 4, **more: Any
    ) -> list[tuple[Document, float]]:
        self._require_relevance(more)
        return super()._similarity_search_with_relevance_scores(query, k, **more)

    async def _asimilarity_search_with_relevance_scores(
        self, query: str, k: int = 4, **more: Any
    ) -> list[tuple[Document, float]]:
        self._require_relevance(more)
        return await super()._asimilarity_search_with_relevance_scores(query, k, **more)

    def _require_relevance(self, more: dict[str, Any]) -> None:
        """Refuse scores that do not say by themselves how relevant a text is.

        :raises ConfigurationError: They are those of words, of ranks, of a reranker, or of lengths of vectors.
        """
        mode, rerank = more.get("mode", "hybrid"), more.get("rerank")
        lengths = mode == "dense" and self.collection.embedder.distance != "cosine"
        if rerank or lengths or mode not in ("hybrid", "dense"):
            scale = f"of rerank={rerank!r}" if rerank else f"of mode={mode!r}"
            raise ConfigurationError(
                f"the scores {scale} have no scale from 0 to 1, so no threshold of relevance fits them. Use "
                "mode='hybrid' or, where vectors are compared by cosine, 'dense'; or min_score= with search_type="
                "'similarity', on the scale that similarity_search_with_score shows."
            )

    def similarity_search_by_vector(
        self, embedding: list[float], k: int = 4, filter: Any = None, **more: Any
    ) -> list[Document]:
        """Return the `k` documents whose vectors are nearest to one."""
        return [
            of_store(hit) for hit in self.collection.search_vector(embedding, k, filter=over_metadata(filter), **more)
        ]

    def max_marginal_relevance_search(
        self, query: str, k: int = 4, fetch_k: int = 20, lambda_mult: float = 0.5, filter: Any = None, **more: Any
    ) -> list[Document]:
        """Return documents that are relevant and unlike each other, chosen among the `fetch_k` best.

        :param lambda_mult: 1 for relevance alone, 0 for the greatest diversity.
        """
        best = self.collection.search(query, max(k, fetch_k), filter=over_metadata(filter), **more)
        return self._unlike(query, best, k, lambda_mult)

    def max_marginal_relevance_search_by_vector(
        self, embedding: list[float], k: int = 4, fetch_k: int = 20, lambda_mult: float = 0.5, filter: Any = None,
        **more: Any,
    ) -> list[Document]:  # fmt: skip
        """See `max_marginal_relevance_search`; relevant is what is near a vector."""
        best = self.collection.search_vector(embedding, max(k, fetch_k), filter=over_metadata(filter), **more)
        return self._unlike("", best, k, lambda_mult)

    def _unlike(self, query: str, best: Sequence[Hit], k: int, lambda_mult: float) -> list[Document]:
        if not 0 <= lambda_mult <= 1:
            raise ConfigurationError(f"lambda_mult={lambda_mult!r}; give a number from 0 (diversity) to 1 (relevance).")
        chosen = self.collection.parts.reranker(f"mmr:{1.0 - lambda_mult:g}").rerank(query, list(best))
        return [of_store(hit) for hit in chosen[:k]]


def _wanted(model: str | Embeddings, name: str) -> dict[str, str]:
    """Return the parts of a recipe that a model says."""
    if isinstance(model, QdrantEmbedEmbeddings):
        cut = {"compression": model.compression} if model.compression != "float32" else {}
        return {"model": model.model, "window": model.window, **cut}
    if isinstance(model, str):
        return {"model": model} if model else {}
    return {"model": model_of(model, name)}


def _stored(name: str, at: Any) -> Recipe:
    """Return the recipe of a collection, or that of a new one."""
    try:
        with Collection.open(name, at=at) as there:
            return there.recipe
    except CollectionNotFoundError:
        return Recipe(model="minilm", chunker=WHOLE)


def _pages(ids: Sequence[str]) -> Iterable[list[str]]:
    unique = list(filter(_storable, dict.fromkeys(ids)))
    return (unique[start : start + PAGE] for start in range(0, len(unique), PAGE))


def _storable(name: str) -> bool:
    """Tell whether an id can come back as it is: JSON carries no lone surrogates."""
    return "\ufffd" not in name and name == name.encode("utf-8", "replace").decode()


def _condition(ids: list[str], where: models.Filter | None = None) -> models.Filter:
    named = models.FieldCondition(key="source", match=models.MatchAny(any=ids))
    return models.Filter(must=[named, *([] if where is None else [where])])
