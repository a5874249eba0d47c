"""The embedding model: LlamaIndex's calls, answered by a `qdrant_embed` embedder."""

from __future__ import annotations

import asyncio
from typing import Any

from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.bridge.pydantic import Field, PrivateAttr, model_validator

from qdrant_embed import Embedder, load_embedder
from qdrant_embed.errors import ConfigurationError, require_keywords
from qdrant_embed.types import FloatArray


class QdrantEmbedEmbedding(BaseEmbedding):
    """Embed texts and questions, each with the prompt that the model's authors meant for it.

    Only names are kept in its fields, so it pickles (`IngestionPipeline(num_workers=2)`) and hashes the same in every
    process; a copy loads its own weights when it meets its first text. The asynchronous methods embed in a thread.

    For late chunking there is `QdrantEmbedLateChunker`: an embedding model is handed texts without their document.

    :raises ValidationError: There is no such keyword, model, window strategy or runtime; the names that would do are
        listed.
    :raises ModelError: The model's files are missing or not to be trusted.
    """

    model_name: str = Field(
        default="minilm", frozen=True, description="A preset, a sentence-transformers folder, or a hub id."
    )
    window: str = Field(
        default="pcw", frozen=True, description="What happens to texts longer than the model, e.g. 'pi:4096+pcw'."
    )
    compression: str = Field(default="float32", frozen=True, description="Dimensions kept, e.g. '256d'.")
    runtime: str = Field(default="auto", frozen=True, description="What runs the weights.")
    layers: int = Field(default=0, frozen=True, description="Blocks of the model that are run; 0 for all.")
    task: str = Field(default="", frozen=True, description="What the vectors are for, where the model knows tasks.")
    embed_batch_size: int = Field(
        default=1024, gt=0, le=2048, description="Texts per call; the embedder cuts them into batches by length itself."
    )
    _embedder: Embedder = PrivateAttr()

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_keywords(cls, given: Any) -> Any:
        if isinstance(given, dict):
            require_keywords(cls.__name__, given, {*cls.model_fields, "class_name"})
        return given

    def model_post_init(self, context: Any, /) -> None:
        """Read the model's configuration, so that a name that is not known fails here and not at the first text."""
        super().model_post_init(context)
        self._embedder = load_embedder(
            self.model_name,
            window=self.window,
            compression=self.compression,
            runtime=self.runtime,
            layers=self.layers,
            task=self.task,
        )
        if self._embedder.window.name == "windows":
            raise ConfigurationError(
                "LlamaIndex takes one vector for a text, and the window strategy 'windows' gives one for each window. "
                "Choose 'pcw' or 'truncate', or ingest into a Collection with this strategy and use its as_retriever()."
            )
        if self._embedder.window.name == "late":
            asked = self._embedder.window.for_queries
            raise ConfigurationError(
                "LlamaIndex hands an embedding model each text without the document around it, in which the window "
                f"strategy 'late' reads it. Put QdrantEmbedLateChunker(model_name={self.model_name!r}, "
                f"window={self.window!r}) of llama_index.node_parser.qdrant_embed where your splitter and embedding "
                f"model stand in the pipeline, and embed questions with window={str(asked)!r}."
            )

    @classmethod
    def class_name(cls) -> str:
        """Return the name under which LlamaIndex stores this class."""
        return "QdrantEmbedEmbedding"

    def _get_query_embedding(self, query: str) -> list[float]:
        return _as_lists(self._embedder.embed_queries([query]))[0]

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return await asyncio.to_thread(self._get_query_embedding, query)

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    async def _aget_text_embedding(self, text: str) -> list[float]:
        return await asyncio.to_thread(self._get_text_embedding, text)

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return _as_lists(self._embedder.embed_documents(texts))

    async def _aget_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return await asyncio.to_thread(self._get_text_embeddings, texts)


def _as_lists(vectors: FloatArray) -> list[list[float]]:
    lists: list[list[float]] = vectors.tolist()
    return lists
