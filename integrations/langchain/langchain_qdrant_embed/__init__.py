"""LangChain over `qdrant_embed`: vector store, retriever, embeddings, splitter, loader.

>>> from langchain_qdrant_embed import QdrantEmbedVectorStore
>>> store = QdrantEmbedVectorStore.open("notes", at=":memory:", model="hashing")
>>> store.add_texts(["Rotate the keys every ninety days."], [{"team": "security"}], ids=["keys"])
['keys']
>>> store.similarity_search("how often are keys rotated?", k=1)[0].id
'keys'
"""

from langchain_qdrant_embed.embeddings import QdrantEmbedEmbeddings
from langchain_qdrant_embed.loader import QdrantEmbedLoader
from langchain_qdrant_embed.retriever import QdrantEmbedRetriever
from langchain_qdrant_embed.splitter import QdrantEmbedTextSplitter
from langchain_qdrant_embed.vectorstore import QdrantEmbedVectorStore

__all__ = [
    "QdrantEmbedEmbeddings",
    "QdrantEmbedLoader",
    "QdrantEmbedRetriever",
    "QdrantEmbedTextSplitter",
    "QdrantEmbedVectorStore",
]
