"""The parts of a collection that something else wrote: what of searching its vectors and indexes allow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from qdrant_embed.attachment.attached_browser import AttachedBrowser
from qdrant_embed.attachment.attached_embedder import AttachedEmbedder
from qdrant_embed.attachment.attached_engine import AttachedEngine
from qdrant_embed.attachment.filter_view import foreign_key
from qdrant_embed.attachment.foreign_layout import ForeignLayout
from qdrant_embed.attachment.sparse_proof import TermsOf, prove_bm25, prove_sparse
from qdrant_embed.attachment.surface_terms import SurfaceTerms
from qdrant_embed.collection_parts import CollectionParts
from qdrant_embed.compression import Compression
from qdrant_embed.embedding import Embedder, SparseEmbedder, load_sparse
from qdrant_embed.embedding.bm25 import Bm25Encoder
from qdrant_embed.embedding.recipe_models import AuxiliaryModels
from qdrant_embed.errors import ConfigurationError, StoreError
from qdrant_embed.retrieval.hits import Hits
from qdrant_embed.retrieval.query_plan import QueryVector
from qdrant_embed.retrieval.search_request import FUSED, Mode, SearchRequest
from qdrant_embed.retrieval.searcher import Searcher
from qdrant_embed.retrieval.term_query import TermQuery
from qdrant_embed.store.collection_codec import CollectionCodec
from qdrant_embed.store.copies.generations import Generation
from qdrant_embed.store.engine import Engine
from qdrant_embed.store.methods.ranking_request import RankingRequest
from qdrant_embed.types import SPARSE, TERMS

if TYPE_CHECKING:
    from qdrant_embed.ingest.context import IngestContext

LISTS: tuple[Mode, ...] = ("dense", "bm25", "sparse")
Words = Literal["index", "vectors", ""]
"""What ranks by words: a text index, sparse vectors that are proved to be BM25's, or nothing."""


@dataclass(frozen=True, kw_only=True)
class AttachedSearcher(Searcher):
    """Answers queries by the lists that an attached collection has.

    :param by_vector: Whether questions can be embedded.
    :param words: What ranks by words.
    :param offers: By mode, what to do to have it, of those that there are not.
    """

    by_vector: bool
    words: Words
    offers: dict[str, str]

    def search(self, queries: Sequence[str], wanted: SearchRequest, *, mode: Mode = "hybrid") -> list[Hits]:
        """Return the best passages for each query; where one list is all there is, by that list and its scores."""
        there = [one for one in LISTS if one not in self.offers]
        alone = mode in FUSED and len(there) == 1 and not wanted.min_confidence
        return super().search(queries, wanted, mode=there[0] if alone else mode)

    def _require_model(self, mode: Mode) -> None:
        if mode in self.offers:
            there = ", ".join(one for one in ("hybrid", *LISTS) if one not in self.offers) or "none"
            raise ConfigurationError(
                f"collection {self.name!r} cannot be searched by mode={mode!r}: {self.offers[mode]} Modes that it has: "
                f"{there}."
            )

    def _vectors(self, queries: Sequence[str]) -> Sequence[QueryVector | None]:
        return super()._vectors(queries) if self.by_vector else [None] * len(queries)

    def _terms(self, query: str, mode: Mode) -> TermQuery | None:
        return super()._terms(query, mode) if self.words else None


class AttachedParts(CollectionParts):
    """What a model and a layout are made into.

    :param model: The model, proved; None to search by words and filters alone.
    """

    def __init__(self, engine: AttachedEngine, name: str, model: AttachedEmbedder | None) -> None:
        super().__init__(engine, Generation(name, name, name, engine.collection_facts(name)))
        self.points = self.attached = engine
        self._model = model
        engine.terms_of = SurfaceTerms(self.recipe.language).document_terms

    def anew(self) -> AttachedParts:
        """Return the parts again, for what the collection has become."""
        return AttachedParts(self.attached, self.name, self._model)

    @property
    def layout(self) -> ForeignLayout:
        """What was found out of the payloads and vectors."""
        return self.attached.layout

    @property
    def embedder(self) -> Embedder:
        """The model, proved to have made the vectors.

        :raises ConfigurationError: The collection was attached without one.
        """
        if self._model is None:
            raise ConfigurationError(
                f"collection {self.name!r} was attached without a model, so nothing can be embedded. Name the one "
                f"that made its vectors: Collection.attach({self.name!r}, model='…')."
            )
        return self._model

    @cached_property
    def auxiliary(self) -> AuxiliaryModels:
        """The sparse model of the recipe, if it names one."""
        return {SPARSE: self.sparse} if self.recipe.sparse and self.layout.sparse else {}

    @property
    def sparse(self) -> SparseEmbedder:
        """The sparse model of the recipe, which has to name one, proved to have made the sparse vectors.

        :raises RecipeMismatchError: It did not.
        """
        return self._proved_sparse[0]

    @cached_property
    def _proved_sparse(self) -> tuple[SparseEmbedder, TermsOf]:
        model = load_sparse(self.recipe.sparse)
        return model, prove_sparse(self.attached.whole, self.name, self.layout, model)

    @cached_property
    def words(self) -> Words:
        """What ranks by words."""
        engine, layout = self.attached.whole, self.layout
        if not layout.in_json and not engine.lacks("text ranking") and self._answers_words(engine):
            return "index"
        return "vectors" if SPARSE not in self.auxiliary and self.terms_of is not None else ""

    def _answers_words(self, engine: Engine) -> bool:
        """Tell by asking: neither a folder nor qdrant_client's engine in memory says that an index ranks words."""
        try:
            words = TermQuery(terms=("a",)).ranked()
            engine.rank(self.name, [RankingRequest(query=words, using=foreign_key(self.layout, TERMS), limit=1)])
        except StoreError:
            return False
        return True

    @cached_property
    def terms_of(self) -> TermsOf | None:
        """What sparse vectors are made of: by BM25, or by the recipe's model; None where nothing is known of them."""
        layout = self.layout
        if SPARSE in self.auxiliary:
            return self._proved_sparse[1]
        if layout.modifier != "idf":
            return None
        return prove_bm25(self.attached.whole, self.name, layout, self.recipe.language)

    @cached_property
    def bm25(self) -> Bm25Encoder:
        """The encoder of terms: words as they are written, for an index that splits and stems by itself."""
        known = Bm25Encoder if self.words == "vectors" else SurfaceTerms
        return known(self.recipe.language)

    @cached_property
    def codec(self) -> CollectionCodec:
        """What vectors are stored as: themselves."""
        layout = self.layout
        known = layout.distance if layout.searchable else "cosine"
        return CollectionCodec(
            self.attached, self.name, Compression(), dim=layout.dim, distance=known, normalize=known == "cosine",
            metadata={},
        )  # fmt: skip

    @cached_property
    def browser(self) -> AttachedBrowser:
        """What reads points without a question."""
        return AttachedBrowser(self.attached, self.name, self.roots)

    @cached_property
    def searcher(self) -> AttachedSearcher:
        """What answers queries."""
        by_vector = self._model is not None and self.layout.searchable
        embedder: Any = self._model or _NoModel(self.layout)
        return AttachedSearcher(
            browser=self.browser, embedder=embedder, bm25=self.bm25, codec=self.codec, auxiliary=self.auxiliary,
            bm25_vectors=self.words == "vectors", by_vector=by_vector, words=self.words,
            offers=self._offers(by_vector=by_vector),
        )  # fmt: skip

    @property
    def modes(self) -> list[Mode]:
        """The modes of its searches: the fused ones where there is more than one list to fuse."""
        there = [one for one in LISTS if one not in self.searcher.offers]
        return [*FUSED, *there] if len(there) > 1 else there

    @property
    def target(self) -> IngestContext:
        """Refuse: an ingest keeps fields of its own with each chunk.

        :raises ConfigurationError: Always; what to do instead is said.
        """
        raise ConfigurationError(
            f"collection {self.name!r} has the layout of {self.layout.writer}, which has no room for what an ingest "
            "compares. Add texts or documents in that layout with collection.attachment.add(…), see "
            "collection.attachment.adopt() for what "
            "would have to change, or ingest into a collection of your own."
        )

    def _offers(self, *, by_vector: bool) -> dict[str, str]:
        """Return by mode why it is not to be had, and what to do."""
        layout, name = self.layout, self.name
        offers = {"multivector": "multi-vectors of other programs are not read."}
        if not by_vector:
            offers["dense"] = f"no model is known. Type: Collection.attach({name!r}, model='…')."
            if not layout.searchable:
                offers["dense"] = "it has no dense vectors by a distance that can be asked for here."
        if SPARSE not in self.auxiliary:
            offers["sparse"] = (
                f"the model of its sparse vectors is not known. Type: Collection.attach({name!r}, "
                "recipe=Recipe(model='…', sparse='…'))."
                if layout.sparse
                else "it has no sparse vectors."
            )
        if not self.words:
            offers["bm25"] = _offer_of_words(self.attached, name, layout)
        if {"dense", "sparse", "bm25"} <= offers.keys():
            offers |= dict.fromkeys(FUSED, f"nothing ranks. {offers['dense']} Or by words: {offers['bm25']}")
        return offers


def _offer_of_words(engine: AttachedEngine, name: str, layout: ForeignLayout) -> str:
    if layout.in_json:
        return (
            "its texts stand inside JSON texts, over which no engine makes an index. Ingest the documents into a "
            "collection of your own to search by words too."
        )
    if why := engine.lacks("text ranking"):
        return f"words cannot be ranked here: {why}."
    return (
        f"its texts have no index that ranks words; create one with Collection.attach({name!r}, at=…, "
        "writable=True).index_field('text', 'text')."
    )


@dataclass(frozen=True, slots=True)
class _NoModel:
    """What stands for the model where there is none; vectors that are given can be searched by all the same."""

    layout: ForeignLayout

    @property
    def dim(self) -> int:
        return self.layout.dim
