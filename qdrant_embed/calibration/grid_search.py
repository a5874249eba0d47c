"""The walk through a grid: what is measured decides what is worth measuring next.

The whole product would take hours. A code's loss hardly depends on the format that is stored under it, queries with
more bits and rotations cost no bytes, and fewer dimensions answer worse than more; so each is tried where the stage
before found something that it could make better.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from qdrant_embed.calibration.grid import Grid, build_key
from qdrant_embed.calibration.selection import Constraints
from qdrant_embed.calibration.trial import Trial
from qdrant_embed.compression import Compression

Measure = Callable[[Sequence[Compression]], list[Trial]]
"""Tries settings, those with a code with every oversampling."""

REFINED, KEPT = 2, 2
"""Codes of which a stage tries more: those that are given other queries and rotations, and those that won so far."""


def search_grid(grid: Grid, constraints: Constraints, measure: Measure) -> list[Trial]:
    """Return all that was tried, stage by stage."""
    found = measure(grid.formats())
    signs = measure(grid.signs())
    found += signs
    for setting in _builds(_best(signs))[:1]:
        found += measure(grid.with_whole_vectors(setting))
    compressed = measure(grid.codes())
    for setting in _promising(grid, compressed, constraints):
        compressed += _refined(grid, setting, compressed, measure)
    if not any(constraints.met_by(trial) and trial.ram <= grid.product_bytes for trial in compressed):
        compressed += measure(grid.products())
    found += compressed
    for setting in _winners(compressed, constraints):
        found += measure(grid.stored_under(setting))
    for dim in grid.cuts():
        coded = [trial for trial in found if Compression.parse(trial.setting).code]
        fewer = measure(grid.cut(dim, _winners(coded, constraints)[:1]))
        found += fewer
        # What too few dimensions lose, still fewer do not find again.
        if not any(constraints.met_by(trial) for trial in fewer):
            break
    return found


def _refined(grid: Grid, code: Compression, compressed: Sequence[Trial], measure: Measure) -> list[Trial]:
    """Give a code's queries more bits, then rotate what answers best."""
    asked = measure(grid.asked(code))
    ours = [trial for trial in compressed if build_key(Compression.parse(trial.setting)) == code]
    best = _builds(_best([*ours, *asked]))[:1]
    return [*asked, *(trial for setting in best for trial in measure(grid.rotated(setting)))]


def _promising(grid: Grid, compressed: Sequence[Trial], constraints: Constraints) -> list[Compression]:
    """Return the codes that are no larger than the smallest that is good enough: only those are worth more trials."""
    reached = constraints.in_order(compressed)
    enough = reached[0].ram if reached else float("inf")
    small = _builds(_best([trial for trial in compressed if trial.ram <= enough]))
    return [code for code in small if grid.asked(code) or grid.rotated(code)][:REFINED]


def _winners(compressed: Sequence[Trial], constraints: Constraints) -> list[Compression]:
    """Return the codes to take so far; those that come nearest where none is good enough."""
    return _builds(constraints.in_order(compressed) or _best(compressed))[:KEPT]


def _best(trials: Sequence[Trial]) -> list[Trial]:
    return sorted(trials, key=lambda trial: (-trial.recall, trial.ram))


def _builds(trials: Sequence[Trial]) -> list[Compression]:
    """Return what trials were built as, each once, in their order."""
    return list(dict.fromkeys(build_key(Compression.parse(trial.setting)) for trial in trials))
