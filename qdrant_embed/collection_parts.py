"""The parts of a collection, put together from its recipe when they are first needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from qdrant_embed.chunking import Chunker, make_chunker
from qdrant_embed.embedding import Embedder
from qdrant_embed.embedding.bm25 import Bm25Encoder
from qdrant_embed.embedding.recipe_models import (
    AuxiliaryModels,
    RecipeModels,
    chunk_limit,
    load_auxiliary,
    load_dense,
    metadata_key,
)
from qdrant_embed.embedding.stored_tokens import StoredTokens
from qdrant_embed.errors import CollectionExistsError
from qdrant_embed.recipe import Recipe, fingerprint, require_equal, require_recipe, require_same_recipe
from qdrant_embed.reranking.base import Rerank, RerankContext, Reranker
from qdrant_embed.reranking.chain import make_reranker
from qdrant_embed.retrieval.browse import Browser
from qdrant_embed.retrieval.root_labels import KnownRoots
from qdrant_embed.retrieval.search_request import Mode, modes_with
from qdrant_embed.retrieval.searcher import Searcher
from qdrant_embed.stock_client.payload_profiles import profile_indexes
from qdrant_embed.store.collection_codec import CollectionCodec
from qdrant_embed.store.copies import aliases
from qdrant_embed.store.copies.copy_lease import WriteGuard
from qdrant_embed.store.copies.generations import Generation, PinnedEngine, find_generation, first_generation
from qdrant_embed.store.copies.kept_settings import Settings
from qdrant_embed.store.create import create
from qdrant_embed.store.engine import Engine
from qdrant_embed.store.filters.field_indexes import complete
from qdrant_embed.store.metadata import checked_metadata, roots_in
from qdrant_embed.store.own_points import own_points
from qdrant_embed.types import TOKENS, Document, Json

if TYPE_CHECKING:
    from qdrant_embed.ingest.context import IngestContext
    from qdrant_embed.ingest.preview.chunk_preview import Preview
    from qdrant_embed.reading.files import ReadOptions
    from qdrant_embed.servers.server_options import ServerOptions


class CollectionParts:
    """Model, chunker, BM25 encoder and what is made of them, for one generation of a collection.

    :param runtime: What runs the model; not part of the recipe, since it does not change which vectors are meant.
    :param model_at: Where the model is, if not where its name says.
    :ivar points: The engine, by which the collection's name leads to this generation, without what other programs wrote
        into it.
    """

    def __init__(self, engine: Engine, generation: Generation, runtime: str = "auto", model_at: str = "") -> None:
        self._shared = engine
        self._engine = PinnedEngine(engine, generation.name, generation.own)
        self.points: Engine = own_points(self._engine)
        self.name = generation.name
        self.generation = generation
        self._model_at = model_at
        self.recipe = self._recipe_of(generation)
        self._runtime = runtime
        self.roots = KnownRoots(self._engine, self.name, roots_in(generation.metadata))

    def note(self, generation: Generation) -> None:
        """Take what is said of the same generation now: fields may have got an index."""
        self.generation, self.recipe = generation, self._recipe_of(generation)

    def _recipe_of(self, generation: Generation) -> Recipe:
        return replace(Recipe.from_dict(generation.stored["recipe"]), model_at=self._model_at)

    @property
    def pinned(self) -> bool:
        """Whether it is asked by a name that is no other generation's: not one under which earlier versions made it."""
        return self.generation.own != self.name

    @property
    def by_alias(self) -> bool:
        """Whether a key opens no more than the alias of the generation."""
        return not self.pinned and self.generation.said != self.name

    @cached_property
    def embedder(self) -> Embedder:
        """The model, checked to be the one whose vectors the collection holds.

        :raises RecipeMismatchError: Its weights or settings are others than those the collection was made with.
        """
        model = load_dense(self.recipe, self._runtime)
        require_equal(self.name, self.generation.stored["model"], model.fingerprint)
        return model

    @cached_property
    def auxiliary(self) -> AuxiliaryModels:
        """The models whose vectors stand beside the dense one, checked as that is.

        :raises RecipeMismatchError: One is another than the collection was made with.
        """
        models = load_auxiliary(self.recipe, self.embedder)
        stored = self.generation.stored
        for name, model in models.items():
            require_equal(self.name, stored[metadata_key(name)], model.fingerprint)
        return models

    @cached_property
    def bm25(self) -> Bm25Encoder:
        """The encoder of terms, for texts and for queries."""
        return Bm25Encoder(self.recipe.language)

    @cached_property
    def codec(self) -> CollectionCodec:
        """What makes the store's vectors of the model's; see `load_codec`."""
        return load_codec(self._engine, self.name, self.embedder, self.generation.metadata)

    @cached_property
    def browser(self) -> Browser:
        """What reads points without a question."""
        return Browser(self.points, self.name, self.roots)

    @cached_property
    def searcher(self) -> Searcher:
        """What answers queries."""
        return Searcher(
            browser=self.browser,
            embedder=self.embedder,
            bm25=self.bm25,
            codec=self.codec,
            auxiliary=self.auxiliary,
            bm25_vectors=self.generation.bm25_vectors,
        )

    @property
    def modes(self) -> list[Mode]:
        """The modes of its searches, the first what they take by themselves."""
        return modes_with(self.auxiliary)

    def reranker(self, given: Rerank) -> Reranker:
        """Return what ranks hits of this collection again, e.g. by `mmr:0.3`; see `qdrant_embed.reranking`.

        :raises ConfigurationError: There is no such reranker, or it does not suit the collection.
        """
        return make_reranker(given, self.rerank_context)

    @cached_property
    def rerank_context(self) -> RerankContext:
        """What rerankers are given of the collection."""
        return RerankContext(self.points, self.name, self.embedder, self.codec, self.stored_tokens)

    @property
    def stored_tokens(self) -> StoredTokens | None:
        """What made the codes of tokens that the collection keeps; None where it keeps none."""
        found = self.auxiliary.get(TOKENS)
        return found if isinstance(found, StoredTokens) else None

    @cached_property
    def target(self) -> IngestContext:
        """What an ingest writes to."""
        from qdrant_embed.ingest.context import IngestContext

        return IngestContext(
            engine=self.points,
            name=self.name,
            embedder=self.embedder,
            chunker=chunker_of(self.recipe, self.embedder),
            bm25=self.bm25,
            fingerprint=fingerprint(self.recipe, RecipeModels(self.embedder, self.auxiliary).identity),
            codec=self.codec,
            write_guard=WriteGuard(self._shared, self.name),
            auxiliary=self.auxiliary,
            bm25_vectors=self.generation.bm25_vectors,
            payload_profile=self.recipe.payload,
        )


def load_recipe(recipe: Recipe, runtime: str = "auto") -> tuple[Embedder, Chunker]:
    """Return the dense model of a recipe and the chunker that cuts for it; weights are loaded at the first text.

    :param runtime: What runs the model, e.g. `openvino:int8`.
    :raises ConfigurationError: Some part of the recipe is not known, or its chunks would have no room for text.
    """
    require_recipe(recipe)
    embedder = load_dense(recipe, runtime)
    return embedder, chunker_of(recipe, embedder)


def chunker_of(recipe: Recipe, embedder: Embedder) -> Chunker:
    """Return the chunker of a recipe, measuring by the tokens of its model.

    :raises ConfigurationError: There is no such chunker, or a chunk may have more tokens than the model reads.
    """
    return make_chunker(recipe.chunker, embedder.token_counter, chunk_limit(recipe, embedder))


def preview_chunks(
    recipe: Recipe, what: str | Path | Document, *, reading: ReadOptions | None = None, runtime: str = "auto"
) -> Preview:
    """Return the chunks that an ingest by a recipe would make of a file, a text or a document.

    :raises ConfigurationError: There is no such file, or the recipe makes no sense.
    :raises ReadError: The file cannot be read.
    """
    from qdrant_embed.ingest.preview.chunk_preview import preview
    from qdrant_embed.reading.files import ReadOptions

    embedder, chunker = load_recipe(recipe, runtime)
    return preview(what, chunker, embedder, reading or ReadOptions())


def create_collection(
    engine: Engine,
    name: str,
    recipe: Recipe,
    *,
    noted: Mapping[str, Json] = MappingProxyType({}),
    settings: Settings | None = None,
    server: ServerOptions | None = None,
) -> None:
    """Create the collection that a recipe describes, empty.

    :param noted: Entries of its metadata beside those that say how it was made.
    :param settings: Those of a collection that this one is to be a copy of.
    :param server: How a server is to keep it.
    :raises UnsupportedByEngineError: The location lacks something that the recipe or these options ask for.
    :raises ConfigurationError: Some part of the recipe is not known; nothing has been created then.
    """
    models = RecipeModels.of(recipe)
    chunker_of(recipe, models.dense)
    Bm25Encoder(recipe.language)
    made_by = {
        "recipe": recipe.as_dict(),
        **models.metadata,
        "fingerprint": fingerprint(recipe, models.identity),
        "roots": {},
        **noted,
    }
    create(engine, name, models.layout, made_by, settings, server, recipe.index)
    if others := profile_indexes(recipe.payload):
        complete(engine, name, others, tell=True)


def make_generation(engine: Engine, name: str, recipe: Recipe, server: ServerOptions | None = None) -> Generation:
    """Create the first generation of a collection, empty, and let the name lead to it.

    Where another program has just made it, or was cut off before it had its name, that one is completed and used.

    :raises RecipeMismatchError: It was made with another recipe.
    :raises ConfigurationError: Some part of the recipe is not known; nothing has been created then.
    """
    own = first_generation(engine, name)
    try:
        create_collection(engine, own, recipe, noted=aliases.first_metadata(name, own), server=server)
    except CollectionExistsError:
        made = engine.collection_facts(own)
        require_same_recipe(name, checked_metadata(name, made.metadata)["recipe"], recipe)
        complete(engine, own, facts=made)
    aliases.point_alias(engine, name, own)
    return find_generation(engine, name)


def load_codec(
    engine: Engine, name: str, model: Embedder, metadata: Mapping[str, Json] | None = None
) -> CollectionCodec:
    """Return what makes a collection's vectors of a model's.

    :param metadata: The collection's entries, where they are known already.
    :raises ConfigurationError: The rotation that is kept with the collection is another's, or lost.
    """
    return CollectionCodec(
        engine,
        name,
        model.compression,
        dim=model.dim,
        distance=model.distance,
        normalize=model.preset.normalize,
        windows=model.window.name == "windows",
        metadata=metadata,
    )
