"""The embedding layer for the Qdrant vector database: folders of documents in, well-ranked passages out.

>>> from qdrant_embed import Collection, Document, Recipe
>>> notes = Collection.open("notes", at=":memory:", recipe=Recipe(model="hashing"))
>>> report = notes.ingest([Document(text="Rotate the keys every ninety days.", source="keys.md")])
>>> notes.search("how often are keys rotated?", k=1)[0].source
'keys.md'
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qdrant_embed.registry import lazy_names

if TYPE_CHECKING:
    from qdrant_embed.calibration import CalibrateOptions, Calibration
    from qdrant_embed.collection import Collection
    from qdrant_embed.collection_parts import load_recipe, preview_chunks
    from qdrant_embed.comparison import Evaluation
    from qdrant_embed.compression import Compression
    from qdrant_embed.diagnostics import diagnose
    from qdrant_embed.embedding import Embedder, load_embedder, load_multivector, load_sparse
    from qdrant_embed.errors import QdrantEmbedError
    from qdrant_embed.ingest import IngestOptions, IngestReport
    from qdrant_embed.models import describe_model, fetch_model, list_local_models, list_models, remove_model
    from qdrant_embed.reading.files import ReadOptions
    from qdrant_embed.reading.parsed import Parsed
    from qdrant_embed.reading.read_documents import read_documents
    from qdrant_embed.recipe import Recipe
    from qdrant_embed.retrieval import Hit, Hits
    from qdrant_embed.runtimes.conversion.cache_folder import clear_model_cache
    from qdrant_embed.runtimes.preparation.prepare import PreparedModel, prepare_model
    from qdrant_embed.servers.server_options import ServerOptions
    from qdrant_embed.training import ExtendOptions, extend
    from qdrant_embed.types import Chunk, Document
else:
    # Names import on first use, so that `import qdrant_embed` costs milliseconds.
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "calibration": ["CalibrateOptions", "Calibration"],
            "collection": ["Collection"],
            "collection_parts": ["load_recipe", "preview_chunks"],
            "comparison": ["Evaluation"],
            "compression": ["Compression"],
            "diagnostics": ["diagnose"],
            "embedding": ["Embedder", "load_embedder", "load_multivector", "load_sparse"],
            "errors": ["QdrantEmbedError"],
            "ingest": ["IngestOptions", "IngestReport"],
            "reading.files": ["ReadOptions"],
            "reading.parsed": ["Parsed"],
            "reading.read_documents": ["read_documents"],
            "models": ["describe_model", "fetch_model", "list_local_models", "list_models", "remove_model"],
            "recipe": ["Recipe"],
            "retrieval": ["Hit", "Hits"],
            "runtimes.conversion.cache_folder": ["clear_model_cache"],
            "runtimes.preparation.prepare": ["PreparedModel", "prepare_model"],
            "servers.server_options": ["ServerOptions"],
            "training": ["ExtendOptions", "extend"],
            "types": ["Chunk", "Document"],
        },
    )

__version__ = "0.1.0"

__all__ = [
    "CalibrateOptions",
    "Calibration",
    "Chunk",
    "Collection",
    "Compression",
    "Document",
    "Embedder",
    "Evaluation",
    "ExtendOptions",
    "Hit",
    "Hits",
    "IngestOptions",
    "IngestReport",
    "Parsed",
    "PreparedModel",
    "QdrantEmbedError",
    "ReadOptions",
    "Recipe",
    "ServerOptions",
    "__version__",
    "clear_model_cache",
    "describe_model",
    "diagnose",
    "extend",
    "fetch_model",
    "list_local_models",
    "list_models",
    "load_embedder",
    "load_multivector",
    "load_recipe",
    "load_sparse",
    "prepare_model",
    "preview_chunks",
    "read_documents",
    "remove_model",
]
