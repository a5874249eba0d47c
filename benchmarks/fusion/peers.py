"""Hybrid searches of other libraries, over vectors of ours and sparse BM25 of ours, in qdrant-client's memory."""

import warnings
from collections.abc import Callable, Sequence

from benchmarks.fusion.ways import Chunks, Found, Way
from qdrant_embed import Collection
from qdrant_embed.retrieval.query_plan import DEPTH


def llama_index(docs: Collection, chunks: Chunks) -> Way:
    """Return LlamaIndex's relative score fusion (alpha 0.5) over its own store."""
    from llama_index.core.schema import TextNode
    from llama_index.core.vector_stores.types import VectorStoreQuery, VectorStoreQueryMode
    from llama_index.vector_stores.qdrant import QdrantVectorStore
    from llama_index.vector_stores.qdrant.utils import relative_score_fusion
    from qdrant_client import QdrantClient, models

    def encoded(encode: Callable, texts: list[str]) -> tuple[list[list[int]], list[list[float]]]:
        rows = [encode(text) for text in texts]
        return [list(row[0]) for row in rows], [list(row[1]) for row in rows]

    store = QdrantVectorStore(
        "peer",
        client=QdrantClient(":memory:"),
        enable_hybrid=True,
        sparse_config=models.SparseVectorParams(modifier=models.Modifier.IDF),
        sparse_doc_fn=lambda texts: encoded(docs.parts.bm25.encode_document, texts),
        sparse_query_fn=lambda texts: encoded(docs.parts.bm25.encode_query, texts),
        hybrid_fusion_fn=relative_score_fusion,
    )
    vectors = {key: vector.tolist() for key, vector in chunks.vectors.items()}
    with warnings.catch_warnings():  # it makes payload indexes, which the engine in memory takes for nothing
        warnings.simplefilter("ignore", UserWarning)
        store.add([TextNode(id_=key, text=text, embedding=vectors[key]) for key, text in chunks.texts.items()])

    def search(questions: Sequence[str]) -> Found:
        found = []
        for question, vector in zip(questions, docs.embedder.embed_queries(list(questions)), strict=True):
            query = VectorStoreQuery(
                query_embedding=vector.tolist(),
                query_str=question,
                similarity_top_k=DEPTH,
                sparse_top_k=DEPTH,
                hybrid_top_k=DEPTH,
                mode=VectorStoreQueryMode.HYBRID,
            )
            found.append(list(store.query(query).ids or ()))
        return found

    return search


def langchain(docs: Collection, chunks: Chunks) -> Way:
    """Return LangChain's hybrid mode, which has Qdrant fuse by rank."""
    from langchain_core.embeddings import Embeddings
    from langchain_qdrant import QdrantVectorStore, RetrievalMode, SparseEmbeddings, SparseVector
    from qdrant_client import models

    stored = {text: chunks.vectors[key].tolist() for key, text in chunks.texts.items()}

    class Dense(Embeddings):
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            # A text of LangChain's own is embedded first, to learn the width.
            return [stored.get(text) or self.embed_query(text) for text in texts]

        def embed_query(self, text: str) -> list[float]:
            return docs.embedder.embed_queries([text])[0].tolist()

    class Words(SparseEmbeddings):
        def embed_documents(self, texts: list[str]) -> list[SparseVector]:
            return [self._made(*docs.parts.bm25.encode_document(text)) for text in texts]

        def embed_query(self, text: str) -> SparseVector:
            return self._made(*docs.parts.bm25.encode_query(text))

        def _made(self, indices: Sequence[int], values: Sequence[float]) -> SparseVector:
            return SparseVector(indices=list(indices), values=list(values))

    keys = list(chunks.texts)
    store = QdrantVectorStore.from_texts(
        [chunks.texts[key] for key in keys],
        Dense(),
        ids=keys,
        collection_name="peer",
        location=":memory:",
        retrieval_mode=RetrievalMode.HYBRID,
        sparse_embedding=Words(),
        sparse_vector_params={"modifier": models.Modifier.IDF},
    )

    def search(questions: Sequence[str]) -> Found:
        answers = [store.similarity_search(question, k=DEPTH) for question in questions]
        return [[str(document.metadata["_id"]) for document in documents] for documents in answers]

    return search


PEERS = {"LlamaIndex": llama_index, "LangChain": langchain}


def installed(docs: Collection, chunks: Chunks) -> dict[str, Way]:
    """Return those peers that are there, by name; a line says which are not."""
    ways = {}
    for name, made in PEERS.items():
        try:
            ways[name] = made(docs, chunks)
        except ImportError as error:
            print(f"{name} is left out: {error}; the extra `bench` has it", flush=True)
    return ways
