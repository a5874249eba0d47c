"""Token states into one vector per text, in numpy. Padding may stand on either side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from qdrant_embed.errors import ConfigurationError
from qdrant_embed.types import FloatArray, IntArray


def mean(states: FloatArray, mask: IntArray) -> FloatArray:
    """Average the tokens. `states` (n, tokens, dim), `mask` (n, tokens) → (n, dim)."""
    weights = mask.astype(np.float32)
    total = np.einsum("ntd,nt->nd", states, weights, optimize=True)
    return np.asarray(total / np.maximum(weights.sum(1, keepdims=True), 1e-9), np.float32)


def weighted_mean(states: FloatArray, mask: IntArray) -> FloatArray:
    """Average with weights 1, 2, 3 … by position (SGPT, Muennighoff 2022, section 3.1)."""
    positions = np.cumsum(mask, axis=1) * mask
    return mean(states, positions)


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


def load_pooler(name: str, folder: Path | None) -> Pooler:
    """Return a pooling by name, with its weights where it has any.

    :param folder: The model's folder.
    :raises ConfigurationError: It pools no token states.
    :raises ModelError: Its weights are missing or do not fit.
    """
    if name == "latents" and folder is not None:
        from qdrant_embed.embedding.latents import LatentPooling

        return LatentPooling.from_file(folder / "latent_pooling.safetensors")
    if name not in POOLINGS:
        raise ConfigurationError(
            f"the pooling {name!r} is not one of token states; choose one of {', '.join(POOLINGS)}."
        )
    return POOLINGS[name]
