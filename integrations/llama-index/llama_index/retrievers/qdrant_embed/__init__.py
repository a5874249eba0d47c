"""Retrieve passages of a `qdrant_embed` collection in LlamaIndex."""

from llama_index.retrievers.qdrant_embed.base import QdrantEmbedRetriever

__all__ = ["QdrantEmbedRetriever"]
