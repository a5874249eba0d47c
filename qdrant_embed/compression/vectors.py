"""The last steps of every vector, in one place and one order: layer norm, cut dimensions, normalise."""

from __future__ import annotations

import numpy as np

from qdrant_embed.errors import ModelError
from qdrant_embed.types import FloatArray

_EPSILON = 1e-5


def finish(pooled: FloatArray, *, dim: int, normalize: bool, layer_norm: bool = False) -> FloatArray:
    """Return (n, dim) float32 vectors, of unit length if asked for.

    Cutting comes first: a part of a unit vector is not one (Kusupati et al. 2022, section 3). A vector without length
    has no direction either; it is given the first one, so that cosines with it exist.

    :param layer_norm: Whether all dimensions are brought to mean 0 and variance 1 first, those that are cut off too.
    :raises ModelError: The model gave something that is not a number.
    """
    cut = np.ascontiguousarray((_standardised(pooled) if layer_norm else pooled)[:, :dim], np.float32)
    if not np.isfinite(cut).all():
        bad = int((~np.isfinite(cut)).any(axis=1).sum())
        raise ModelError(
            f"the model gave {bad} vectors with values that are not finite; try float32 instead of 16 bit."
        )
    if not normalize:
        return cut
    lengths = np.linalg.norm(cut, axis=1, keepdims=True)
    empty = lengths[:, 0] == 0
    if empty.any():
        cut = np.where(empty[:, None], np.eye(1, cut.shape[1], dtype=np.float32), cut)
        lengths[empty] = 1.0
    return np.asarray(cut / lengths, np.float32)


def _standardised(vectors: FloatArray) -> FloatArray:
    with np.errstate(invalid="ignore", over="ignore"):  # what is not finite stays so, and is refused afterwards
        centred = vectors - vectors.mean(axis=1, keepdims=True)
        return np.asarray(centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + _EPSILON), np.float32)
