"""Which of the settings that were measured is the one to take, and which are beaten by none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from qdrant_embed.calibration.trial import Trial
from qdrant_embed.compression import Compression

BYTES_ALIKE, SPEED_ALIKE = 1.05, 1.25
"""Bytes and milliseconds within this factor count as the same: what separates them is pages half full, and chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraints:
    """What the setting must reach.

    :param held: The collection's compression now.
    :param target: Recall@k, by the lower end of its interval: of a hundred settings the luckiest mean is too good.
    :param ram: Bytes of a vector in memory that it may take; None for any number; `disk` likewise.
    """

    held: Compression
    target: float
    ram: float | None = None
    disk: float | None = None

    def met_by(self, trial: Trial) -> bool:
        """Whether a setting is good enough and small enough."""
        small = (self.ram is None or trial.ram <= self.ram) and (self.disk is None or trial.disk <= self.disk)
        return small and trial.low >= self.target

    def in_order(self, trials: Sequence[Trial]) -> list[Trial]:
        """Return the settings that meet the constraints, the one to take first.

        Fewest bytes in memory, then on disk; of equals first those that the collection can be switched to in place,
        then the simplest, then the fastest, then those that rescore least.
        """
        fit = [trial for trial in trials if self.met_by(trial)]
        rams, disks = (_ranks([getattr(t, name) for t in fit], BYTES_ALIKE) for name in ("ram", "disk"))
        speeds = _ranks([trial.p95 for trial in fit], SPEED_ALIKE)

        def cost(trial: Trial) -> tuple[float, ...]:
            setting = Compression.parse(trial.setting)
            copied, parts = setting.points != self.held.points, len(trial.setting.split("+"))
            simple = parts - (setting.rescore is not None)
            return (rams[trial.ram], disks[trial.disk], copied, simple, speeds[trial.p95], setting.rescore or 0)

        return sorted(fit, key=cost)


def pareto_front(trials: Sequence[Trial]) -> tuple[Trial, ...]:
    """Return the settings than which no other is better in one of memory, disk and recall and as good in the others."""
    rams, disks = (_ranks([getattr(t, name) for t in trials], BYTES_ALIKE) for name in ("ram", "disk"))

    def standing(trial: Trial) -> tuple[float, float, float]:
        return rams[trial.ram], disks[trial.disk], -round(trial.recall, 3)

    placed = [(standing(trial), trial) for trial in trials]
    best: dict[tuple[float, float, float], Trial] = {}
    for place, trial in sorted(placed, key=lambda one: (one[0], len(one[1].setting), one[1].setting)):
        if not any(all(a <= b for a, b in zip(other, place, strict=True)) for other in best):
            best[place] = trial
    return tuple(best.values())


def _ranks(values: Iterable[float], alike: float) -> dict[float, int]:
    """Return each value's rank; those within a factor of the least of their rank share it."""
    ranks: dict[float, int] = {}
    least, rank = 0.0, -1
    for value in sorted(set(values)):
        if rank < 0 or value > least * alike:
            least, rank = value, rank + 1
        ranks[value] = rank
    return ranks
