"""How all points of a map push each other, computed on a grid by a fast Fourier transform (Linderman et al. 2019)."""

from __future__ import annotations

import numpy as np

from qdrant_embed.types import FloatArray, IntArray

EXACT = 600
"""Points up to which every pair is computed."""
CELLS = 256
"""Cells of the grid on a side, at the most."""
CELL = 0.1
"""Width of a cell at the least: finer than the pushes differ."""
SOFT = 0.05
"""Added to the squared distance, so that points in one place do not fly apart."""


def pushes(places: FloatArray) -> FloatArray:
    """Return the mean push on each point (n, 2) by all points: 2 d / ((0.05 + d²)(1 + d²)) along the distance d.

    That is what a push from a point drawn at random is on average, and what LargeVis and UMAP estimate by drawing.
    """
    if len(places) <= EXACT:
        apart = places[:, None] - places[None]
        return np.asarray((apart * _strength((apart**2).sum(2))[:, :, None]).mean(1), np.float32)
    low, high = places.min(0), places.max(0)
    width = max(CELL, float((high - low).max()) / (CELLS - 2))
    shape = tuple(int(side) + 2 for side in (high - low) / width)
    cells, shares = _corners((places - low) / width, shape)
    density = np.bincount(cells.ravel(), shares.ravel(), minlength=shape[0] * shape[1]).astype(np.float32)
    field = _field(density.reshape(shape), width)
    found = [(side.ravel()[cells] * shares).sum(0) / len(places) for side in field]
    return np.stack(found, 1).astype(np.float32)


def _strength(square: FloatArray) -> FloatArray:
    return np.asarray(2 / ((SOFT + square) * (1 + square)), np.float32)


def _corners(at: FloatArray, shape: tuple[int, ...]) -> tuple[IntArray, FloatArray]:
    """Return the four cells around each place (4, n), and its share in each (4, n): bilinear."""
    first = at.astype(np.int64)
    rest = at - first
    cells, shares = [], []
    for right in (0, 1):
        for up in (0, 1):
            cells.append((first[:, 0] + right) * shape[1] + first[:, 1] + up)
            shares.append((rest[:, 0] if right else 1 - rest[:, 0]) * (rest[:, 1] if up else 1 - rest[:, 1]))
    return np.stack(cells), np.stack(shares).astype(np.float32)


def _field(density: FloatArray, width: float) -> list[FloatArray]:
    """Return both components of the push that a density makes in each cell: its convolution with that of one point."""
    rows, columns = density.shape
    size = (_fast(2 * rows), _fast(2 * columns))
    steps = [np.minimum(np.arange(one), one - np.arange(one)) for one in size]
    signs = [np.where(np.arange(one) <= one // 2, 1.0, -1.0) for one in size]
    x = (steps[0] * signs[0] * width).astype(np.float32)[:, None]
    y = (steps[1] * signs[1] * width).astype(np.float32)[None]
    strength = _strength(x**2 + y**2)
    spread = np.fft.rfft2(density, size)
    made = (np.fft.irfft2(spread * np.fft.rfft2(strength * one), size)[:rows, :columns] for one in (x, y))
    return [np.asarray(one, np.float32) for one in made]


def _fast(size: int) -> int:
    """Return the next size whose transform is fast: a small power of three or five times one of two."""
    return min(factor << max(0, (-(-size // factor) - 1).bit_length()) for factor in (1, 3, 5, 9, 15))
