"""Calibration: questions, exact answers, the grid in the real engine, the choice."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from qdrant_embed.calibration.grid import default_grid, oversampled
from qdrant_embed.calibration.measuring import Trial, try_settings
from qdrant_embed.calibration.questions import draw_questions
from qdrant_embed.calibration.recoding import dense_of, pages
from qdrant_embed.calibration.report import Calibration
from qdrant_embed.calibration.truth import Truth, exact, ndcg
from qdrant_embed.compression import Compression, Transform
from qdrant_embed.errors import ConfigurationError
from qdrant_embed.parts import Parts
from qdrant_embed.store.engine import Engine
from qdrant_embed.types import FloatArray

DRAWN = 200
MOST_VECTORS = 100_000
FEWEST = 50

Progress = Callable[[str, int, int], None]
"""Called before each build with the setting, how many are done and how many there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrateOptions:
    """How a calibration is done.

    :param k: Hits a question asks for.
    :param target_recall: Recall@k that the chosen setting must reach.
    :param max_bytes_per_vector: Bytes of a vector in memory that it may take; None for any number.
    :param settings: Settings to try instead of the default grid; those with a code are tried with every oversampling
        unless they name one.
    :param judgements: For each question, grades by `source` of a document; adds nDCG@k.
    :param most_vectors: A larger collection is represented by this many of its vectors.
    :param progress: Called before each build.
    """

    k: int = 10
    target_recall: float = 0.98
    max_bytes_per_vector: float | None = None
    settings: Sequence[str] = ()
    judgements: Sequence[Mapping[str, float]] | None = None
    most_vectors: int = MOST_VECTORS
    seed: int = 0
    progress: Progress | None = None


def calibrate(
    engine: Engine, name: str, parts: Parts, questions: Sequence[str] | None, options: CalibrateOptions
) -> Calibration:
    """Measure how a collection may be compressed; changes nothing.

    Everything is measured in the embedded engine, in a temporary folder, whatever the collection itself lives in: it is
    the same engine, and a server does not tell the bytes of one vector.

    :raises ConfigurationError: The collection holds too little, or does not hold the numbers any more.
    """
    stored = _read(engine, name, parts, options.most_vectors)
    asked = list(questions or draw_questions(stored.texts, DRAWN, options.seed))
    if options.judgements is not None and len(options.judgements) != len(asked):
        raise ConfigurationError(f"{len(asked)} questions need as many judgements, not {len(options.judgements)}.")
    queries = parts.embedder.embed_queries(asked)
    preset = parts.embedder.preset
    truth = exact(stored.vectors, queries, options.k, preset.distance, normalize=preset.normalize)
    grid = [Compression.parse(text) for text in options.settings] or default_grid(
        truth.vectors.shape[1], preset.dims, compare_by=truth.distance
    )
    trials = walk(grid, truth, progress=options.progress)
    judged: dict[str, float] = {}
    if options.judgements is not None:
        for trial in trials:
            names = [[stored.sources[place] for place in places] for places in trial.found]
            judged[trial.setting] = float(ndcg(names, options.judgements, options.k).mean())
    return Calibration(
        collection=name,
        vectors=len(stored.vectors),
        dim=stored.vectors.shape[1],
        questions=len(asked),
        k=truth.places.shape[1],
        target=options.target_recall,
        most_bytes=options.max_bytes_per_vector,
        trials=tuple(trials),
        ndcg=judged,
    )


def walk(
    grid: Sequence[Compression],
    truth: Truth,
    *,
    progress: Progress | None = None,
    graph: bool = False,
    transforms: Mapping[int, Transform] | None = None,
) -> list[Trial]:
    """Try every setting with every oversampling, each collection built once.

    :param transforms: Trained codes by their number of bits.
    """
    trials: list[Trial] = []
    for place, setting in enumerate(dict.fromkeys(grid)):
        if progress is not None:
            progress(str(setting), place, len(grid))
        trained = (transforms or {}).get(setting.learned or 0)
        trials += try_settings(list(oversampled(setting)), truth, graph=graph, transform=trained)
    return trials


@dataclass(frozen=True, slots=True)
class _Stored:
    vectors: FloatArray
    texts: list[tuple[str, str]]
    sources: list[str]


def _read(engine: Engine, name: str, parts: Parts, most: int) -> _Stored:
    vectors: list[FloatArray] = []
    texts: list[tuple[str, str]] = []
    sources: list[str] = []
    for records in pages(engine, name, parts.coding.page, with_payload=True):
        rows, counts = dense_of(records)
        vectors.append(parts.coding.raw(rows))
        # A window counts as a vector of its own: what is measured is how well vectors are found.
        payloads = [record.payload or {} for record, count in zip(records, counts, strict=True) for _ in range(count)]
        texts += [(str(fields.get("title", "")), str(fields["text"])) for fields in payloads]
        sources += [str(fields["source"]) for fields in payloads]
        # Ids are hashes, so the first points are a random sample of all.
        if len(texts) >= most:
            break
    if len(texts) < FEWEST:
        raise ConfigurationError(
            f"collection {name!r} holds {len(texts)} chunks; fewer than {FEWEST} tell nothing about compression, and "
            "need none."
        )
    return _Stored(np.concatenate(vectors)[:most], texts[:most], sources[:most])
