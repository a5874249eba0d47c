"""What each setting answered, question by question, and whether two settings differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from qdrant_embed.evaluation.metrics import (
    bootstrap_interval,
    first_ranks,
    holm,
    ndcg,
    randomization_test,
    recall,
)
from qdrant_embed.types import FloatArray, Json

METRICS = ("recall", "ndcg", "mrr")
SURE = 0.05
"""The p value below which a difference is said to be one."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over questions, and the bounds between which it lies with 95 % (by bootstrap over questions)."""

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, values: FloatArray) -> Estimate:
        """Return the estimate of values, one for each question."""
        return cls(float(values.mean()), *bootstrap_interval(values))

    def as_list(self) -> list[float]:
        """Return mean and bounds, rounded."""
        return [round(value, 4) for value in (self.mean, self.low, self.high)]

    def __str__(self) -> str:
        low, high = (f"{value:.2f}".removeprefix("0") for value in (self.low, self.high))
        return f"{self.mean:.3f} ({low}–{high})"


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingScores:
    """What one setting gave, a value for each question.

    :param setting: A mode of search, perhaps with a reranker; or `dense:` and a compression.
    :param recall: Share of what is relevant that stands among the first k.
    :param ndcg: nDCG of the first k.
    :param ranks: Rank, from 1, of the first that is relevant among the first k; 0 where none is.
    :param first: Id of the chunk that came first, empty where nothing was found.
    :param ms: Milliseconds a question, asked many at once, its embedding not counted; None for a compression.
    :param ram: Bytes of a vector in memory, where a compression was tried; else None.
    """

    setting: str
    recall: tuple[float, ...] = field(repr=False)
    ndcg: tuple[float, ...] = field(repr=False)
    ranks: tuple[int, ...] = field(repr=False)
    first: tuple[str, ...] = field(repr=False)
    ms: float | None
    ram: float | None = None

    @classmethod
    def of(
        cls, setting: str, ranked: Sequence[Ranked], judged: Sequence[Mapping[str, float]], k: int, ms: float | None
    ) -> SettingScores:
        """Return the scores of what was found for each question."""
        found = [one.names for one in ranked]
        return cls(
            setting=setting,
            recall=tuple(map(float, recall(found, judged, k))),
            ndcg=tuple(map(float, ndcg(found, judged, k))),
            ranks=tuple(map(int, first_ranks(found, judged, k))),
            first=tuple(one.first for one in ranked),
            ms=ms,
        )

    def values(self, metric: str, places: Sequence[int]) -> FloatArray:
        """Return a metric's values (places,) for some of the questions."""
        chosen = np.array(self.ranks if metric == "mrr" else getattr(self, metric), np.float32)[list(places)]
        return np.divide(1, chosen, out=np.zeros_like(chosen), where=chosen > 0) if metric == "mrr" else chosen

    def estimate(self, metric: str, places: Sequence[int]) -> Estimate:
        """Return a metric's mean over some of the questions."""
        return Estimate.of(self.values(metric, places))

    def as_dict(self, places: Sequence[int]) -> dict[str, Json]:
        """Return the means over some of the questions as JSON-ready values."""
        means = {metric: self.estimate(metric, places).as_list() for metric in METRICS}
        return {"setting": self.setting, **means, "ms": _rounded(self.ms), "ram": _rounded(self.ram)}


@dataclass(frozen=True, slots=True)
class Ranked:
    """What a setting found for one question: names as they are judged, best first, and the id of the first chunk."""

    names: Sequence[str]
    first: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """By how much the nDCG of a setting differs from another's on the same questions.

    :param difference: The setting's less the other's.
    :param p: How probable so large a difference is where they answer alike (randomization test, two-sided), with
        Holm's allowance for how many settings were compared.
    """

    setting: str
    against: str
    difference: Estimate
    p: float

    @property
    def sure(self) -> bool:
        """Whether a difference is shown."""
        return self.p < SURE

    @property
    def told_p(self) -> str:
        """The p value as it is shown."""
        return f"{self.p:.4f}" if self.sure else f"{self.p:.2f}"

    def as_dict(self) -> dict[str, Json]:
        """Return it as JSON-ready values."""
        return {
            "setting": self.setting,
            "against": self.against,
            "ndcg": self.difference.as_list(),
            "p": round(self.p, 4),
            "shown": self.sure,
        }

    def __str__(self) -> str:
        return f"{self.difference.mean:+.3f} (p {self.told_p})"


def compare(pairs: Sequence[tuple[SettingScores, SettingScores]], places: Sequence[int]) -> list[Comparison]:
    """Compare settings, each with another one, on some of the questions.

    :param pairs: A setting and what it is compared with.
    """
    differences = [one.values("ndcg", places) - other.values("ndcg", places) for one, other in pairs]
    tested = holm([randomization_test(values) for values in differences])
    return [
        Comparison(setting=one.setting, against=other.setting, difference=Estimate.of(values), p=p)
        for (one, other), values, p in zip(pairs, differences, tested, strict=True)
    ]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
