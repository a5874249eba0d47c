"""Positions of a text that is longer than a model's positions: which rows of its table the tokens get.

Throughout, `trained` is the window that positions were trained for (L_o of LongEmbed, Zhu et al. 2024, arXiv
2404.12096, section 3) and `factor` is s = ceil(n / L_o) of a text of n tokens. LongEmbed's own code, too, takes the
length at hand for n rather than the target: a text of 600 tokens is then stretched twofold, not eightfold, and its
neighbours stay as far apart as the window allows. A text that fits has the factor 1, and with that every method leaves
it as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from qdrant_embed.types import FloatArray, IntArray

if TYPE_CHECKING:
    import torch

Places = TypeVar("Places", NDArray[Any], "torch.Tensor")
"""Places of tokens, in numpy where tables are made and in torch where a model reads."""


def stretch_factors(tokens: int, trained: int) -> IntArray:
    """Return the factor of every text length from 0 to `tokens`, (tokens + 1,); at least 1."""
    return np.maximum(1, -(-np.arange(tokens + 1) // trained))


def grouped(places: Places, factor: int | Places) -> Places:
    """Return GP's rows: `factor` neighbours share one, floor(place / s)."""
    return places // factor


def recurrent(places: Places, trained: int) -> Places:
    """Return RP's rows: they begin anew after the last, place mod L_o."""
    return places % trained


def interpolated(places: Places, factor: int | Places) -> tuple[Places, Places]:
    """Return PI's rows, and how far each place is on its way to the next one: place / s."""
    return places // factor, (places % factor) / factor


def stretched_table(table: FloatArray, method: str, tokens: int) -> FloatArray:
    """Return the table (tokens, dim) of a method for texts of exactly `tokens` tokens.

    :param table: The trained rows (L_o, dim).
    :param method: `gp`, `rp` or `pi`. With `pi`, old row i is new row i · s, and rows between are the linear mix of the
        two old ones beside them. The last rows have no right neighbour: they repeat the last old row.
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
