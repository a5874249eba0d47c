"""A vector store for LlamaIndex on any location of qdrant-embed: a folder, a server, memory."""

from llama_index.vector_stores.qdrant_embed.base import QdrantEmbedVectorStore

__all__ = ["QdrantEmbedVectorStore"]
