"""Which settings can be tried on a collection, by which transforms, and the trials: each build once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from qdrant_embed.calibration.grid import Grid, build_key, oversampled
from qdrant_embed.calibration.trial import Trial, try_settings, with_graph
from qdrant_embed.collection_parts import CollectionParts
from qdrant_embed.compression import Compression, Transform, VectorCodec
from qdrant_embed.compression.transitions import learned_code
from qdrant_embed.evaluation.exact_search import ExactAnswers

Progress = Callable[[str, int, int], None]
"""Called before each build with the setting, how many are done and how many are known of so far."""


def grid_of(parts: CollectionParts) -> Grid:
    """Return what can be tried on a collection."""
    preset = parts.embedder.preset
    return Grid(
        engine=parts.points,
        held=parts.codec.compression,
        model=preset.name,
        full=preset.dim,
        dim=parts.embedder.dim,
        trained=preset.dims,
        compare_by=parts.embedder.distance,
    )


def possible_settings(parts: CollectionParts, named: Sequence[str], transforms: Transforms) -> list[Compression]:
    """Return compressions that were named, each checked to be one that the collection can be changed to.

    :raises UnsupportedByEngineError: The engine does not have it.
    :raises ConfigurationError: One is not, or is a learned code that nobody trained.
    """
    grid, settings = grid_of(parts), [Compression.parse(text) for text in named]
    for setting in settings:
        grid.require(setting)
        transforms.of(setting)
    return settings


@dataclass(frozen=True, slots=True)
class Transforms:
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


class TrialRunner:
    """Tries settings in the real engine, each once; those that differ in rescoring only are built together."""

    def __init__(self, truth: ExactAnswers, transforms: Transforms, progress: Progress | None) -> None:
        self._truth = truth
        self._transforms = transforms
        self._progress = progress
        self._tried: set[Compression] = set()
        self._built = 0

    def __call__(self, settings: Sequence[Compression]) -> list[Trial]:
        """Try settings, those with a code with every oversampling."""
        builds: dict[Compression, list[Compression]] = {}
        for setting in (other for given in settings for other in oversampled(given)):
            if setting not in self._tried:
                self._tried.add(setting)
                builds.setdefault(build_key(setting), []).append(setting)
        trials: list[Trial] = []
        for place, variants in enumerate(builds.values()):
            self._tell(str(variants[0]), len(builds) - place)
            trials += try_settings(variants, self._truth, transform=self._transforms.of(variants[0]))
        return trials

    def one(self, setting: Compression) -> Trial:
        """Try one setting as it is."""
        self._tell(str(setting), 1)
        (trial,) = try_settings([setting], self._truth, transform=self._transforms.of(setting))
        return trial

    def again(self, trials: Sequence[Trial]) -> list[Trial]:
        """Search settings of one build as their collection will be searched."""
        self._tell(f"{trials[0].setting} with its graph", 1)
        transform = self._transforms.of(Compression.parse(trials[0].setting))
        return with_graph(trials, self._truth, transform=transform)

    def _tell(self, setting: str, left: int) -> None:
        if self._progress is not None:
            self._progress(setting, self._built, self._built + left)
        self._built += 1
