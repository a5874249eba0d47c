"""What is compared, as data."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from benchmarks.long_context.grouping import centered, grouped, salient
from benchmarks.long_context.lexical import bm25
from benchmarks.long_context.reading import Documents
from benchmarks.long_context.scoring import Bags, best, fused, soft, top
from benchmarks.long_context.tasks import LENGTHS

MOST = LENGTHS[-1]
OFF = 0


@dataclass(frozen=True, slots=True)
class Strategy:
    """One line of the table.

    :param name: As a recipe has it where it is one; a word in brackets says what else was done.
    :param bags: The vectors that are stored.
    :param score: Vectors of questions, stored vectors → scores (questions, documents).
    :param passkey: Tokens of the longest documents on which it is measured, which is a matter of minutes.
    :param needle: The same.
    :param qmsum: Whether it is measured on real documents.
    :param kind: `one vector`, `several` or `built here`: how it is drawn.
    """

    name: str
    bags: Callable[[Documents], Bags]
    score: Callable[[np.ndarray, Bags], np.ndarray] = best
    passkey: int = MOST
    needle: int = 8192
    qmsum: bool = True
    kind: str = "one vector"

    def longest(self, task: str) -> int:
        """Return the tokens of the longest documents it is measured on."""
        return {"passkey": self.passkey, "needle": self.needle}.get(task, MOST if self.qmsum else OFF)


def read(window: str, tokens: int = 256) -> Callable[[Documents], Bags]:
    """Return what reads documents by one window strategy of the library."""
    return lambda documents: documents.bags(window, tokens)


def _windows(size: int) -> Callable[[Documents], Bags]:
    return read(f"windows:{size}", max(256, size))


def _extended(window: str, *, passkey: int = 8192, needle: int = 4096) -> Strategy:
    kind = "several" if window.endswith("late") else "one vector"
    return Strategy(window, read(window), passkey=passkey, needle=needle, kind=kind)


STRATEGIES: Sequence[Strategy] = (
    Strategy("truncate", read("truncate"), needle=MOST),
    Strategy("truncate (512)", read("truncate", 512), needle=MOST),
    Strategy("pcw", read("pcw"), needle=MOST),
    Strategy("pcw (512)", read("pcw", 512)),
    Strategy("pcw:length-weighted", read("pcw:length-weighted"), needle=MOST),
    _extended("gp:4096"),
    _extended("rp:4096"),
    _extended("pi:4096"),
    _extended("pi:4096,from=256", passkey=4096, needle=OFF),
    _extended("pi:2048", passkey=2048, needle=OFF),
    _extended("pi:1024", passkey=2048, needle=OFF),
    Strategy("windows (512)", _windows(512), kind="several"),
    Strategy("windows", read("windows"), needle=MOST, kind="several"),
    Strategy("windows:128", _windows(128), kind="several"),
    Strategy("late", read("late"), kind="several"),
    _extended("pi:4096+late", passkey=4096, needle=OFF),
    Strategy("windows:128 [best three]", _windows(128), partial(top, count=3), kind="built here"),
    Strategy("windows:128 [softmax]", _windows(128), partial(soft, sharpness=20.0), kind="built here"),
    Strategy("windows:128 [half over]", lambda documents: documents.shifted(128), needle=OFF, kind="built here"),
    Strategy(
        "windows:128 [eight groups]", lambda documents: grouped(documents.bags("windows:128"), count=8),
        kind="built here",
    ),
    Strategy(
        "windows:128 + windows [both best]", lambda documents: _pairs(documents, "windows:128", "windows"),
        kind="built here",
    ),
    Strategy("pcw [odd windows weigh]", lambda documents: salient(documents.bags("windows")), kind="built here"),
    Strategy("pcw [centred]", lambda documents: centered(documents.bags("windows")), kind="built here"),
)  # fmt: skip


def _pairs(documents: Documents, one: str, other: str) -> Bags:
    return [np.concatenate(pair) for pair in zip(documents.bags(one), documents.bags(other), strict=True)]


def lexical(questions: Sequence[str], asked: np.ndarray, documents: Documents) -> dict[str, np.ndarray]:
    """Return the scores of BM25, and of its fusion with the best window of 128 tokens."""
    words = bm25(questions, documents.chunks())
    dense = best(asked, documents.bags("windows:128"))
    return {"bm25": words, "bm25 + windows:128": fused(words, dense)}
