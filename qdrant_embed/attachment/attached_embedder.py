"""A model that embeds as another program did when it wrote a collection."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from qdrant_embed.attachment.foreign_layout import ForeignLayout
from qdrant_embed.attachment.model_proof import Prompt, Proof, Way, prove
from qdrant_embed.embedding import Embedder, Encoded
from qdrant_embed.embedding.dense_encoder import DenseEncoder
from qdrant_embed.embedding.embedder import EmbedderOptions
from qdrant_embed.long_context import WindowStrategy
from qdrant_embed.recipe import Recipe
from qdrant_embed.store.engine import Engine
from qdrant_embed.types import FloatArray

if TYPE_CHECKING:
    from qdrant_embed.attachment.model_proof import Ways


class AttachedEmbedder(Embedder):
    """A model by name, which puts before texts what was proved to stand before those that are stored.

    :ivar proof: How that was proved.
    """

    proof: Proof | None = None

    @classmethod
    def proved(cls, recipe: Recipe, runtime: str, engine: Engine, name: str, layout: ForeignLayout) -> AttachedEmbedder:
        """Return the model of a recipe, proved to have made the vectors of a collection.

        :raises RecipeMismatchError: It did not.
        """
        options = EmbedderOptions(
            window=recipe.window,
            compression=recipe.compression,
            runtime=runtime,
            layers=recipe.layers,
            task=recipe.task,
        )
        model = cls(recipe.model, options)
        model.proof = prove(engine, name, layout, model, model._ways())
        return model

    def _ways(self) -> Ways:
        """Return the ways to embed a text that may give different vectors, those of this library first."""
        prompts: list[Prompt] = ["document"]
        if self.preset.document_prompt:
            prompts.append("none")
        if self.preset.query_prompt != self.preset.document_prompt:
            prompts.append("query")
        cuts = (False, True) if self.window.name in ("pcw", "late") else (False,)
        return {way: partial(self._embed, way) for way in (Way(prompt, cut) for cut in cuts for prompt in prompts)}

    def _embed(self, way: Way, texts: Sequence[str]) -> FloatArray:
        if way.cut_off:
            known = {"document": self.preset.document_prompt, "none": "", "query": self.preset.query_prompt}
            encoder = DenseEncoder(self._reader, WindowStrategy.parse("truncate"))
            return encoder.texts(texts, known[way.prompt], "document").vectors
        if way.prompt == "none":
            return DenseEncoder(self._reader, self._window.for_queries).texts(texts, "", "document").vectors
        if way.prompt == "query":
            return super().embed_queries(texts)
        return super().encode_documents(texts).vectors

    def embed_queries(self, texts: Sequence[str], *, task: str = "") -> FloatArray:
        """Return the vectors (n, dim), float32, of questions: behind no prompt where stored texts have none."""
        if self.proof is not None and self.proof.way.prompt == "none" and not task:
            return self._embed(Way("none"), texts)
        return super().embed_queries(texts, task=task)

    def encode_documents(self, texts: Sequence[str]) -> Encoded[FloatArray]:
        """Return the vectors of texts as those that are stored were made, with counts for a report."""
        if self.proof is None or self.proof.way == Way("document"):
            return super().encode_documents(texts)
        return Encoded(self._embed(self.proof.way, texts))
