"""The models of a recipe: the dense one, and those whose vectors stand beside it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from qdrant_embed.chunking import ChunkLimit
from qdrant_embed.embedding import Embedder, load_embedder, load_multivector, load_sparse
from qdrant_embed.embedding.auxiliary import AuxiliaryEmbedder
from qdrant_embed.embedding.stored_tokens import SELF, StoredTokens
from qdrant_embed.errors import ConfigurationError, QdrantEmbedError
from qdrant_embed.models.resolve import absolute_name
from qdrant_embed.recipe import Recipe
from qdrant_embed.store.layout import VectorLayout
from qdrant_embed.types import MULTIVECTOR, SPARSE, TOKENS, Json

MOST_CHUNK_TOKENS = 512
"""Chunks are no longer than this by default, however much the model could read."""
LATE_SHARE = 4
"""Under late chunking, chunks are by default one in so many of a macro window."""
FEWEST_CHUNK_TOKENS = 8

AuxiliaryModels = Mapping[str, AuxiliaryEmbedder[Any] | StoredTokens]
"""Name of a vector → the model that makes it."""


@dataclass(frozen=True, slots=True)
class RecipeModels:
    """All models of a recipe, their weights not loaded yet."""

    dense: Embedder
    auxiliary: AuxiliaryModels = field(default_factory=dict)

    @classmethod
    def of(cls, recipe: Recipe, runtime: str = "auto") -> RecipeModels:
        """Find the models that a recipe names.

        :param runtime: What runs the dense one.
        """
        dense = load_dense(recipe, runtime)
        return cls(dense, load_auxiliary(recipe, dense))

    @property
    def identity(self) -> Mapping[str, Json]:
        """Everything that decides the vectors: of the dense model, and under their names of those beside it."""
        return {**self.dense.fingerprint, **{name: dict(model.fingerprint) for name, model in self.auxiliary.items()}}

    @property
    def metadata(self) -> Mapping[str, Json]:
        """What is stored with a collection, to be compared when it is opened again."""
        auxiliary = {metadata_key(name): dict(model.fingerprint) for name, model in self.auxiliary.items()}
        return {"model": dict(self.dense.fingerprint), **auxiliary}

    @property
    def layout(self) -> VectorLayout:
        """What the vectors look like in the store."""
        dense, tokens, codes = self.dense, self.auxiliary.get(MULTIVECTOR), self.auxiliary.get(TOKENS)
        return VectorLayout(
            dim=dense.dim,
            distance=dense.distance,
            compression=dense.compression,
            sparse=SPARSE in self.auxiliary,
            multivector=tokens.dim if tokens else 0,
            multivector_distance=tokens.preset.distance if isinstance(tokens, AuxiliaryEmbedder) else "cosine",
            token_bytes=codes.dim if codes else 0,
            windows=dense.window.name == "windows",
        )


def load_dense(recipe: Recipe, runtime: str = "auto") -> Embedder:
    """Return the dense model that a recipe names."""
    return load_embedder(
        recipe.model_at or recipe.model,
        window=recipe.window,
        compression=recipe.compression,
        runtime=runtime,
        layers=recipe.layers,
        task=recipe.task,
    )


def with_absolute_paths(recipe: Recipe) -> Recipe:
    """Return a recipe that names models on this machine by paths which mean the same in every folder."""
    found: dict[str, Any] = {name: absolute_name(getattr(recipe, name)) for name in ("model", "sparse")}
    if recipe.multivector.partition(":")[0] != SELF:
        found["multivector"] = absolute_name(recipe.multivector)
    return replace(recipe, **found)


def under_its_name(stored: Mapping[str, Json], recipe: Recipe) -> Recipe:
    """Return a recipe with the name that a collection knows its model by, if it names the same model otherwise.

    Models are the same that would give the same vectors: a copy of a folder, what was prepared of a preset.

    :param stored: The collection's metadata.
    """
    name = stored["recipe"]["model"]
    if recipe.model == name:
        return recipe
    with suppress(QdrantEmbedError):  # whatever is wrong with it: it is another then
        if dict(load_dense(recipe).fingerprint) == stored.get("model"):
            return replace(recipe, model=name, model_at=recipe.model_at or recipe.model)
    return recipe


def load_auxiliary(recipe: Recipe, dense: Embedder) -> AuxiliaryModels:
    """Return the other models that a recipe names, by the names of their vectors; the dense one's tokens among them."""
    auxiliary: dict[str, AuxiliaryEmbedder[Any] | StoredTokens] = {}
    if recipe.sparse:
        auxiliary[SPARSE] = load_sparse(recipe.sparse, window=recipe.window)
    if recipe.multivector.partition(":")[0] == SELF:
        auxiliary[TOKENS] = StoredTokens(recipe.multivector, dense.tokens, dense.token_counter)
    elif recipe.multivector:
        auxiliary[MULTIVECTOR] = load_multivector(recipe.multivector, window=recipe.window)
    return auxiliary


def metadata_key(name: str) -> str:
    """Return under which entry of a collection's metadata the model of a vector stands."""
    return f"{name}_model"


def chunk_limit(recipe: Recipe, embedder: Embedder) -> ChunkLimit:
    """Return what a chunk's context and text may take once prompt and special tokens are set aside.

    :raises ConfigurationError: Nothing would be left.
    """
    reserved = embedder.max_tokens - embedder.chunk_budget
    # Late chunking is of no use where a chunk fills its macro window.
    largest = (embedder.window.tokens or embedder.max_tokens) // LATE_SHARE
    usual = max(reserved + FEWEST_CHUNK_TOKENS, largest) if embedder.window.name == "late" else embedder.max_tokens
    wanted = recipe.chunk_tokens or min(usual, MOST_CHUNK_TOKENS)
    if wanted <= reserved:
        raise ConfigurationError(
            f"chunk_tokens={wanted} leaves no room for text: prompt and special tokens of {recipe.model!r} "
            f"take {reserved}. Give more than {reserved + 8}."
        )
    return ChunkLimit(tokens=wanted - reserved, overlap=recipe.overlap)
