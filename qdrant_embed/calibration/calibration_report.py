"""What a calibration found: every setting tried, the front of those that nothing beats, and the one to take."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qdrant_embed.calibration.selection import Constraints, pareto_front
from qdrant_embed.calibration.trial import Trial
from qdrant_embed.display import as_html
from qdrant_embed.evaluation.report_drawing import (
    figures,
    inline_figure,
    report_page,
    report_table,
    save_figure,
    terminal_table,
)
from qdrant_embed.types import Json

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """A calibration's result; shown as a table in a notebook, written to files by `save`.

    :param vectors: Number of vectors searched.
    :param constraints: What the chosen setting must reach.
    :param trials: Every setting, without a graph.
    :param checked: The cheapest of them as a collection answers that has its graph, until one met the constraints.
    :param ndcg: nDCG@k of a setting by its name, where judgments were given.
    """

    collection: str
    vectors: int
    dim: int
    questions: int
    k: int
    constraints: Constraints
    trials: tuple[Trial, ...]
    checked: tuple[Trial, ...]
    ndcg: dict[str, float]

    @property
    def chosen(self) -> Trial | None:
        """The cheapest setting that meets the constraints with its graph; see `Constraints.in_order`."""
        return next(iter(self.constraints.in_order(self.checked)), None)

    @property
    def pareto_front(self) -> tuple[Trial, ...]:
        """The settings that no other beats in memory, disk and recall together, cheapest first."""
        return pareto_front(self.trials)

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
            "held": str(self.constraints.held),
            "target_recall": self.constraints.target,
            "max_bytes_per_vector": self.constraints.ram,
            "max_disk_bytes_per_vector": self.constraints.disk,
            "chosen": None if self.chosen is None else self.chosen.setting,
            "front": [trial.setting for trial in self.pareto_front],
            "ndcg": {name: round(value, 4) for name, value in self.ndcg.items()},
            "trials": [trial.as_dict() for trial in self.trials],
            "with_graph": [trial.as_dict() for trial in self.checked],
        }

    def rows(self) -> Sequence[tuple[str, ...]]:
        """Return a heading and one row for each setting, those on the front marked, as texts."""
        pareto_front, ram = set(self.pareto_front), "RAM B" if self.resident else "RAM B (file sizes)"
        heading = ("setting", f"recall@{self.k}", "95 %", ram, "disk B", "p50 ms", "p95 ms")
        extra = (f"nDCG@{self.k}",) if self.ndcg else ()
        rows = [(*heading, "build s", *extra, "")]
        for trial in sorted(self.trials, key=lambda one: (one.ram, one.disk, -one.recall)):
            judged = (f"{self.ndcg[trial.setting]:.4f}" if trial.setting in self.ndcg else "",) if self.ndcg else ()
            rows.append((*_cells(trial), *judged, "front" if trial in pareto_front else ""))
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
                f"no setting surely reaches recall@{self.k} {self.constraints.target} within the bytes allowed{graph}; "
                f"the best was {_told(best)}. Allow more bytes, ask for less, or give more questions, which narrow the "
                "interval."
            )
        return (
            f"the cheapest setting with recall@{self.k} of at least {self.constraints.target}, searched through its "
            f"graph, is {_told(self.chosen)}."
        )

    def save(self, folder: str | Path) -> list[Path]:
        """Write `calibration.json`, `.png` and `.html` (one page, nothing loaded from elsewhere); return the files.

        :raises MissingExtraError: matplotlib is not installed.
        """
        return save(self, Path(folder))

    def __str__(self) -> str:
        return self.verdict()

    def table(self) -> str:
        """Return the settings as an HTML table."""
        rows = self.rows()
        return report_table(rows, ["chosen" if row[-1] == "chosen" else row[-1][:5] for row in rows[1:]])

    def _repr_html_(self) -> str:
        return f"<p>{as_html(self.verdict())}</p>{self.table()}"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.text import Text

        rows = self.rows()
        yield terminal_table(rows, [place for place, row in enumerate(rows[1:]) if row[-1]])
        yield Text(self.verdict())


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


def save(found: Calibration, folder: Path) -> list[Path]:
    """Write JSON, PNG and HTML into a folder and return the files.

    :raises MissingExtraError: matplotlib is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"calibration.{ending}" for ending in ("json", "png", "html")]
    paths[0].write_text(json.dumps(found.as_dict(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    figure = draw(found)
    save_figure(figure, paths[1])
    memory = "in memory while searching" if found.resident else "in the files searched, as this system tells no memory"
    about = (
        f"{found.vectors:,} vectors of {found.dim} dimensions, {found.questions} questions, k = {found.k}; recall "
        f"against exact float32 search, interval by bootstrap over questions. Bytes are of one vector: {memory} (graph "
        "and payload not counted) and on disk. Latency is that of one query, all codes compared; the last rows are "
        "searched through a graph, as the collection will be."
    )
    body = [f"<p>{as_html(found.verdict())}</p><p>{as_html(about)}</p>", inline_figure(figure), found.table()]
    paths[2].write_text(report_page(f"Compression of {found.collection}", body), encoding="utf-8")
    return paths


def draw(found: Calibration) -> Any:
    """Return a figure of recall over bytes in memory, every setting with its interval, the front named.

    :raises MissingExtraError: matplotlib is not installed.
    """
    figure = figures("a plot of the calibration").Figure(figsize=(10, 6), layout="constrained")
    axes = figure.subplots()
    for trial in found.trials:
        spread = [[max(0.0, trial.recall - trial.low)], [max(0.0, trial.high - trial.recall)]]
        axes.errorbar([trial.ram], [trial.recall], yerr=spread, fmt="o", color="0.75", markersize=3, linewidth=0.8)
    pareto_front = found.pareto_front
    # No line: what stands below another in memory and recall is there because it takes less of the disk.
    named = "nothing beats these in memory, disk and recall"
    axes.plot([t.ram for t in pareto_front], [t.recall for t in pareto_front], "o", color="tab:blue", label=named)
    for trial in pareto_front:
        axes.annotate(
            trial.setting, (trial.ram, trial.recall), (4, -10), textcoords="offset points", fontsize=7, rotation=-15
        )
    if found.chosen is not None:
        axes.plot([found.chosen.ram], [found.chosen.recall], "*", color="tab:green", markersize=16, label="chosen")
    target = found.constraints.target
    axes.axhline(target, color="tab:red", linestyle="--", linewidth=0.8, label=f"target {target}")
    axes.set(xscale="log", xlabel="bytes of a vector in memory (log)", ylabel=f"recall@{found.k}")
    axes.legend(loc="lower right")
    axes.grid(visible=True, alpha=0.3)
    return figure
