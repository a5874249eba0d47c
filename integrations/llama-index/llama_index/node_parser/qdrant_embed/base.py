"""Late chunking: documents go in, nodes come out that are cut and embedded already."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from llama_index.core.bridge.pydantic import Field, PrivateAttr, model_validator
from llama_index.core.node_parser import NodeParser
from llama_index.core.node_parser.node_utils import build_nodes_from_splits
from llama_index.core.schema import BaseNode, MetadataMode, TextNode
from llama_index.core.schema import Document as LlamaDocument

from qdrant_embed import Chunk, Document, Embedder, Recipe, load_recipe
from qdrant_embed.chunking import Chunker, chunk_document
from qdrant_embed.errors import ConfigurationError, require_keywords


class QdrantEmbedLateChunker(NodeParser):
    """Cut documents into nodes whose vectors know the document around them.

    A splitter followed by an embedding model cannot do that, since the model never meets the document; so this is both.
    `node.text` is `document.text[node.start_char_idx:node.end_char_idx]`, always, and `node.embedding` is set: put no
    embedding model behind it in a pipeline, and embed questions with `QdrantEmbedEmbedding` of the same model. Only the
    text is embedded, no metadata.

    Only names are kept in its fields, so it pickles and hashes the same in every process.

    :raises ValidationError: There is no such keyword, model, chunker or runtime, or the model cannot be read late.
    :raises ModelError: The model's files are missing or not to be trusted.
    """

    model_name: str = Field(
        default="minilm", frozen=True, description="A preset, a sentence-transformers folder, or a hub id."
    )
    window: str = Field(
        default="late",
        frozen=True,
        description="'late', with macro windows of some size, or stretched: 'pi:4096+late'.",
    )
    chunker: str = Field(default="auto", frozen=True, description="How documents are cut.")
    chunk_tokens: int | None = Field(
        default=None, frozen=True, description="The most tokens of a chunk; None for a quarter of a macro window."
    )
    overlap: int = Field(default=0, frozen=True, description="Tokens that a chunk shares with the one before it.")
    compression: str = Field(default="float32", frozen=True, description="Dimensions kept, e.g. '256d'.")
    runtime: str = Field(default="auto", frozen=True, description="What runs the weights.")
    layers: int = Field(default=0, frozen=True, description="Blocks of the model that are run; 0 for all.")
    task: str = Field(default="", frozen=True, description="What the vectors are for, where the model knows tasks.")
    _embedder: Embedder = PrivateAttr()
    _chunker: Chunker = PrivateAttr()

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_keywords(cls, given: Any) -> Any:
        if isinstance(given, dict):
            require_keywords(cls.__name__, given, {*cls.model_fields, "class_name"})
        return given

    def model_post_init(self, context: Any, /) -> None:
        """Read the model's configuration, so that what cannot work fails here and not at the first document."""
        super().model_post_init(context)
        recipe = Recipe(
            model=self.model_name,
            window=self.window,
            chunker=self.chunker,
            chunk_tokens=self.chunk_tokens,
            overlap=self.overlap,
            compression=self.compression,
            layers=self.layers,
            task=self.task,
        )
        self._embedder, self._chunker = load_recipe(recipe, self.runtime)
        if self._embedder.window.name != "late":
            raise ConfigurationError(
                f"QdrantEmbedLateChunker is for the window strategy 'late', you gave {self.window!r}. Leave window "
                "out, or cut with one of LlamaIndex's splitters and embed with QdrantEmbedEmbedding."
            )

    @classmethod
    def class_name(cls) -> str:
        """Return the name under which LlamaIndex stores this class."""
        return "QdrantEmbedLateChunker"

    def _parse_nodes(
        self,
        nodes: Sequence[BaseNode],
        show_progress: bool = False,  # noqa: FBT001, FBT002 - LlamaIndex's signature
        **kwargs: Any,
    ) -> list[BaseNode]:
        made: list[TextNode] = []
        passages = []
        for document in nodes:
            text = document.get_content(MetadataMode.NONE)
            chunks = self._chunks(document, text)
            made += self._nodes(document, chunks)
            if chunks:
                passages += self._embedder.late_passages(text, [(chunk.start, chunk.end) for chunk in chunks])
        # Together, so that short documents share batches.
        vectors: list[list[float]] = self._embedder.encode_late_passages(passages).vectors.tolist()
        for node, vector in zip(made, vectors, strict=True):
            node.embedding = vector
        return list(made)

    async def _aparse_nodes(
        self,
        nodes: Sequence[BaseNode],
        show_progress: bool = False,  # noqa: FBT001, FBT002 - LlamaIndex's signature
        **kwargs: Any,
    ) -> list[BaseNode]:
        return await asyncio.to_thread(self._parse_nodes, nodes, show_progress, **kwargs)

    def _chunks(self, document: BaseNode, text: str) -> list[Chunk]:
        media_type = str(document.metadata.get("file_type") or getattr(document, "mimetype", "") or "text/plain")
        named = Document(text=text, source=document.node_id, media_type=media_type)
        return list(chunk_document(named, self._chunker))

    def _nodes(self, document: BaseNode, chunks: Sequence[Chunk]) -> list[TextNode]:
        nodes = build_nodes_from_splits([chunk.text for chunk in chunks], document, id_func=self.id_func)
        for node, chunk in zip(nodes, chunks, strict=True):
            node.start_char_idx, node.end_char_idx = chunk.start, chunk.end
        return nodes

    def _postprocess_parsed_nodes(
        self, nodes: list[BaseNode], parent_doc_map: dict[str, LlamaDocument]
    ) -> list[BaseNode]:
        # LlamaIndex looks each text up by `str.find`, which meets an equal text that stands earlier in the document.
        places = [(node.start_char_idx, node.end_char_idx) for node in nodes if isinstance(node, TextNode)]
        related = super()._postprocess_parsed_nodes(nodes, parent_doc_map)
        for node, (start, end) in zip(related, places, strict=True):
            if isinstance(node, TextNode):
                node.start_char_idx, node.end_char_idx = start, end
        return related
