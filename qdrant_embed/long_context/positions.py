"""Positions of a text that is longer than a model's positions: which rows of its table the tokens get.

Throughout, `trained` is the window that positions were trained for (L_o of LongEmbed, Zhu et al. 2024, arXiv
2404.12096, section 3) and `factor` is s = ceil(n / L_o) of a text of n tokens. LongEmbed's own code, too, takes the
length at hand for n rather than the target: a text of 600 tokens is then stretched twofold, not eightfold, and its
neighbors stay as far apart as the window allows. A text that fits has the factor 1, and with that every method leaves
it as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from qdrant_embed.types import FloatArray, IntArray

if TYPE_CHECKING:
    import torch

_LAMBDAS = ((1, 1), (2, 3), (4, 5), (8, 10))
"""Factor s → the λ that LongEmbed found for it (table 6, for E5-RoPE and E5-Mistral alike)."""

Places = TypeVar("Places", NDArray[Any], "torch.Tensor")
"""Places of tokens, in numpy where tables are made and in torch where a model reads."""


def stretch_factors(tokens: int, trained: int) -> IntArray:
    """Return the factor of every text length from 0 to `tokens`, (tokens + 1,); at least 1."""
    return np.maximum(1, -(-np.arange(tokens + 1) // trained))


def grouped(places: Places, factor: int | Places) -> Places:
    """Return GP's rows: `factor` neighbors share one, floor(place / s)."""
    return places // factor


def recurrent(places: Places, trained: int) -> Places:
    """Return RP's rows: they begin anew after the last, place mod L_o."""
    return places % trained


def interpolated(places: Places, factor: int | Places) -> tuple[Places, Places]:
    """Return PI's rows, and how far each place is on its way to the next one: place / s."""
    return places // factor, (places % factor) / factor


def extended_table(table: FloatArray, method: str, tokens: int) -> FloatArray:
    """Return the table (tokens, dim) of a method for texts of exactly `tokens` tokens.

    :param table: The trained rows (L_o, dim).
    :param method: `gp`, `rp` or `pi`. With `pi`, old row i is new row i · s, and rows between are the linear mix of the
        two old ones beside them. The last rows have no right neighbor: they repeat the last old row.
    """
    trained, places = len(table), np.arange(tokens)
    factor = int(stretch_factors(tokens, trained)[-1])
    if method != "pi":
        repeated: FloatArray = table[grouped(places, factor) if method == "gp" else recurrent(places, trained)]
        return repeated
    rows, shares = interpolated(places, factor)
    above = table[np.minimum(rows + 1, trained - 1)]
    share = shares[:, None].astype(np.float32)
    return np.asarray((1 - share) * table[rows] + share * above, np.float32)


def attention_scales(tokens: int, trained: int) -> FloatArray:
    """Return what queries are multiplied by, for every text length from 0 to `tokens`: max(1, ln n / ln L_o).

    Attention over more tokens than in training is spread thinner; this sharpens it again. (LongEmbed, section 3.2)

    :return: (tokens + 1,) float32.
    """
    lengths = np.maximum(1, np.arange(tokens + 1))
    return np.asarray(np.maximum(1, np.log(lengths) / np.log(max(2, trained))), np.float32)


def ntk_lambda(factor: float) -> float:
    """Return what the base of the frequencies is multiplied by, for a text `factor` times the trained window.

    At 2, 4 and 8 it is LongEmbed's own value (table 6). Between them it lies on the line through its neighbors, and
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
    extended = factor * lengths / trained - (factor - 1)
    return np.asarray(extended ** (dim / (dim - 2)), np.float32)


def capacity(trained: int, group: int, window: int) -> int:
    """Return how many tokens a group size and a window reach: (L_o - w) · g + w."""
    return (trained - window) * group + window


def group_and_window(trained: int, tokens: int) -> tuple[int, int]:
    """Return g and w that reach a length: g = s + 1 and w = L_o / s, as in LongEmbed's table 6.

    With these the capacity is L_o · s exactly where s divides L_o; where it does not, g is raised until it suffices.
    """
    factor = -(-tokens // trained)
    if factor <= 1:
        return 1, trained
    window, group = max(1, trained // factor), factor + 1
    while capacity(trained, group, window) < tokens:
        group += 1
    return group, window


def shift(group: int, window: int) -> int:
    """Return what is added to grouped places, so that distances go on where the window ends: w - floor(w / g)."""
    return window - window // group
