"""The embedding model: LangChain's calls, answered by a `qdrant_embed` embedder."""

from __future__ import annotations

import asyncio

from langchain_core.embeddings import Embeddings

from qdrant_embed import Embedder, load_embedder
from qdrant_embed.errors import ConfigurationError


class EmbedderEmbeddings(Embeddings):
    """A loaded embedder of `qdrant_embed` as LangChain's embeddings; the asynchronous methods embed in a thread."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Return the vectors of texts that are to be found."""
        vectors: list[list[float]] = self._embedder.embed_documents(list(texts)).tolist() if texts else []
        return vectors

    def embed_query(self, text: str) -> list[float]:
        """Return the vector of a question."""
        vectors: list[list[float]] = self._embedder.embed_queries([text]).tolist()
        return vectors[0]

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        """See `embed_documents`."""
        return await asyncio.to_thread(self.embed_documents, texts)

    async def aembed_query(self, text: str) -> list[float]:
        """See `embed_query`."""
        return await asyncio.to_thread(self.embed_query, text)


class QdrantEmbedEmbeddings(EmbedderEmbeddings):
    """Embed texts and questions, each with the prompt that the model's authors meant for it.

    It pickles as its settings; a copy loads its own weights.

    :param model: A preset, a sentence-transformers folder, or a hub id.
    :param window: What happens to texts longer than the model, e.g. `pi:4096+pcw`.
    :param compression: Dimensions kept, e.g. `256d`.
    :param runtime: What runs the weights.
    :raises UnknownNameError: There is no such model, window strategy or runtime; near names are listed.
    :raises ConfigurationError: The window strategy gives more than one vector for a text.
    :raises ModelError: The model's files are missing or not to be trusted.
    """

    def __init__(
        self, model: str = "minilm", *, window: str = "pcw", compression: str = "float32", runtime: str = "auto"
    ) -> None:
        self.model, self.window, self.compression, self.runtime = model, window, compression, runtime
        super().__init__(self._loaded())

    def _loaded(self) -> Embedder:
        embedder = load_embedder(self.model, window=self.window, compression=self.compression, runtime=self.runtime)
        if embedder.window.name in ("windows", "late"):
            raise ConfigurationError(
                f"LangChain hands an embedding model single texts and takes one vector for each; "
                f"window={self.window!r} needs more. Choose 'pcw' or 'truncate', or ingest into a Collection with it "
                "and use QdrantEmbedRetriever."
            )
        return embedder

    def __repr__(self) -> str:
        return f"{type(self).__name__}(model={self.model!r}, window={self.window!r}, compression={self.compression!r})"

    def __getstate__(self) -> dict[str, str]:
        return {name: value for name, value in self.__dict__.items() if name != "_embedder"}

    def __setstate__(self, state: dict[str, str]) -> None:
        self.__dict__.update(state)
        self._embedder = self._loaded()
