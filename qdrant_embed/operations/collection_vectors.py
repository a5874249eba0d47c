"""What a collection's vectors are good for beside search."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from qdrant_embed.compression import Transform
from qdrant_embed.compression import capacity as ranked_pairs
from qdrant_embed.compression.capacity import Capacity
from qdrant_embed.operations import collection_queries
from qdrant_embed.operations.collection_handle import CollectionHandle
from qdrant_embed.runtimes.paragraph_vectors import BinaryParagraphVectors, ParagraphTraining
from qdrant_embed.store.export import code_export
from qdrant_embed.training import collection_codes
from qdrant_embed.training.collection_codes import CodeFiles
from qdrant_embed.training.learned_codes import STEPS, CodeTraining


class CollectionVectors:
    """Codes trained on a collection's vectors or exported, and what their width can rank: `collection.vectors`."""

    def __init__(self, handle: CollectionHandle) -> None:
        self._handle = handle

    def train_codes(
        self, bits: int = 64, *, seed: int = 0, steps: int = STEPS, words: bool = False,
        progress: Callable[[int, float], None] | None = None,
        model_out: str | Path | None = None, codes_out: str | Path | None = None,
    ) -> Transform:  # fmt: skip
        """Train a short code on this collection's vectors; search by it with `recompress('full+bits+learned64+…')`.

        :param steps: Batches to train on; fewer are sooner done and shortlist a little worse. `seed` draws them.
        :param words: Train it to predict the words of the texts too.
        :param progress: Called after each batch, with its number and its loss.
        :param model_out: Write the transform (safetensors) there.
        :param codes_out: Write ids and packed codes there (`.npy` or `.parquet`).
        :raises ConfigurationError: A file could not be written, or the collection holds no numbers (`bits`).
        """
        training = CodeTraining(bits=bits, seed=seed, steps=steps, progress=progress)
        parts, files = self._handle.parts, CodeFiles(model_out, codes_out)
        return collection_codes.train_codes(
            parts.points, self._handle.name, parts.codec, training, words=words, files=files
        )

    def train_paragraphs(
        self, bits: int = 128, *, seed: int = 0,
        model_out: str | Path | None = None, codes_out: str | Path | None = None,
    ) -> BinaryParagraphVectors:  # fmt: skip
        """Train binary paragraph vectors on this collection's texts alone: an embedder of its own.

        :param model_out: Write the model's folder there; `Recipe(model=…)` takes it. Others as for `train_codes`.
        :raises ConfigurationError: A file could not be written.
        """
        training, files = ParagraphTraining(bits=bits, seed=seed), CodeFiles(model_out, codes_out)
        return collection_codes.train_paragraphs(self._handle.parts.points, self._handle.name, training, files=files)

    def export_codes(self, path: str | Path) -> Path:
        """Write ids and codes of all points to a `.npy` or `.parquet` file, for other programs.

        Of `bits` and `uint8` the bytes stored; else the signs of the numbers stored, as `binary` searches by them.

        :raises ConfigurationError: The engine keeps the codes to itself (`int8`, `pq16`, …), or the path is no good.
        """
        parts = self._handle.parts
        return code_export.export_codes(parts.points, self._handle.name, parts.codec, path)

    def capacity(self) -> Capacity:
        """Say up to how many documents single vectors of this collection's width can rank any pair on top.

        The width is that of the vectors that decide the ranking: with `full` the whole ones, whatever shortlists them.

        :raises ConfigurationError: Points have a vector for each window, which no theory of single vectors covers.
        """
        return ranked_pairs.capacity(self._handle.parts.codec.ranked_width, collection_queries.count(self._handle))
