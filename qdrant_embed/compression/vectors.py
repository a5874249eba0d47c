"""The last steps of every vector, in one place and one order: cut dimensions, then normalise."""

from __future__ import annotations

import numpy as np

from qdrant_embed.errors import ModelError
from qdrant_embed.types import FloatArray


def finish(pooled: FloatArray, *, dim: int, normalize: bool) -> FloatArray:
    """Return (n, dim) float32 vectors, of unit length if asked for.

    Cutting comes first: a part of a unit vector is not one (Kusupati et al. 2022, section 3). A vector without length
    has no direction either; it is given the first one, so that cosines with it exist.

    :raises ModelError: The model gave something that is not a number.
    """
    cut = np.ascontiguousarray(pooled[:, :dim], np.float32)
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
