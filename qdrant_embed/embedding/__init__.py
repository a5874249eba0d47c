"""Texts into vectors: presets, the model's own files, runtimes.

Files, in reading order: bm25, cache, late_chunking, token_vectors, encode, token_embedder, results, stored_tokens,
dense_encoder, auxiliary, embedder, multivector, recipe_models, sparse.

Public: `load_embedder`, `load_sparse` and `load_multivector`, which return an `Embedder`, a `SparseEmbedder` and a
`MultiVectorEmbedder`; `Encoded`, `WindowVectors` and `SparseVector` (what they return); `Bm25Encoder` (term weights).
"""

from pathlib import Path

from qdrant_embed.embedding.bm25 import Bm25Encoder
from qdrant_embed.embedding.embedder import Embedder, EmbedderOptions
from qdrant_embed.embedding.multivector import MultiVectorEmbedder
from qdrant_embed.embedding.results import Encoded, WindowVectors
from qdrant_embed.embedding.sparse import SparseEmbedder
from qdrant_embed.types import SparseVector

__all__ = [
    "Bm25Encoder",
    "Embedder",
    "Encoded",
    "MultiVectorEmbedder",
    "SparseEmbedder",
    "SparseVector",
    "WindowVectors",
    "load_embedder",
    "load_multivector",
    "load_sparse",
]


def load_embedder(
    name: str | Path,
    *,
    window: str = "pcw",
    compression: str = "float32",
    runtime: str = "auto",
    presets: str | Path | None = None,
    layers: int = 0,
    task: str = "",
) -> Embedder:
    """Return the embedder of a preset, a model folder or a hub id.

    :param window: What happens to texts longer than the model: `pcw`, `windows`, `windows:128`, `late`, `truncate`,
        `error`, or one of them behind a way to stretch the model, as in `pi:4096+late`; see docs/guide/chunking.md.
    :param compression: Dimensions kept and number format stored, e.g. `256d+float16`.
    :param runtime: What runs the weights; `auto` for the preset's own.
    :param presets: A preset file or folder of your own, laid over the others.
    :param layers: Blocks that are run, counted from the bottom; 0 for all. Models trained for it lose little.
    :param task: What the vectors are for: one of the preset's tasks, or, for a model that takes instructions, a
        sentence such as `Given a claim, find documents that refute it`.
    """
    options = EmbedderOptions(
        window=window, compression=compression, runtime=runtime, presets=presets, layers=layers, task=task
    )
    return Embedder(name, options)


def load_sparse(name: str | Path, *, window: str = "pcw", presets: str | Path | None = None) -> SparseEmbedder:
    """Return the embedder of a sparse model (the SPLADE family): a preset, a model folder or a hub id.

    :param window: For texts longer than the model: `error`, `truncate`, or windows whose weights are joined.
    :param presets: A preset file or folder of your own, laid over the others.
    """
    return SparseEmbedder(name, window=window, presets=presets)


def load_multivector(
    name: str | Path, *, window: str = "pcw", presets: str | Path | None = None
) -> MultiVectorEmbedder:
    """Return the embedder of a multi-vector model (the ColBERT family): a preset, a model folder or a hub id.

    :param window: For texts longer than the model: `error`, `truncate`, or windows whose vectors are all kept.
    :param presets: A preset file or folder of your own, laid over the others.
    """
    return MultiVectorEmbedder(name, window=window, presets=presets)
