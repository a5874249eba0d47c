"""The vectors of nodes: the embeddings that LlamaIndex made, and BM25 weights beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from qdrant_client import models

from qdrant_embed.embedding import Bm25Encoder
from qdrant_embed.errors import CollectionExistsError, ConfigurationError
from qdrant_embed.store import Engine

DENSE, SPARSE = "text-dense", "text-sparse-new"
"""Names that LlamaIndex's own Qdrant store knows, where it has words beside embeddings."""
UNNAMED = ""
NOTED = "qdrant_embed_nodes"
"""Entry of a collection's metadata that says in which language its words are stemmed."""


@dataclass(frozen=True, slots=True)
class NodeVectors:
    """The vectors of a collection of nodes, and what makes those of words.

    :param dense: Name of the embeddings; empty for the unnamed one, which LlamaIndex's own store makes without words.
    :param sparse: Name of the BM25 weights; empty where there are none.
    :param size: Numbers of an embedding.
    """

    collection: str
    dense: str
    sparse: str
    size: int
    encoder: Bm25Encoder

    def of_point(self, embedding: list[float], text: str) -> Any:
        """Return the vectors of a point."""
        if self.dense == UNNAMED and not self.sparse:
            return embedding
        indices, values = self.encoder.encode_document(text)
        words = {self.sparse: models.SparseVector(indices=indices, values=values)} if self.sparse else {}
        return {self.dense: embedding, **words}

    def of_question(self, text: str) -> models.SparseVector:
        """Return the words of a question."""
        indices, values = self.encoder.encode_query(text)
        return models.SparseVector(indices=indices, values=values)

    def embedding(self, vector: Any) -> list[float]:
        """Return the embedding among the vectors of a point."""
        found = vector.get(self.dense) if isinstance(vector, dict) else vector
        return [float(value) for value in found or ()]

    def require(self, embedding: Sequence[float]) -> list[float]:
        """Return an embedding.

        :raises ConfigurationError: It has another number of dimensions than those that are stored.
        """
        if len(embedding) != self.size:
            raise ConfigurationError(
                f"the embedding has {len(embedding)} dimensions, those of collection {self.collection!r} {self.size}: "
                "another embed_model made them. Give the same one, or another name for a new collection."
            )
        return list(embedding)


def create_vectors(engine: Engine, collection: str, size: int, language: str) -> NodeVectors:
    """Create a collection of nodes, unless another program is first; return its vectors."""
    chosen = language or "english"
    encoder = Bm25Encoder(chosen)
    try:
        engine.create_collection(
            collection,
            {DENSE: models.VectorParams(size=size, distance=models.Distance.COSINE)},
            sparse_vectors_config={SPARSE: models.SparseVectorParams(modifier=models.Modifier.IDF)},
            metadata={NOTED: {"language": chosen}},
        )
    except CollectionExistsError:
        return vectors_in(engine, collection, language)
    return NodeVectors(collection, DENSE, SPARSE, size, encoder)


def vectors_in(engine: Engine, collection: str, language: str) -> NodeVectors:
    """Return the vectors that a collection has.

    :param language: What the user says of its words; empty for what the collection says.
    :raises ConfigurationError: It holds no nodes of LlamaIndex, or its words are of another language.
    """
    config = engine.get_collection(collection).config
    params = config.params
    dense = params.vectors if isinstance(params.vectors, dict) else {UNNAMED: params.vectors} if params.vectors else {}
    noted = (config.metadata or {}).get(NOTED)
    stored = str(noted.get("language", "")) if isinstance(noted, dict) else ""
    if stored and language and stored != language:
        raise ConfigurationError(
            f"the words of collection {collection!r} are stemmed as {stored!r}, you gave language={language!r}. Leave "
            "it out, or give another name for a new collection."
        )
    words = (params.sparse_vectors or {}).get(SPARSE)
    # Weights without IDF are no BM25's: some model made them, which answers no question here.
    sparse = SPARSE if words is not None and str(getattr(words.modifier, "value", words.modifier)) == "idf" else ""
    for name in (DENSE, UNNAMED):
        if name in dense:
            return NodeVectors(collection, name, sparse, dense[name].size, Bm25Encoder(stored or language or "english"))
    raise ConfigurationError(
        f"collection {collection!r} has the vectors {', '.join(map(repr, dense)) or 'none'}, and nodes of LlamaIndex "
        f"have {DENSE!r} or an unnamed one. If Collection.ingest filled it, type "
        f"QdrantEmbedCollectionStore(Collection.open({collection!r}, at=…)); if another program did, Collection.attach."
    )
