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
    from qdrant_embed.calibration import CalibrateOptions as CalibrateOptions
    from qdrant_embed.calibration import Calibration as Calibration
    from qdrant_embed.collection import Collection as Collection
    from qdrant_embed.collection_parts import load_recipe as load_recipe
    from qdrant_embed.collection_parts import preview_chunks as preview_chunks
    from qdrant_embed.comparison import Evaluation as Evaluation
    from qdrant_embed.compression import Compression as Compression
    from qdrant_embed.diagnostics import diagnose as diagnose
    from qdrant_embed.embedding import Embedder as Embedder
    from qdrant_embed.embedding import load_embedder as load_embedder
    from qdrant_embed.embedding import load_multivector as load_multivector
    from qdrant_embed.embedding import load_sparse as load_sparse
    from qdrant_embed.errors import QdrantEmbedError as QdrantEmbedError
    from qdrant_embed.ingest import IngestOptions as IngestOptions
    from qdrant_embed.ingest import IngestReport as IngestReport
    from qdrant_embed.models import describe_model as describe_model
    from qdrant_embed.models import fetch_model as fetch_model
    from qdrant_embed.models import list_local_models as list_local_models
    from qdrant_embed.models import list_models as list_models
    from qdrant_embed.models import remove_model as remove_model
    from qdrant_embed.reading.files import ReadOptions as ReadOptions
    from qdrant_embed.reading.parsed import Parsed as Parsed
    from qdrant_embed.reading.read_documents import read_documents as read_documents
    from qdrant_embed.recipe import Recipe as Recipe
    from qdrant_embed.retrieval import Hit as Hit
    from qdrant_embed.retrieval import Hits as Hits
    from qdrant_embed.runtimes.conversion.cache_folder import clear_model_cache as clear_model_cache
    from qdrant_embed.runtimes.preparation.prepare import PreparedModel as PreparedModel
    from qdrant_embed.runtimes.preparation.prepare import prepare_model as prepare_model
    from qdrant_embed.servers.server_options import ServerOptions as ServerOptions
    from qdrant_embed.training import ExtendOptions as ExtendOptions
    from qdrant_embed.training import extend as extend
    from qdrant_embed.types import Chunk as Chunk
    from qdrant_embed.types import Document as Document
else:
    # Names import on first use, so that `import qdrant_embed` costs milliseconds.
    __getattr__, __dir__, __all__ = lazy_names(
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
    __all__.append("__version__")

__version__ = "0.1.0"
