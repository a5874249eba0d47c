"""Calibration: questions, exact answers, the grid in the real engine, the choice."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from qdrant_embed.calibration.calibration_report import Calibration
from qdrant_embed.calibration.grid import Grid, build_key, oversampled
from qdrant_embed.calibration.grid_search import search_grid
from qdrant_embed.calibration.selection import Constraints
from qdrant_embed.calibration.trial import Trial, try_settings, with_graph
from qdrant_embed.collection_parts import CollectionParts
from qdrant_embed.compression import Compression, Transform, VectorCodec
from qdrant_embed.compression.transitions import learned_code
from qdrant_embed.display import counted
from qdrant_embed.errors import ConfigurationError, require_type
from qdrant_embed.evaluation.exact_search import ExactAnswers, exact_search
from qdrant_embed.evaluation.metrics import ndcg
from qdrant_embed.evaluation.questions import Question, draw_questions
from qdrant_embed.store.engine import Engine
from qdrant_embed.store.stored_vectors import vector_pages
from qdrant_embed.types import FloatArray

DRAWN = 200
MOST_VECTORS = 100_000
FEWEST = 50
MOST_CHECKED = 5
"""Builds with a graph, which takes a minute for 50 000 vectors; what it costs five settings it costs others too."""

Progress = Callable[[str, int, int], None]
"""Called before each build with the setting, how many are done and how many are known of so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrateOptions:
    """How a calibration is done.

    :param k: Hits a question asks for.
    :param target_recall: Recall@k that the chosen setting must reach, by the lower end of its interval.
    :param max_bytes_per_vector: Bytes of a vector in memory that it may take; None for any number.
    :param max_disk_bytes_per_vector: Bytes of a vector on disk that it may take; None for any number.
    :param settings: Settings to try instead of the default grid; those with a code are tried with every oversampling
        unless they name one.
    :param trained: Trained codes by their number of bits, for settings with `learnedN`. Those that the collection is
        searched by already need not be given.
    :param most_vectors: A larger collection is represented by this many of its vectors.
    :param progress: Called before each build.
    """

    k: int = 10
    target_recall: float = 0.98
    max_bytes_per_vector: float | None = None
    max_disk_bytes_per_vector: float | None = None
    settings: Sequence[str] = ()
    trained: Mapping[int, Transform] = field(default_factory=dict)
    most_vectors: int = MOST_VECTORS
    seed: int = 0
    progress: Progress | None = None


def calibrate(
    engine: Engine,
    name: str,
    parts: CollectionParts,
    questions: Sequence[str | Question] | None,
    options: CalibrateOptions,
) -> Calibration:
    """Measure how a collection may be compressed; changes nothing.

    Everything is measured in the embedded engine, in a temporary folder, whatever the collection itself lives in: it is
    the same engine, and a server does not tell the bytes of one vector.

    :raises ConfigurationError: The collection holds too little, or does not hold the numbers any more, for all or for
        a setting that was asked for.
    """
    require_type("options", options, CalibrateOptions, "CalibrateOptions(…)")
    require_type("questions", questions or [], (list, tuple), "a list of questions")
    grid = _grid_of(parts)
    named = [Compression.parse(text) for text in options.settings]
    transforms = _Transforms(parts.codec.vector_codec, options.trained)
    for setting in named:
        grid.require(setting)
        transforms.of(setting)
    stored = _read(engine, name, parts, options.most_vectors)
    asked, judged = _asked(questions or draw_questions(stored.texts, DRAWN, options.seed))
    queries = parts.embedder.embed_queries(asked)
    normalize = parts.embedder.preset.normalize
    truth = exact_search(stored.vectors, queries, options.k, grid.compare_by, counts=stored.counts, normalize=normalize)
    constraints = Constraints(
        held=grid.held,
        target=options.target_recall,
        ram=options.max_bytes_per_vector,
        disk=options.max_disk_bytes_per_vector,
    )
    measure = _Measuring(truth, transforms, options.progress)
    trials = measure(named) if named else search_grid(grid, constraints, measure)
    checked = _checked(constraints, trials, measure.again)
    return Calibration(
        collection=name,
        vectors=len(stored.vectors),
        dim=stored.vectors.shape[1],
        questions=len(asked),
        k=truth.places.shape[1],
        constraints=constraints,
        trials=tuple(trials),
        checked=tuple(checked),
        ndcg=_gains(trials, stored.sources, judged, options.k) if judged else {},
    )


def _asked(questions: Sequence[str | Question]) -> tuple[list[str], list[Mapping[str, float]]]:
    """Return the texts of questions, and what answers each where that was judged.

    :raises ConfigurationError: It was judged of some only.
    """
    listed = [Question(one) if isinstance(one, str) else one for one in questions]
    judged = [one.relevant for one in listed if one.relevant is not None]
    if len(judged) not in (0, len(listed)):
        raise ConfigurationError(f"{len(judged)} of {len(listed)} questions say what is relevant; all must, or none.")
    return [one.text for one in listed], judged


def _gains(
    trials: Sequence[Trial], sources: Sequence[str], judged: Sequence[Mapping[str, float]], k: int
) -> dict[str, float]:
    """Return the mean nDCG@k of each setting."""
    names = {trial.setting: [[sources[place] for place in places] for places in trial.found] for trial in trials}
    return {setting: float(ndcg(found, judged, k).mean()) for setting, found in names.items()}


def _grid_of(parts: CollectionParts) -> Grid:
    preset = parts.embedder.preset
    return Grid(
        held=parts.codec.compression,
        model=preset.name,
        full=preset.dim,
        dim=parts.embedder.dim,
        trained=preset.dims,
        compare_by=parts.embedder.distance,
    )


@dataclass(frozen=True, slots=True)
class _Transforms:
    """What settings are encoded by: where a change would keep the collection's own transform, that is measured."""

    held: VectorCodec
    trained: Mapping[int, Transform]

    def of(self, setting: Compression) -> Transform | None:
        """Return a setting's transform; None if it is to be learned from the vectors.

        :raises ConfigurationError: It is a learned code, and nobody trained one of so many bits.
        """
        if setting.learned is not None:
            return learned_code(setting, self.held, self.trained.get(setting.learned))
        return self.held.transform if setting.points == self.held.compression.points else None


class _Measuring:
    """Tries settings in the real engine, each once; those that differ in rescoring only are built together."""

    def __init__(self, truth: ExactAnswers, transforms: _Transforms, progress: Progress | None) -> None:
        self._truth = truth
        self._transforms = transforms
        self._progress = progress
        self._tried: set[Compression] = set()
        self._built = 0

    def __call__(self, settings: Sequence[Compression]) -> list[Trial]:
        builds: dict[Compression, list[Compression]] = {}
        for setting in (other for given in settings for other in oversampled(given)):
            if setting not in self._tried:
                self._tried.add(setting)
                builds.setdefault(build_key(setting), []).append(setting)
        trials: list[Trial] = []
        for place, variants in enumerate(builds.values()):
            if self._progress is not None:
                self._progress(str(variants[0]), self._built, self._built + len(builds) - place)
            trials += try_settings(variants, self._truth, transform=self._transforms.of(variants[0]))
            self._built += 1
        return trials

    def again(self, trials: Sequence[Trial]) -> list[Trial]:
        """Search settings of one build as their collection will be searched."""
        if self._progress is not None:
            self._progress(f"{trials[0].setting} with its graph", self._built, self._built + 1)
        self._built += 1
        transform = self._transforms.of(Compression.parse(trials[0].setting))
        return with_graph(trials, self._truth, transform=transform)


def _checked(
    constraints: Constraints, trials: Sequence[Trial], again: Callable[[Sequence[Trial]], list[Trial]]
) -> list[Trial]:
    """Return the cheapest settings as they answer with a graph, until one is good enough."""
    builds: dict[Compression, list[Trial]] = {}
    for trial in constraints.in_order(trials):
        builds.setdefault(build_key(Compression.parse(trial.setting)), []).append(trial)
    checked: list[Trial] = []
    for variants in list(builds.values())[:MOST_CHECKED]:
        # In the order of how much they rescore, as they are measured.
        checked += again(sorted(variants, key=lambda trial: Compression.parse(trial.setting).rescore or 0))
        if any(map(constraints.met_by, checked)):
            break
    return checked


@dataclass(frozen=True, slots=True)
class _StoredVectors:
    """Points: all their vectors, how many each has, and its title, text and source."""

    vectors: FloatArray
    counts: list[int]
    texts: list[tuple[str, str]]
    sources: list[str]


def _read(engine: Engine, name: str, parts: CollectionParts, most: int) -> _StoredVectors:
    vectors: list[FloatArray] = []
    counts: list[int] = []
    texts: list[tuple[str, str]] = []
    sources: list[str] = []
    for records, rows, each in vector_pages(engine, name, parts.codec, fields=["title", "text", "source"], most=most):
        vectors.append(parts.codec.raw(rows))
        counts += each
        payloads = [record.payload or {} for record in records]
        texts += [(str(fields.get("title", "")), str(fields["text"])) for fields in payloads]
        sources += [str(fields["source"]) for fields in payloads]
    if len(texts) < FEWEST:
        raise ConfigurationError(
            f"collection {name!r} holds {counted(len(texts), 'chunk')}; fewer than {FEWEST} tell nothing about "
            "compression, and need none."
        )
    kept = max(FEWEST, int(np.searchsorted(np.cumsum(counts), most, side="right")))
    counts = counts[:kept]
    return _StoredVectors(np.concatenate(vectors)[: sum(counts)], counts, texts[:kept], sources[:kept])
