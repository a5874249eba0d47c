"""Whether the rankings of a question look as if the collection held an answer: no labels, no model, no text."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence

import numpy as np

WEIGHTS, BIAS = (4.5, 2.9, 0.06, 0.83), -5.2
"""Of `features`, by a logistic regression over half of the questions of each set that `confidence` names."""
NEXT = 9
"""Hits behind the first one that it is compared with."""
MOST_SPREAD = 10.0
"""Where all other scores are nearly the same, the first one stands out by any number of deviations."""


def confidence(dense: Sequence[float], words: Sequence[float], *, most: float, terms: int) -> float:
    """Return from 0 to 1 how much the scores of a question look like those of questions that have an answer.

    Where the answers of questions are taken away, it tells those with and without answers apart with an AUC of 0.98
    (LIMIT), 0.84 (meetings of QMSum), 0.89 (paraphrases of the STS benchmark) and 0.83 (headings of FastAPI's pages),
    by vectors of MiniLM. Weights fitted on the other sets alone reach 0.98, 0.84, 0.86 and 0.83. It cannot tell where
    much else is about the same subject: 0.52 on Cranfield, 0.55 for the rest of a document of FastAPI's.

    :param dense: Scores of the dense list, the first hundred, best first; empty for none.
    :param words: Scores of the BM25 list, likewise; empty where no word was found.
    :param most: The highest score that BM25 could give the question: k + 1 (2.6) times the sum of its terms' inverse
        document frequencies, those of terms that the collection lacks included.
    :param terms: Number of the question's distinct terms.
    """
    found = features(dense, words, most=most, terms=terms)
    return 1 / (1 + math.exp(-sum(map(operator.mul, WEIGHTS, found)) - BIAS))


def features(dense: Sequence[float], words: Sequence[float], *, most: float, terms: int) -> tuple[float, ...]:
    """Return what `confidence` weighs.

    That is the share of the highest BM25 score that was reached; by which part of its own score the first hit leads the
    next ones in BM25; by how many deviations the first dense score stands out; the logarithm of the question's length.
    """
    top = words[0] / most if len(words) and most > 0 else 0.0
    others = words[1 : NEXT + 1]
    lead = 1 - sum(others) / len(others) / words[0] if len(others) and words[0] > 0 else float(len(words) == 1)
    return top, lead, _spread(dense), math.log1p(terms)


def _spread(scores: Sequence[float]) -> float:
    """Return by how many standard deviations of the others the first score stands out."""
    others = np.asarray(scores[1:], np.float64)
    deviation = float(others.std()) if len(others) > 1 else 0.0
    return min(MOST_SPREAD, (scores[0] - float(others.mean())) / deviation) if deviation else 0.0
