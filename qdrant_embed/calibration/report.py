"""What a calibration found: every setting tried, the front of those that nothing beats, and the one to take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from qdrant_embed.calibration.choosing import Wish, front
from qdrant_embed.calibration.measuring import Trial
from qdrant_embed.types import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """A calibration's result; shown as a table in a notebook, written to files by `save`.

    :param vectors: Number of vectors searched.
    :param wish: What the chosen setting must reach.
    :param trials: Every setting, without a graph.
    :param checked: The cheapest of them as a collection answers that has its graph, until one met the wish.
    :param ndcg: nDCG@k of a setting by its name, where judgements were given.
    """

    collection: str
    vectors: int
    dim: int
    questions: int
    k: int
    wish: Wish
    trials: tuple[Trial, ...]
    checked: tuple[Trial, ...]
    ndcg: dict[str, float]

    @property
    def chosen(self) -> Trial | None:
        """The cheapest setting that meets the wish with its graph; see `Wish.in_order`."""
        return next(iter(self.wish.in_order(self.checked)), None)

    @property
    def front(self) -> tuple[Trial, ...]:
        """The settings that no other beats in memory, disk and recall together, cheapest first."""
        return front(self.trials)

    @property
    def resident(self) -> bool:
        """Whether memory was counted by what was resident; where the system does not tell, by the sizes of files."""
        return all(trial.resident for trial in self.trials)

    def as_dict(self) -> dict[str, Json]:
        """Return everything as JSON-ready values."""
        return {
            "collection": self.collection,
            "vectors": self.vectors,
            "dim": self.dim,
            "questions": self.questions,
            "k": self.k,
            "held": str(self.wish.held),
            "target_recall": self.wish.target,
            "max_bytes_per_vector": self.wish.ram,
            "max_disk_bytes_per_vector": self.wish.disk,
            "chosen": None if self.chosen is None else self.chosen.setting,
            "front": [trial.setting for trial in self.front],
            "ndcg": {name: round(value, 4) for name, value in self.ndcg.items()},
            "trials": [trial.as_dict() for trial in self.trials],
            "with_graph": [trial.as_dict() for trial in self.checked],
        }

    def rows(self) -> Sequence[tuple[str, ...]]:
        """Return a heading and one row for each setting, those on the front marked, as texts."""
        front, ram = set(self.front), "RAM B" if self.resident else "RAM B (file sizes)"
        heading = ("setting", f"recall@{self.k}", "95 %", ram, "disk B", "p50 ms", "p95 ms")
        extra = (f"nDCG@{self.k}",) if self.ndcg else ()
        rows = [(*heading, "build s", *extra, "")]
        for trial in sorted(self.trials, key=lambda one: (one.ram, one.disk, -one.recall)):
            judged = (f"{self.ndcg[trial.setting]:.4f}" if trial.setting in self.ndcg else "",) if self.ndcg else ()
            rows.append((*_cells(trial), *judged, "front" if trial in front else ""))
        for trial in self.checked:
            mark = "chosen" if trial is self.chosen else "with its graph"
            rows.append((*_cells(trial), *("" for _ in extra), mark))
        return rows

    def verdict(self) -> str:
        """Return the choice in one sentence."""
        if self.chosen is None:
            best = max(self.checked or self.trials, key=lambda trial: trial.low)
            graph = ", searched through its graph" if self.checked else ""
            return (
                f"no setting surely reaches recall@{self.k} {self.wish.target} within the bytes allowed{graph}; the "
                f"best was {_told(best)}. Allow more bytes, ask for less, or give more questions, which narrow the "
                "interval."
            )
        return (
            f"the cheapest setting with recall@{self.k} of at least {self.wish.target}, searched through its graph, is "
            f"{_told(self.chosen)}."
        )

    def save(self, folder: str | Path) -> list[Path]:
        """Write `calibration.json`, `.png` and `.html` (one page, nothing loaded from elsewhere); return the files.

        :raises MissingExtraError: matplotlib is not installed.
        """
        from qdrant_embed.calibration.drawing import save

        return save(self, Path(folder))

    def __str__(self) -> str:
        return self.verdict()

    def _repr_html_(self) -> str:
        from qdrant_embed.calibration.drawing import table

        return f"<p>{self.verdict()}</p>{table(self)}"


def _cells(trial: Trial) -> tuple[str, ...]:
    return (
        trial.setting, f"{trial.recall:.3f}", f"{trial.low:.3f}–{trial.high:.3f}", f"{trial.ram:.0f}",
        f"{trial.disk:.0f}", f"{trial.p50:.2f}", f"{trial.p95:.2f}", f"{trial.build:.1f}",
    )  # fmt: skip


def _told(trial: Trial) -> str:
    return (
        f"{trial.setting!r}: {trial.recall:.3f} ({trial.low:.3f}–{trial.high:.3f}), {trial.ram:.0f} bytes of a vector "
        f"in memory and {trial.disk:.0f} on disk, p95 {trial.p95:.2f} ms"
    )
