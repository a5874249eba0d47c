"""The part of a collection that changes how its vectors are compressed, and measures what that costs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from qdrant_embed.calibration.recoding import Change, Recoded, recompress
from qdrant_embed.calibration.report import Calibration
from qdrant_embed.calibration.run import CalibrateOptions, calibrate
from qdrant_embed.calibration.training import contents, export_head, train_head, train_paragraphs
from qdrant_embed.compression import Transform
from qdrant_embed.compression.capacity import Capacity, capacity
from qdrant_embed.compression.export import write_codes
from qdrant_embed.compression.learned import CodeTraining
from qdrant_embed.embedding.paragraphs import BinaryParagraphVectors, ParagraphTraining
from qdrant_embed.passages import Passages


class Compressing(Passages):
    """The part of a `Collection` that compresses."""

    def recompress(self, compression: str, *, trained: Transform | None = None, refit: bool = False) -> Recoded:
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
        done = recompress(self._engine, self.name, self._parts, self.recipe, change)
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
        return calibrate(self._engine, self.name, self._parts, questions, options or CalibrateOptions())

    def train_codes(
        self,
        bits: int = 64,
        *,
        seed: int = 0,
        words: bool = False,
        model_out: str | Path | None = None,
        codes_out: str | Path | None = None,
    ) -> Transform:
        """Train a short code on this collection's vectors; search by it with `recompress('full+bits+learned64+…')`.

        :param words: Train it to predict the words of the texts too.
        :param model_out: Write the transform (safetensors) there.
        :param codes_out: Write ids and packed codes there (`.npy` or `.parquet`).
        """
        found = contents(self._engine, self.name, self._parts)
        transform = train_head(found, CodeTraining(bits=bits, seed=seed), by_words=words)
        if model_out is not None:
            Path(model_out).write_bytes(transform.to_bytes())
        if codes_out is not None:
            export_head(codes_out, found, transform)
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
        """
        found = contents(self._engine, self.name, self._parts)
        model = train_paragraphs(found, ParagraphTraining(bits=bits, seed=seed))
        if model_out is not None:
            model.save(model_out)
        if codes_out is not None:
            write_codes(codes_out, found.ids, model.codes(found.texts))
        return model

    def capacity(self) -> Capacity:
        """Say up to how many documents single vectors of this collection's width can rank any pair on top."""
        coder = self._parts.coding.coder
        return capacity(coder.compression.learned or coder.cut_dim, self.count())
