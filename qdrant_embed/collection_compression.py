"""The part of a collection that changes how its vectors are compressed, and measures what that costs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from qdrant_embed.calibration.calibration_report import Calibration
from qdrant_embed.calibration.calibration_run import CalibrateOptions, calibrate
from qdrant_embed.compression import Transform
from qdrant_embed.compression.binary_codes import pack_signs
from qdrant_embed.compression.capacity import Capacity, capacity
from qdrant_embed.errors import ConfigurationError
from qdrant_embed.migration.recompression import Change, RecompressResult, recompress
from qdrant_embed.passages import Passages
from qdrant_embed.runtimes.paragraph_vectors import BinaryParagraphVectors, ParagraphTraining, require_model_folder
from qdrant_embed.store.code_export import export_codes, require_codes_file, require_folder, write_codes
from qdrant_embed.store.stored_vectors import read_rows, read_texts
from qdrant_embed.training.collection_codes import train_head, train_paragraphs
from qdrant_embed.training.learned_codes import STEPS, CodeTraining


class Compressing(Passages):
    """The part of a `Collection` that compresses."""

    def recompress(
        self, compression: str, *, trained: Transform | None = None, refit: bool = False
    ) -> RecompressResult:
        """Change how vectors are stored and searched, without embedding anything again.

        Codes (`int8`, `binary`, …) and rescoring are switched in place. For anything else the points are written again
        into a copy, which then stands behind this collection's name as an alias; the old one is removed.

        :param trained: What `train_codes` returned, for a compression with `learnedN`.
        :param refit: Learn rotations, means, medians and scales again from the vectors that there are now: what was
            learned from the first documents of a collection may not suit the rest.
        :raises ConfigurationError: It needs numbers that were not kept.
        :raises StoreError: The compression is being changed already, or was since the collection was opened.
        """
        change = Change(compression=compression, trained=trained, refit=refit)
        parts = self._parts
        done = recompress(self._engine, self.name, parts, parts.recipe, change)
        self._use(done.recipe)
        return done

    def calibrate(
        self, questions: Sequence[str] | None = None, *, options: CalibrateOptions | None = None
    ) -> Calibration:
        """Measure on this collection's own vectors what compression costs and saves; changes nothing.

        Follow it by `recompress(found.chosen.setting)` to take the cheapest setting that met the target.

        :param questions: Questions that people ask; None to draw sentences and titles from the chunks.
        :raises ConfigurationError: The collection holds too few chunks, or no numbers any more (`bits`).
        """
        return calibrate(self._points, self.name, self._parts, questions, options or CalibrateOptions())

    def train_codes(
        self,
        bits: int = 64,
        *,
        seed: int = 0,
        steps: int = STEPS,
        words: bool = False,
        progress: Callable[[int, float], None] | None = None,
        model_out: str | Path | None = None,
        codes_out: str | Path | None = None,
    ) -> Transform:
        """Train a short code on this collection's vectors; search by it with `recompress('full+bits+learned64+…')`.

        :param steps: Batches to train on; fewer are sooner done and shortlist a little worse.
        :param words: Train it to predict the words of the texts too.
        :param progress: Called after each batch, with its number and its loss.
        :param model_out: Write the transform (safetensors) there.
        :param codes_out: Write ids and packed codes there (`.npy` or `.parquet`).
        :raises ConfigurationError: A file could not be written, or the collection holds no numbers any more (`bits`).
        """
        training = CodeTraining(bits=bits, seed=seed, steps=steps, progress=progress)
        for path, require in ((model_out, require_folder), (codes_out, require_codes_file)):
            if path is not None:
                require(path)
        parts = self._parts
        stored = read_rows(self._points, self.name, parts.codec, texts=words)
        found = replace(stored, vectors=parts.codec.raw(stored.vectors))
        transform = train_head(found, training, distance=parts.codec.vector_codec.distance)
        if model_out is not None:
            Path(model_out).write_bytes(transform.to_bytes())
        if codes_out is not None:
            codes = pack_signs(transform.rotate(found.vectors), transform.thresholds)
            write_codes(codes_out, found.ids, codes, found.windows)
        return transform

    def train_paragraphs(
        self,
        bits: int = 128,
        *,
        seed: int = 0,
        model_out: str | Path | None = None,
        codes_out: str | Path | None = None,
    ) -> BinaryParagraphVectors:
        """Train binary paragraph vectors on this collection's texts alone: an embedder of its own.

        :param model_out: Write the model's folder there; `Recipe(model=…)` takes it.
        :param codes_out: Write ids and packed codes there (`.npy` or `.parquet`).
        :raises ConfigurationError: A file could not be written.
        """
        training = ParagraphTraining(bits=bits, seed=seed)
        if model_out is not None:
            require_model_folder(model_out)
        if codes_out is not None:
            require_codes_file(codes_out)
        found = read_texts(self._points, self.name)
        model = train_paragraphs(found, training)
        if model_out is not None:
            model.save(model_out)
        if codes_out is not None:
            write_codes(codes_out, found.ids, model.codes(found.texts))
        return model

    def export_codes(self, path: str | Path) -> Path:
        """Write ids and codes of all points to a `.npy` or `.parquet` file, for other programs.

        Of `bits` and `uint8` the bytes stored; else the signs of the numbers stored, as `binary` searches by them.

        :raises ConfigurationError: The engine keeps the codes to itself (`int8`, `pq16`, …), or the path is no good.
        """
        return export_codes(self._points, self.name, self._parts.codec, path)

    def capacity(self) -> Capacity:
        """Say up to how many documents single vectors of this collection's width can rank any pair on top.

        The width is that of the vectors that decide the ranking: with `full` the whole ones, whatever shortlists them.

        :raises ConfigurationError: Points have a vector for each window, which no theory of single vectors covers.
        """
        codec = self._parts.codec
        if codec.windows:
            raise ConfigurationError(
                "each point of this collection has a vector for each window of its text, and the best one counts; what "
                "is known of capacity is about single vectors. Choose another window strategy to have those."
            )
        vector_codec = codec.vector_codec
        width = vector_codec.dim if vector_codec.compression.full else vector_codec.bits
        return capacity(width, self.count())
