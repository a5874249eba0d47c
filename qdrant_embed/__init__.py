"""The embedding layer for the Qdrant vector database: folders of documents in, well-ranked passages out.

>>> from qdrant_embed import Collection, Document, Recipe
>>> notes = Collection.open("notes", at=":memory:", recipe=Recipe(model="hashing"))
>>> report = notes.ingest([Document(text="Rotate the keys every ninety days.", source="keys.md")])
>>> notes.search("how often are keys rotated?", k=1)[0].source
'keys.md'
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qdrant_embed.collection import Collection
    from qdrant_embed.embedding import Embedder, load_embedder, load_multivector, load_sparse
    from qdrant_embed.errors import QdrantEmbedError
    from qdrant_embed.ingest.monitoring.report import IngestReport
    from qdrant_embed.ingest.options import IngestOptions
    from qdrant_embed.reading.files import ReadOptions
    from qdrant_embed.recipe import Recipe
    from qdrant_embed.retrieval.hits import Hit, Hits
    from qdrant_embed.types import Chunk, Document

__version__ = "0.1.0"

__all__ = [
    "Chunk",
    "Collection",
    "Document",
    "Embedder",
    "Hit",
    "Hits",
    "IngestOptions",
    "IngestReport",
    "QdrantEmbedError",
    "ReadOptions",
    "Recipe",
    "__version__",
    "load_embedder",
    "load_multivector",
    "load_sparse",
]

# Names import on first use, so that `import qdrant_embed` costs milliseconds.
_HOMES = {
    "Chunk": "types",
    "Collection": "collection",
    "Document": "types",
    "Embedder": "embedding",
    "Hit": "retrieval.hits",
    "Hits": "retrieval.hits",
    "IngestOptions": "ingest.options",
    "IngestReport": "ingest.monitoring.report",
    "QdrantEmbedError": "errors",
    "ReadOptions": "reading.files",
    "Recipe": "recipe",
    "load_embedder": "embedding",
    "load_multivector": "embedding",
    "load_sparse": "embedding",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'qdrant_embed' has no attribute {name!r}")
    value = getattr(import_module(f"qdrant_embed.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
