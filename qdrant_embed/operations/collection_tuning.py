"""What a collection has to choose its settings by: searches and compressions, measured; codes, trained and written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from qdrant_embed.calibration.calibration_report import Calibration
from qdrant_embed.calibration.calibration_run import CalibrateOptions, calibrate
from qdrant_embed.comparison.evaluation_report import Evaluation
from qdrant_embed.comparison.evaluation_run import EvaluationPlan, evaluate
from qdrant_embed.compression import Transform
from qdrant_embed.compression.capacity import Capacity, capacity
from qdrant_embed.evaluation.drawn_questions import DRAWN
from qdrant_embed.evaluation.questions import Question
from qdrant_embed.migration.recompression import Change, RecompressResult
from qdrant_embed.operations import collection_changes, collection_queries
from qdrant_embed.operations.collection_handle import CollectionHandle
from qdrant_embed.runtimes.paragraph_vectors import BinaryParagraphVectors, ParagraphTraining
from qdrant_embed.store.code_export import export_codes
from qdrant_embed.training.collection_codes import CodeFiles, train_codes, train_paragraphs
from qdrant_embed.training.learned_codes import STEPS, CodeTraining


class CollectionTuning:
    """The part of `qdrant_embed.Collection` that is about settings rather than documents."""

    def __init__(self, handle: CollectionHandle) -> None:
        self._handle = handle

    def evaluate(
        self, questions: Sequence[Question] | str | Path | None = None, *,
        settings: Sequence[str] = (), compressions: Sequence[str] = (),
        k: int = 10, n: int = DRAWN, seed: int = 0, progress: Callable[[str], None] | None = None,
    ) -> Evaluation:  # fmt: skip
        """Measure how well each way to search answers questions, and whether they differ; changes nothing.

        :param questions: Questions and what answers them: a file, a folder in BEIR's layout (see `read_questions`), or
            `Question` values of `qdrant_embed.evaluation`; None to draw them from the texts (see `draw_questions`).
        :param settings: Modes of search, perhaps with rerankers behind them (`hybrid+mmr:0.3`); the others are compared
            with the first; empty for all modes that the collection has.
        :param compressions: Compressions to try on the vectors too, as `recompress` takes them.
        :param k: Passages that a question asks for; documents, where these are judged.
        :param n: Questions to draw.
        :param progress: Called before each setting, with its name.
        :raises ConfigurationError: There is no such setting, or a question is not judged.
        """
        plan = EvaluationPlan(settings=settings, compressions=compressions, k=k, n=n, seed=seed, progress=progress)
        return evaluate(self._handle.points, self._handle.name, self._handle.parts, questions, plan)

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
        return collection_changes.recompress(self._handle, change)

    def calibrate(
        self, questions: Sequence[str | Question] | None = None, *, options: CalibrateOptions | None = None
    ) -> Calibration:
        """Measure on this collection's own vectors what compression costs and saves; changes nothing.

        Follow it by `recompress(found.chosen.setting)` to take the cheapest setting that met the target.

        :param questions: Questions that people ask; None to draw sentences and titles from the chunks. A `Question` of
            `qdrant_embed.evaluation` also says what answers it, which adds nDCG@k.
        :raises ConfigurationError: The collection holds too few chunks, or no numbers any more (`bits`).
        """
        points, parts = self._handle.points, self._handle.parts
        return calibrate(points, self._handle.name, parts, questions, options or CalibrateOptions())

    def train_codes(
        self, bits: int = 64, *,
        seed: int = 0, steps: int = STEPS, words: bool = False, progress: Callable[[int, float], None] | None = None,
        model_out: str | Path | None = None, codes_out: str | Path | None = None,
    ) -> Transform:  # fmt: skip
        """Train a short code on this collection's vectors; search by it with `recompress('full+bits+learned64+…')`.

        :param steps: Batches to train on; fewer are sooner done and shortlist a little worse.
        :param words: Train it to predict the words of the texts too.
        :param progress: Called after each batch, with its number and its loss.
        :param model_out: Write the transform (safetensors) there.
        :param codes_out: Write ids and packed codes there (`.npy` or `.parquet`).
        :raises ConfigurationError: A file could not be written, or the collection holds no numbers any more (`bits`).
        """
        training = CodeTraining(bits=bits, seed=seed, steps=steps, progress=progress)
        files = CodeFiles(model_out, codes_out)
        return train_codes(
            self._handle.points, self._handle.name, self._handle.parts.codec, training, words=words, files=files
        )

    def train_paragraphs(
        self, bits: int = 128, *,
        seed: int = 0, model_out: str | Path | None = None, codes_out: str | Path | None = None,
    ) -> BinaryParagraphVectors:  # fmt: skip
        """Train binary paragraph vectors on this collection's texts alone: an embedder of its own.

        :param model_out: Write the model's folder there; `Recipe(model=…)` takes it.
        :param codes_out: Write ids and packed codes there (`.npy` or `.parquet`).
        :raises ConfigurationError: A file could not be written.
        """
        training, files = ParagraphTraining(bits=bits, seed=seed), CodeFiles(model_out, codes_out)
        return train_paragraphs(self._handle.points, self._handle.name, training, files=files)

    def export_codes(self, path: str | Path) -> Path:
        """Write ids and codes of all points to a `.npy` or `.parquet` file, for other programs.

        Of `bits` and `uint8` the bytes stored; else the signs of the numbers stored, as `binary` searches by them.

        :raises ConfigurationError: The engine keeps the codes to itself (`int8`, `pq16`, …), or the path is no good.
        """
        return export_codes(self._handle.points, self._handle.name, self._handle.parts.codec, path)

    def capacity(self) -> Capacity:
        """Say up to how many documents single vectors of this collection's width can rank any pair on top.

        The width is that of the vectors that decide the ranking: with `full` the whole ones, whatever shortlists them.

        :raises ConfigurationError: Points have a vector for each window, which no theory of single vectors covers.
        """
        return capacity(self._handle.parts.codec.ranked_width, collection_queries.count(self._handle))
