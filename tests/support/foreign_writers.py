"""Collections as other programs write them: by the stock packages where they are here, else by what these wrote once.

Each writer takes a `QdrantClient` and a name, and embeds with the preset `hashing`.
"""

import json
import uuid
import warnings
from functools import cache
from pathlib import Path

from qdrant_client import models

from qdrant_embed import load_embedder
from qdrant_embed.embedding.bm25 import Bm25Encoder

RECORDED = Path(__file__).parents[1] / "data" / "attachment"
ENTRIES = (
    ("The gates of the harbour open at six in the morning.", {"author": "Ann", "year": 2024, "source": "gates.md"}),
    ("Crane four lifts at most twelve tons, never in a storm.", {"author": "Bob", "year": 2025, "source": "crane.md"}),
    ("The cables of the crane are inspected every Tuesday.", {"author": "Bob", "year": 2025, "source": "crane.md"}),
    ("Master keys are rotated by the harbour master in May.", {"author": "Ann", "year": 2026, "source": "k.md"}),
)  # fmt: skip
TEXTS = tuple(text for text, _ in ENTRIES)


@cache
def hashing():
    return load_embedder("hashing")


def vectors(texts):
    return hashing().embed_documents(list(texts)).tolist()


def sparse(text):
    return Bm25Encoder("english").encode_document(text)


def embedding_of_llama_index():
    from llama_index.core.embeddings import BaseEmbedding

    class Hashing(BaseEmbedding):
        def _get_query_embedding(self, query):
            return vectors([query])[0]

        def _get_text_embedding(self, text):
            return vectors([text])[0]

        async def _aget_query_embedding(self, query):
            return vectors([query])[0]

    return Hashing()


def llama_index(client, name, **settings):
    """Write by a `VectorStoreIndex` over LlamaIndex's own store: two documents, one of them of two nodes."""
    from llama_index.core import StorageContext, VectorStoreIndex
    from llama_index.core.schema import NodeRelationship, RelatedNodeInfo, TextNode
    from llama_index.vector_stores.qdrant import QdrantVectorStore

    nodes, start = [], 0
    for text, metadata in ENTRIES:
        kept = {("file_path" if key == "source" else key): value for key, value in metadata.items()}
        node = TextNode(
            text=text,
            metadata=kept,
            id_=str(uuid.uuid5(uuid.NAMESPACE_URL, text)),
            start_char_idx=start,
            end_char_idx=start + len(text),
            excluded_embed_metadata_keys=["file_path"],
        )
        node.relationships[NodeRelationship.SOURCE] = RelatedNodeInfo(node_id=f"doc-{kept['file_path']}")
        nodes.append(node)
        start += len(text) + 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of payload indexes, which memory does without
        store = QdrantVectorStore(name, client=client, **settings)
        VectorStoreIndex(
            nodes,
            embed_model=embedding_of_llama_index(),
            storage_context=StorageContext.from_defaults(vector_store=store),
        )
    return store


def _bm25_of_llama_index(texts):
    encoded = [sparse(text) for text in texts]
    return [indices for indices, _ in encoded], [values for _, values in encoded]


def llama_index_hybrid(client, name):
    """Write dense and sparse vectors, under the names of today: `text-dense`, `text-sparse-new`."""
    return llama_index(
        client, name, enable_hybrid=True, sparse_doc_fn=_bm25_of_llama_index, sparse_query_fn=_bm25_of_llama_index,
        sparse_config=models.SparseVectorParams(modifier=models.Modifier.IDF),
    )  # fmt: skip


def llama_index_hybrid_old(client, name):
    """Write dense and sparse vectors, under the sparse name of before: `text-sparse`."""
    return llama_index(
        client, name, enable_hybrid=True, sparse_doc_fn=_bm25_of_llama_index, sparse_query_fn=_bm25_of_llama_index,
        sparse_vector_name="text-sparse",
    )  # fmt: skip


def _embeddings_of_langchain():
    from langchain_core.embeddings import Embeddings

    class Hashing(Embeddings):
        def embed_documents(self, texts):
            return vectors(texts)

        def embed_query(self, text):
            return vectors([text])[0]

    return Hashing()


def langchain(client, name, vector_name="", sparse_name=""):
    """Write by LangChain's own store, with an unnamed vector or a named one, and sparse ones where they have a name."""
    from langchain_qdrant import QdrantVectorStore, RetrievalMode, SparseEmbeddings
    from langchain_qdrant import SparseVector as LangChainSparse

    class Words(SparseEmbeddings):
        def embed_documents(self, texts):
            return [LangChainSparse(indices=indices, values=values) for indices, values in map(sparse, texts)]

        def embed_query(self, text):
            indices, values = Bm25Encoder("english").encode_query(text)
            return LangChainSparse(indices=indices, values=values)

    dense = models.VectorParams(size=hashing().dim, distance=models.Distance.COSINE)
    weights = {sparse_name: models.SparseVectorParams(modifier=models.Modifier.IDF)} if sparse_name else None
    named = {vector_name: dense} if vector_name or sparse_name else dense
    client.create_collection(name, vectors_config=named, sparse_vectors_config=weights)
    more = {"retrieval_mode": RetrievalMode.HYBRID, "sparse_embedding": Words(), "sparse_vector_name": sparse_name}
    store = QdrantVectorStore(
        client, name, _embeddings_of_langchain(), vector_name=vector_name, **(more if sparse_name else {})
    )
    metadatas = [{**metadata, "start_index": place * 100} for place, (_, metadata) in enumerate(ENTRIES)]
    store.add_texts(list(TEXTS), metadatas=metadatas)
    return store


def langchain_named(client, name):
    return langchain(client, name, vector_name="content")


def langchain_hybrid(client, name):
    return langchain(client, name, sparse_name="langchain-sparse")


def haystack(client, name):
    """Write by Haystack's own document store, as its splitter describes pieces."""
    from haystack import Document
    from haystack_integrations.document_stores.qdrant import QdrantDocumentStore

    store = QdrantDocumentStore(
        ":memory:", index=name, embedding_dim=hashing().dim, similarity="cosine", return_embedding=True,
        progress_bar=False,
    )  # fmt: skip
    store._client = client
    store._initialize_client = lambda: None
    places = {"source_id": "", "split_id": 0, "split_idx_start": 0, "page_number": 1}
    documents = []
    for number, ((text, metadata), vector) in enumerate(zip(ENTRIES, vectors(TEXTS), strict=True)):
        kept = {"file_path": metadata["source"], **{key: value for key, value in metadata.items() if key != "source"}}
        place = {**places, "source_id": f"of {kept['file_path']}", "split_id": number, "split_idx_start": 100 * number}
        documents.append(Document(content=text, meta={**kept, **place}, embedding=vector))
    store._set_up_collection(name, hashing().dim, False, "cosine", False, False)
    store.write_documents(documents)
    return store


def plain(client, name, named="", text="text"):
    """Write points of a program of one's own: ids are numbers, a text, fields at the top level."""
    params = models.VectorParams(size=hashing().dim, distance=models.Distance.DOT)
    client.create_collection(name, vectors_config={named: params} if named else params)
    points = [
        models.PointStruct(id=number, payload={text: one, **metadata}, vector={named: vector} if named else vector)
        for number, ((one, metadata), vector) in enumerate(zip(ENTRIES, vectors(TEXTS), strict=True), 7)
    ]
    client.upsert(name, points)


def recorded(file):
    """Return what writes a recording of `tests/data/attachment`."""

    def write(client, name):
        told = json.loads((RECORDED / file).read_text())
        params = {key: models.VectorParams(**value) for key, value in told["params"]["vectors"].items()}
        client.create_collection(name, vectors_config=params)
        client.upsert(name, [models.PointStruct(**point) for point in told["points"]])

    return write


WRITERS = {
    "llama-index": llama_index,
    "llama-index hybrid": llama_index_hybrid,
    "llama-index hybrid of old": llama_index_hybrid_old,
    "langchain": langchain,
    "langchain named": langchain_named,
    "langchain hybrid": langchain_hybrid,
    "haystack": haystack,
    "mcp-server-qdrant": recorded("mcp_server_qdrant.json"),
    "qdrant-client mixin": recorded("qdrant_client_mixin.json"),
    "cocoindex": recorded("cocoindex.json"),
    "plain": plain,
}
