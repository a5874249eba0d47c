"""Rank nodes again in LlamaIndex, as a `qdrant_embed` collection ranks its hits."""

from llama_index.postprocessor.qdrant_embed.base import QdrantEmbedRerank

__all__ = ["QdrantEmbedRerank"]
