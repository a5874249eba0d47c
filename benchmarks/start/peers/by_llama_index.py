"""LlamaIndex, sentence-transformers and Qdrant: `ingest FOLDER AT MODEL`, or `search AT MODEL QUESTION`."""

import sys

from llama_index.core import Settings, SimpleDirectoryReader, StorageContext, VectorStoreIndex
from llama_index.core.node_parser import SentenceSplitter
from llama_index.embeddings.huggingface import HuggingFaceEmbedding
from llama_index.vector_stores.qdrant import QdrantVectorStore
from qdrant_client import QdrantClient

CHUNK_TOKENS = 256
"""As many as the model reads."""


def main(wanted: str, *given: str) -> None:
    """Do one half of the job."""
    at, model = given[1:3] if wanted == "ingest" else given[:2]
    Settings.embed_model = HuggingFaceEmbedding(model_name=model)
    client = QdrantClient(path=at)
    store = QdrantVectorStore("documents", client=client)
    if wanted == "ingest":
        documents = SimpleDirectoryReader(given[0]).load_data()
        VectorStoreIndex.from_documents(
            documents,
            storage_context=StorageContext.from_defaults(vector_store=store),
            transformations=[SentenceSplitter(chunk_size=CHUNK_TOKENS, chunk_overlap=20)],
        )
        print(client.count("documents").count)
    else:
        retriever = VectorStoreIndex.from_vector_store(store).as_retriever(similarity_top_k=5)
        print([found.metadata["file_name"] for found in retriever.retrieve(given[2])])
    client.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
