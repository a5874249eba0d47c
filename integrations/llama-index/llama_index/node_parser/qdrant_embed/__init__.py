"""Late chunking with the models of `qdrant_embed` in LlamaIndex."""

from llama_index.node_parser.qdrant_embed.base import QdrantEmbedLateChunker

__all__ = ["QdrantEmbedLateChunker"]
