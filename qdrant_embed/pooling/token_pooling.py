"""Token states into one vector per text, in numpy. Padding may stand on either side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from qdrant_embed.types import FloatArray, IntArray


def mean(states: FloatArray, mask: IntArray) -> FloatArray:
    """Average the tokens. `states` (n, tokens, dim), `mask` (n, tokens) → (n, dim)."""
    weights = mask.astype(np.float32)
    total = np.einsum("ntd,nt->nd", states, weights, optimize=True)
    return np.asarray(total / np.maximum(weights.sum(1, keepdims=True), 1e-9), np.float32)


def weighted_mean(states: FloatArray, mask: IntArray) -> FloatArray:
    """Average with weights 1, 2, 3 … by position (SGPT, Muennighoff 2022, section 3.1)."""
    return mean(states, np.cumsum(mask, axis=1) * mask)


def mean_sqrt(states: FloatArray, mask: IntArray) -> FloatArray:
    """Add the tokens and divide by the root of their number, so that longer texts have longer vectors."""
    counts = mask.sum(1, keepdims=True).astype(np.float32)
    return np.asarray(mean(states, mask) * np.sqrt(counts), np.float32)


def maximum(states: FloatArray, mask: IntArray) -> FloatArray:
    """Take the largest value of each dimension."""
    hidden = np.where(mask[:, :, None] == 1, states, np.float32(-np.inf))
    return np.asarray(hidden.max(axis=1), np.float32)


def first_token(states: FloatArray, mask: IntArray) -> FloatArray:
    """Take the first token that is not padding (`[CLS]`)."""
    return np.asarray(states[np.arange(len(states)), mask.argmax(axis=1)], np.float32)


def last_token(states: FloatArray, mask: IntArray) -> FloatArray:
    """Take the last token that is not padding."""
    last = mask.shape[1] - 1 - mask[:, ::-1].argmax(axis=1)
    return np.asarray(states[np.arange(len(states)), last], np.float32)


Pooler = Callable[[FloatArray, IntArray], FloatArray]
"""States (n, tokens, dim) and mask (n, tokens) → vectors (n, dim)."""

POOLINGS: Mapping[str, Pooler] = {
    "mean": mean,
    "weightedmean": weighted_mean,
    "mean_sqrt_len_tokens": mean_sqrt,
    "max": maximum,
    "cls": first_token,
    "lasttoken": last_token,
}
"""Pooling by the name that sentence-transformers uses."""


@dataclass(frozen=True, slots=True)
class LinearHead:
    """What dense layers without activation make of a pooled vector: one matrix and one offset for all of them.

    The mean of what they make of states is what they make of the mean, so that chunks can be pooled before.

    :param matrix: (out, in).
    :param offset: (out,).
    """

    matrix: FloatArray
    offset: FloatArray

    def __call__(self, vectors: FloatArray) -> FloatArray:
        """Return (n, out) of (n, in)."""
        return np.asarray(vectors @ self.matrix.T + self.offset, np.float32)
