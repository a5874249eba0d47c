"""Embed with the models of `qdrant_embed` in LlamaIndex."""

from llama_index.embeddings.qdrant_embed.base import QdrantEmbedEmbedding

__all__ = ["QdrantEmbedEmbedding"]
