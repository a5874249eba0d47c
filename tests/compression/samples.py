"""Vectors that resemble those of a text model: clusters on a sphere, off its centre."""

import numpy as np


def clustered(count, dim, seed=0, spread=0.7):
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((max(2, count // 20), dim)) + 0.5 * rng.standard_normal(dim)
    vectors = centres[rng.integers(0, len(centres), count)] + spread * rng.standard_normal((count, dim))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
