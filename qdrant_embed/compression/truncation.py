"""The last steps of every vector, in one place and one order: layer norm, cut dimensions, normalize."""

from __future__ import annotations

import numpy as np

from qdrant_embed.errors import ModelError
from qdrant_embed.types import FloatArray

LARGEST_HALF = float(np.finfo(np.float16).max)
"""The largest value that half precision holds, 65504."""
_EPSILON = 1e-5
_SHORT = 1e-15
"""Lengths below it are not known from squares in float32."""


def finish(pooled: FloatArray, *, dim: int, normalize: bool, layer_norm: bool = False) -> FloatArray:
    """Return (n, dim) float32 vectors, of unit length if asked for.

    Cutting comes first: a part of a unit vector is not one (Kusupati et al. 2022, section 3). A vector without length
    has no direction either; it is given the first one, so that cosines with it exist.

    :param layer_norm: Whether all dimensions are brought to mean 0 and variance 1 first, those that are cut off too.
    :raises ModelError: The model gave something that is not a number, or, of what keeps its length, vectors too long to
        be compared.
    """
    cut = np.ascontiguousarray((_standardised(pooled) if layer_norm else pooled)[:, :dim], np.float32)
    if not np.isfinite(cut).all():
        bad = int((~np.isfinite(cut)).any(axis=1).sum())
        raise ModelError(
            f"the model gave {bad} vectors with values that are not finite; try float32 instead of 16 bit."
        )
    with np.errstate(over="ignore"):
        lengths = np.linalg.norm(cut, axis=1, keepdims=True)
    if not normalize:
        if not np.isfinite(lengths).all():
            largest = float(np.abs(cut).max())
            raise ModelError(
                f"the model gave vectors with values of up to {largest:.2g}, whose products are beyond what float32 "
                "holds; write normalize = true into its preset, or try float32 instead of 16 bit."
            )
        return cut
    rows = np.flatnonzero(~((lengths > _SHORT) & (lengths < np.inf)))
    if len(rows):
        cut = cut.copy()
        # Squares of numbers this large or small leave float32; those of the same direction do not.
        peaks = np.abs(cut[rows]).max(axis=1, keepdims=True, initial=0.0)
        cut[rows] = np.where(peaks > 0, cut[rows] / np.where(peaks > 0, peaks, 1), np.eye(1, cut.shape[1]))
        lengths[rows] = np.linalg.norm(cut[rows], axis=1, keepdims=True)
    return np.asarray(cut / lengths, np.float32)


def _standardised(vectors: FloatArray) -> FloatArray:
    with np.errstate(invalid="ignore", over="ignore"):  # what is not finite stays so, and is refused afterwards
        centered = vectors - vectors.mean(axis=1, keepdims=True)
        variance = (centered**2).mean(axis=1, keepdims=True)
        if not np.isfinite(variance).all() and vectors.dtype != np.float64:
            return _standardised(np.asarray(vectors, np.float64))
        return np.asarray(centered / np.sqrt(variance + _EPSILON), np.float32)
