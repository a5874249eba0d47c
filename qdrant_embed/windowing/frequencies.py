"""Frequencies of rotary positions that reach further than the window they were trained for."""

from __future__ import annotations

import numpy as np

from qdrant_embed.types import FloatArray

_LAMBDAS = ((1, 1), (2, 3), (4, 5), (8, 10))
"""Factor s → the λ that LongEmbed found for it (table 6, for E5-RoPE and E5-Mistral alike)."""


def ntk_lambda(factor: float) -> float:
    """Return what the base of the frequencies is multiplied by, for a text `factor` times the trained window.

    At 2, 4 and 8 it is LongEmbed's own value (table 6). Between them it lies on the line through its neighbours, and
    beyond 8 it goes on at the last ratio, 1.25 times the factor: λ has to stay slightly above s (section 3.3), since at
    λ = s the slowest frequency does not yet turn as slowly as interpolation would have it.
    """
    factors, lambdas = zip(*_LAMBDAS, strict=True)
    if factor > factors[-1]:
        return float(factor * lambdas[-1] / factors[-1])
    return float(np.interp(factor, factors, lambdas))


def ntk_frequencies(frequencies: FloatArray, multiple: float) -> FloatArray:
    """Return the frequencies of a base that is `multiple` times as large: (base · λ)^(-2j / d), j = 0 … d/2 - 1.

    :param frequencies: Those of the trained base, base^(-2j / d), shape (d/2,).
    """
    places = np.arange(len(frequencies)) / len(frequencies)
    return np.asarray(frequencies * multiple**-places, np.float32)


def dynamic_multiples(tokens: int, trained: int, factor: float, dim: int) -> FloatArray:
    """Return, for every text length from 0 to `tokens`, what dynamic NTK multiplies the base by, (tokens + 1,).

    (factor · n / L_o - (factor - 1))^(d / (d - 2)), 1 up to L_o: the rope type `dynamic` of transformers, with each
    text's own length for n.

    :param dim: Rotated dimensions d of a head.
    """
    lengths = np.maximum(np.arange(tokens + 1), trained)
    stretched = factor * lengths / trained - (factor - 1)
    return np.asarray(stretched ** (dim / (dim - 2)), np.float32)
