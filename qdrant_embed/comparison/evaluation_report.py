"""What an evaluation found: every setting with its intervals, how they differ, which to take, and what all missed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qdrant_embed.comparison.setting_scores import SURE, Comparison, SettingScores, compare
from qdrant_embed.display import aligned, as_html, counted, one_line
from qdrant_embed.evaluation.questions import Question
from qdrant_embed.evaluation.report_drawing import (
    figures,
    inline_figure,
    report_page,
    report_table,
    save_figure,
    terminal_table,
)
from qdrant_embed.retrieval.frames import frame_of
from qdrant_embed.types import BM25, Json

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console, ConsoleOptions, RenderResult

VERBATIM = ("words", "sentence")
"""Kinds of questions that stand in what answers them word for word: reported, and in no mean if there are others."""
LOSS = 0.02
"""nDCG that a compression may cost, by the lower end of the difference's interval."""
PRINTED = 5
"""Questions nothing answered that a terminal shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """A question that no setting answered.

    :param expected: Where an answer stands, and `expected_text` what it says there.
    :param found: Where what came first stands, and `found_text` what it says there; of the setting to take.
    """

    question: str
    kind: str
    expected: str
    expected_text: str
    found: str
    found_text: str


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What `Collection.evaluate` returns; draws itself as a table in notebooks and terminals.

    :param settings: How each setting answered: first what searches do without being told, last the compressions.
    :param missed: The questions that no setting answered, which are those to look at.
    :param unknown: Judged documents that the collection does not hold; they count as not found.
    """

    collection: str
    k: int
    questions: tuple[Question, ...]
    settings: tuple[SettingScores, ...]
    missed: tuple[Missed, ...]
    unknown: tuple[str, ...] = ()

    @cached_property
    def kinds(self) -> dict[str, list[int]]:
        """The places of each kind's questions, those that are not counted last."""
        kinds = sorted({question.kind for question in self.questions}, key=lambda kind: (kind in VERBATIM, kind))
        return {kind: [n for n, question in enumerate(self.questions) if question.kind == kind] for kind in kinds}

    @cached_property
    def counted(self) -> list[int]:
        """The places of the questions over which means are taken."""
        fair = [place for kind, places in self.kinds.items() if kind not in VERBATIM for place in places]
        return sorted(fair) or list(range(len(self.questions)))

    @cached_property
    def comparisons(self) -> list[Comparison]:
        """Each setting beside the first one, each compression beside the search by the vectors as they are stored."""
        searches, compressions = self._searches, self.settings[len(self._searches) :]
        dense = next((one for one in searches if one.setting == "dense"), searches[0])
        pairs = [(one, searches[0]) for one in searches[1:]] + [(one, dense) for one in compressions]
        return compare(pairs, self.counted)

    @property
    def chosen(self) -> SettingScores:
        """The search to take: the best one that is shown to be better than the first, else the first.

        Drawn questions use the words of the texts; they do not show that a search by words alone is better.
        """
        better = {found.setting for found in self.comparisons if found.sure and found.difference.mean > 0}
        fair = [one for one in self._searches if one.setting in better and not self._flattered(one)]
        return self._best(fair or self._searches[:1])

    def _flattered(self, one: SettingScores) -> bool:
        return one.setting.partition("+")[0] == BM25 and any(question.kind != "given" for question in self.questions)

    @property
    def _searches(self) -> tuple[SettingScores, ...]:
        return tuple(one for one in self.settings if one.ram is None)

    def _best(self, settings: Sequence[SettingScores]) -> SettingScores:
        return max(settings, key=lambda one: one.values("ndcg", self.counted).mean())

    def verdict(self) -> str:
        """Return which setting to take, and why, in a sentence or two."""
        first, best, chosen = self._searches[0], self._best(self._searches), self.chosen
        against = {found.setting: found for found in self.comparisons}
        alike = [repr(one.setting) for one in self._searches[1:] if not against[one.setting].sure]
        said = f"take {chosen.setting!r}: nDCG@{self.k} {chosen.estimate('ndcg', self.counted)} on "
        said += counted(len(self.counted), "question")
        if chosen is not first:
            said += f", {against[chosen.setting]} to {first.setting!r}"
        elif best is not first:
            why = "drawn questions use the texts' own words, which favors it" if against[best.setting].sure else ""
            said += f"; {best.setting!r} has {against[best.setting]}: {why or 'no difference shown'}"
        elif len(self._searches) > 1:
            shown = f"the highest, though no difference is shown to {' and '.join(alike)}"
            said += f", {shown if alike else 'better than all others'}"
        return f"{said}.{self._said_of_compressions(against)}"

    def _said_of_compressions(self, against: dict[str, Comparison]) -> str:
        tried = sorted(self.settings[len(self._searches) :], key=lambda one: one.ram or 0)
        good = [one for one in tried if against[one.setting].difference.low >= -LOSS]
        if not good:
            return f" No compression surely loses less than {LOSS} of nDCG@{self.k}." * bool(tried)
        return (
            f" Of the compressions {good[0].setting.partition(':')[2]!r} is the smallest ({good[0].ram:.0f} bytes of a "
            f"vector in memory) that surely loses less than {LOSS} of nDCG@{self.k}."
        )

    def about(self) -> str:
        """Return what was measured, in words."""
        kinds = [f"{len(places)} {kind}" for kind, places in self.kinds.items()]
        said = (
            f"{counted(len(self.questions), 'question')} ({', '.join(kinds)}); means with 95 % intervals by bootstrap; "
            f"differences of nDCG to {self._searches[0].setting!r} (of compressions to 'dense') by a paired "
            f"randomization test with Holm's correction: where p is {SURE} or more, no difference is shown."
        )
        if len(self.counted) < len(self.questions):
            said += (
                f" The kinds {' and '.join(VERBATIM)} are in no mean: they stand word for word in what answers them."
            )
        if self.unknown:
            said += f" Not in the collection: {counted(len(self.unknown), 'judged document')}, such as "
            said += f"{self.unknown[0]!r}; they count as not found."
        return said

    def rows(self) -> Sequence[tuple[str, ...]]:
        """Return a heading and one row for each setting, as texts."""
        against = {found.setting: (f"{found.difference.mean:+.3f}", found.told_p) for found in self.comparisons}
        sized = len(self._searches) < len(self.settings)
        heading = ("setting", *(f"{name}@{self.k}" for name in ("recall", "nDCG", "MRR")), "change", "p", "ms")
        rows = [(*heading, *(("RAM B",) * sized))]
        for one in self.settings:
            means = [str(one.estimate(metric, self.counted)) for metric in ("recall", "ndcg", "mrr")]
            size = ("" if one.ram is None else f"{one.ram:.0f}",) * sized
            time = "" if one.ms is None else f"{one.ms:.1f}"
            rows.append((one.setting, *means, *against.get(one.setting, ("", "")), time, *size))
        return rows

    def kind_rows(self) -> Sequence[tuple[str, ...]]:
        """Return a heading and one row for each setting: its mean nDCG for each kind of question; none for one kind."""
        kinds = self.kinds
        if len(kinds) == 1:
            return []
        heading = (f"nDCG@{self.k}", *(f"{kind} ({len(places)})" for kind, places in kinds.items()))
        means = [[f"{one.values('ndcg', places).mean():.3f}" for places in kinds.values()] for one in self.settings]
        return [heading, *((one.setting, *row) for one, row in zip(self.settings, means, strict=True))]

    def as_dict(self) -> dict[str, Json]:
        """Return everything as JSON-ready values."""
        ranks = {one.setting: one.ranks for one in self.settings}
        return {
            "collection": self.collection,
            "k": self.k,
            "kinds": {kind: len(places) for kind, places in self.kinds.items()},
            "counted": len(self.counted),
            "chosen": self.chosen.setting,
            "verdict": self.verdict(),
            "settings": [one.as_dict(self.counted) for one in self.settings],
            "comparisons": [found.as_dict() for found in self.comparisons],
            "missed": [asdict(one) for one in self.missed],
            "unknown": list(self.unknown),
            "questions": [
                {"text": one.text, "kind": one.kind, "ranks": {name: row[place] or None for name, row in ranks.items()}}
                for place, one in enumerate(self.questions)
            ],
        }

    def to_pandas(self) -> pd.DataFrame:
        """Return a data frame with a row for each question and setting.

        :raises MissingExtraError: pandas is not installed.
        """
        rows = [
            {"question": asked.text, "kind": asked.kind, "setting": one.setting, "recall": one.recall[place],
             "ndcg": one.ndcg[place], "rank": one.ranks[place], "first": one.first[place]}
            for place, asked in enumerate(self.questions)
            for one in self.settings
        ]  # fmt: skip
        return frame_of(rows, ("question", "kind", "setting", "recall", "ndcg", "rank", "first"))

    def plot(self, path: str | Path) -> Path:
        """Draw every setting with its intervals into a file (`.png`, `.svg`, `.pdf`); return its path.

        :raises MissingExtraError: matplotlib is not installed.
        """
        return save_figure(_figure(self), path)

    def page(self, path: str | Path) -> Path:
        """Write one HTML page that loads nothing from elsewhere: figure, tables, questions missed; return its path.

        :raises MissingExtraError: matplotlib is not installed.
        """
        said = f"<p>{as_html(self.verdict())}</p>"
        body = [said, f"<p>{as_html(self.about())}</p>", inline_figure(_figure(self)), *self._tables()]
        body += ["<h2>Questions that nothing answered</h2>" if self.missed else "", *map(_missed_html, self.missed)]
        Path(path).write_text(report_page(f"Evaluation of {self.collection}", body), encoding="utf-8")
        return Path(path)

    def _tables(self) -> list[str]:
        marks = ["chosen" if one is self.chosen else "" for one in self.settings]
        return [report_table(rows, marks) for rows in (self.rows(), self.kind_rows()) if rows]

    def _repr_html_(self) -> str:
        listed = "".join(map(_missed_html, self.missed[:PRINTED]))
        return f"<p>{as_html(self.verdict())}</p>{''.join(self._tables())}<p>{as_html(self.about())}</p>{listed}"

    def __str__(self) -> str:
        tables = [aligned(rows, range(1, len(rows[0]))) for rows in (self.rows(), self.kind_rows()) if rows]
        return "\n\n".join([*tables, *([self._missed_lines()] if self.missed else []), self.verdict()])

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.text import Text

        for rows in filter(None, (self.rows(), self.kind_rows())):
            yield terminal_table(rows, [self.settings.index(self.chosen)])
            yield Text()
        if self.missed:
            yield Text(f"{self._missed_lines()}\n")
        yield Text(self.verdict())

    def _missed_lines(self) -> str:
        heading = f"{counted(len(self.missed), 'question')} that nothing answered" + ", the first" * (
            len(self.missed) > PRINTED
        )
        lines = [f"  {one_line(one.question)} → {one_line(one.expected)}" for one in self.missed[:PRINTED]]
        return "\n".join([f"{heading}:", *lines])


def _missed_html(one: Missed) -> str:
    wanted, came = (f"<i>{as_html(one_line(place))}</i> {as_html(one_line(text))}"
                    for place, text in ((one.expected, one.expected_text), (one.found, one.found_text)))  # fmt: skip
    return f"<dl><dt>{as_html(one_line(one.question))}</dt><dd>expected: {wanted}</dd><dd>came first: {came}</dd></dl>"


def _figure(found: Evaluation) -> Any:
    """Return a figure of each metric, a row for each setting, the mean with its interval."""
    height = 1.6 + 0.4 * len(found.settings)
    figure = figures("a plot of the evaluation").Figure(figsize=(11, height), layout="constrained")
    figure.suptitle(f"{found.collection}: {counted(len(found.counted), 'question')}, 95 % intervals", parse_math=False)
    panels = zip(figure.subplots(1, 3, sharey=True), ("recall", "nDCG", "MRR"), ("recall", "ndcg", "mrr"), strict=True)
    for axes, label, metric in panels:
        for row, one in enumerate(found.settings):
            value = one.estimate(metric, found.counted)
            color = "tab:green" if one is found.chosen else "tab:blue" if one.ram is None else "tab:gray"
            spread = [[max(0.0, value.mean - value.low)], [max(0.0, value.high - value.mean)]]
            axes.errorbar([value.mean], [row], xerr=spread, fmt="o", color=color, capsize=3)
            axes.annotate(f"{value.mean:.3f}", (value.mean, row), (0, 6), textcoords="offset points", ha="center")
        axes.set(xlabel=f"{label}@{found.k}", yticks=range(len(found.settings)))
        axes.set_yticklabels([one.setting for one in found.settings])
        axes.set_ylim(len(found.settings) - 0.4, -0.7)
        axes.grid(visible=True, axis="x", alpha=0.3)
    return figure
