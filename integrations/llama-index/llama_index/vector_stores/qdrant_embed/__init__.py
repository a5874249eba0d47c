"""Vector stores for LlamaIndex on any location of qdrant-embed: a folder, a server, memory.

`QdrantEmbedVectorStore` holds the nodes that LlamaIndex makes; `QdrantEmbedCollectionStore` shows it the chunks that
`Collection.ingest` made.
"""

from llama_index.vector_stores.qdrant_embed.base import QdrantEmbedVectorStore
from llama_index.vector_stores.qdrant_embed.collection_store import QdrantEmbedCollectionStore

__all__ = ["QdrantEmbedCollectionStore", "QdrantEmbedVectorStore"]
