"""Calibration: questions, exact answers, the grid in the real engine, the choice."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from qdrant_embed.calibration.calibration_report import Calibration
from qdrant_embed.calibration.collection_sample import sample_vectors
from qdrant_embed.calibration.grid import build_key
from qdrant_embed.calibration.grid_search import search_grid
from qdrant_embed.calibration.selection import Constraints
from qdrant_embed.calibration.trial import Trial
from qdrant_embed.calibration.trial_runner import Progress, Transforms, TrialRunner, grid_of, possible_settings
from qdrant_embed.collection_parts import CollectionParts
from qdrant_embed.compression import Compression, Transform
from qdrant_embed.errors import ConfigurationError, require_type
from qdrant_embed.evaluation.drawn_questions import DRAWN, draw_questions
from qdrant_embed.evaluation.exact_search import exact_search
from qdrant_embed.evaluation.metrics import ndcg
from qdrant_embed.evaluation.questions import Question

MOST_VECTORS = 100_000
MOST_CHECKED = 5
"""Builds with a graph, which takes a minute for 50 000 vectors; what it costs five settings it costs others too."""


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
    parts: CollectionParts, questions: Sequence[str | Question] | None, options: CalibrateOptions
) -> Calibration:
    """Measure how a collection may be compressed; changes nothing.

    Everything is measured in the embedded engine, in a temporary folder, whatever the collection itself lives in: it is
    the same engine, and a server does not tell the bytes of one vector. What that location cannot store is not tried.

    :raises UnsupportedByEngineError: A setting that was asked for cannot be stored where the collection lives.
    :raises ConfigurationError: The collection holds too little, or does not hold the numbers any more, for all or for
        a setting that was asked for.
    """
    require_type("options", options, CalibrateOptions, "CalibrateOptions(…)")
    require_type("questions", questions or [], (list, tuple), "a list of questions")
    grid = grid_of(parts)
    transforms = Transforms(parts.codec.vector_codec, options.trained)
    named = possible_settings(parts, options.settings, transforms)
    stored = sample_vectors(parts.points, parts.name, parts.codec, options.most_vectors)
    drawn = [] if questions else draw_questions(stored.texts, DRAWN, options.seed)
    asked, judged = _asked(questions or [question.text for question in drawn])
    queries = parts.embedder.embed_queries(asked)
    normalize = parts.embedder.preset.normalize
    truth = exact_search(stored.vectors, queries, options.k, grid.compare_by, counts=stored.counts, normalize=normalize)
    constraints = Constraints(
        held=grid.held,
        target=options.target_recall,
        ram=options.max_bytes_per_vector,
        disk=options.max_disk_bytes_per_vector,
    )
    measure = TrialRunner(truth, transforms, options.progress)
    trials = measure(named) if named else search_grid(grid, constraints, measure)
    checked = _checked(constraints, trials, measure.again)
    return Calibration(
        collection=parts.name,
        vectors=len(stored.vectors),
        dim=stored.vectors.shape[1],
        questions=len(asked),
        k=truth.places.shape[1],
        constraints=constraints,
        trials=tuple(trials),
        checked=tuple(checked),
        ndcg=_gains(trials, [text.source for text in stored.texts], judged, options.k) if judged else {},
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
