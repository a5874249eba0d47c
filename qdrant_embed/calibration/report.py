"""What a calibration found: every setting tried, the front of those that nothing beats, and the one to take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from qdrant_embed.calibration.measuring import Trial
from qdrant_embed.types import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """A calibration's result; shown as a table in a notebook, written to files by `save`.

    :param vectors: Number of vectors searched.
    :param target: Recall@k that the chosen setting must reach.
    :param most_bytes: Bytes of a vector in memory that it may take; None for any number.
    :param ndcg: nDCG@k of a setting by its name, where judgements were given.
    """

    collection: str
    vectors: int
    dim: int
    questions: int
    k: int
    target: float
    most_bytes: float | None
    trials: tuple[Trial, ...]
    ndcg: dict[str, float]

    @property
    def chosen(self) -> Trial | None:
        """The cheapest setting that reaches the target: fewest bytes in memory, then on disk, then fastest at p95."""
        fit = [
            trial
            for trial in self.trials
            if trial.recall >= self.target and (self.most_bytes is None or trial.ram <= self.most_bytes)
        ]
        return min(fit, key=lambda trial: (round(trial.ram), round(trial.disk), trial.p95), default=None)

    @property
    def front(self) -> tuple[Trial, ...]:
        """The settings than which no other has both more recall and fewer bytes in memory, cheapest first."""
        best: list[Trial] = []
        for trial in sorted(self.trials, key=lambda one: (round(one.ram), -one.recall, one.p95)):
            if not best or trial.recall > best[-1].recall:
                best.append(trial)
        return tuple(best)

    def as_dict(self) -> dict[str, Json]:
        """Return everything as JSON-ready values."""
        return {
            "collection": self.collection,
            "vectors": self.vectors,
            "dim": self.dim,
            "questions": self.questions,
            "k": self.k,
            "target_recall": self.target,
            "max_bytes_per_vector": self.most_bytes,
            "chosen": None if self.chosen is None else self.chosen.setting,
            "front": [trial.setting for trial in self.front],
            "ndcg": {name: round(value, 4) for name, value in self.ndcg.items()},
            "trials": [trial.as_dict() for trial in self.trials],
        }

    def rows(self) -> Sequence[tuple[str, ...]]:
        """Return a heading and one row for each setting, those on the front marked, as texts."""
        front, heading = set(self.front), ("setting", f"recall@{self.k}", "95 %", "RAM B", "disk B", "p50 ms", "p95 ms")
        extra = (f"nDCG@{self.k}",) if self.ndcg else ()
        rows = [(*heading, "build s", *extra, "")]
        for trial in sorted(self.trials, key=lambda one: (one.ram, one.disk, -one.recall)):
            mark = "chosen" if trial is self.chosen else "front" if trial in front else ""
            judged = (f"{self.ndcg[trial.setting]:.4f}" if trial.setting in self.ndcg else "",) if self.ndcg else ()
            rows.append(
                (
                    trial.setting, f"{trial.recall:.3f}", f"{trial.low:.3f}–{trial.high:.3f}", f"{trial.ram:.0f}",
                    f"{trial.disk:.0f}", f"{trial.p50:.2f}", f"{trial.p95:.2f}", f"{trial.build:.1f}", *judged, mark,
                )
            )  # fmt: skip
        return rows

    def verdict(self) -> str:
        """Return the choice in one sentence."""
        if self.chosen is None:
            best = max(self.trials, key=lambda trial: trial.recall)
            return (
                f"no setting reaches recall@{self.k} {self.target} within the bytes allowed; the best was "
                f"{best.setting!r} with {best.recall:.3f} at {best.ram:.0f} bytes. Allow more bytes or ask for less."
            )
        return (
            f"the cheapest setting with recall@{self.k} of at least {self.target} is {self.chosen.setting!r}: "
            f"{self.chosen.recall:.3f} ({self.chosen.low:.3f}–{self.chosen.high:.3f}), {self.chosen.ram:.0f} bytes of "
            f"a vector in memory and {self.chosen.disk:.0f} on disk, p95 {self.chosen.p95:.2f} ms."
        )

    def save(self, folder: str | Path) -> list[Path]:
        """Write `calibration.json`, `.png` and `.html` (one page, nothing loaded from elsewhere); return the files.

        :raises MissingExtraError: matplotlib is not installed.
        """
        from qdrant_embed.calibration.drawing import save

        return save(self, Path(folder))

    def _repr_html_(self) -> str:
        from qdrant_embed.calibration.drawing import table

        return f"<p>{self.verdict()}</p>{table(self)}"
