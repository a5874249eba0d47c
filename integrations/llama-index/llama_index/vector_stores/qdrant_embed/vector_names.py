"""Where the nodes of a collection have their vectors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from qdrant_embed.errors import ConfigurationError
from qdrant_embed.store import Engine

DENSE, SPARSE = "text-dense", "text-sparse-new"
"""Names that LlamaIndex's own Qdrant store knows, where it has words beside embeddings."""
UNNAMED = ""


@dataclass(frozen=True, slots=True)
class VectorNames:
    """The vectors of a collection of nodes.

    :param dense: Of the embeddings; empty for the unnamed one, which LlamaIndex's own store makes without words.
    :param sparse: Of the BM25 weights; empty where there are none.
    """

    dense: str = DENSE
    sparse: str = SPARSE

    def vectors(self, embedding: list[float], words: Any) -> Any:
        """Return the vectors of a point."""
        if self.dense == UNNAMED and not self.sparse:
            return embedding
        return {self.dense: embedding, **({self.sparse: words} if self.sparse else {})}

    def embedding(self, vector: Any) -> list[float]:
        """Return the embedding among the vectors of a point."""
        found = vector.get(self.dense) if isinstance(vector, dict) else vector
        return [float(value) for value in found or ()]


def names_in(engine: Engine, collection: str) -> VectorNames:
    """Return the names that a collection has.

    :raises ConfigurationError: It holds no nodes of LlamaIndex; what to type is said.
    """
    params = engine.get_collection(collection).config.params
    dense = params.vectors if isinstance(params.vectors, dict) else {UNNAMED: params.vectors} if params.vectors else {}
    words = (params.sparse_vectors or {}).get(SPARSE)
    # Weights without IDF are no BM25's: some model made them, which answers no question here.
    sparse = SPARSE if words is not None and str(getattr(words.modifier, "value", words.modifier)) == "idf" else ""
    for name in (DENSE, UNNAMED):
        if name in dense:
            return VectorNames(name, sparse)
    raise ConfigurationError(
        f"collection {collection!r} has the vectors {', '.join(map(repr, dense)) or 'none'}, and nodes of LlamaIndex "
        f"have {DENSE!r} or an unnamed one. If Collection.ingest filled it, type "
        f"QdrantEmbedCollectionStore(Collection.open({collection!r}, at=…)); if another program did, Collection.attach."
    )
