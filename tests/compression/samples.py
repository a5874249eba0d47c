"""Words to make texts of, and vectors that resemble those of a text model: clusters on a sphere, off its center."""

import numpy as np

WORDS = (
    *("anchor", "beam", "crane", "dock", "eel", "fish", "gate", "hull", "iron", "jetty", "keel", "lamp", "mast"),
    *("net", "oar", "pier", "quay", "rope", "sail", "tide"),
)


def clustered(count, dim, seed=0, spread=0.7):
    rng = np.random.default_rng(seed)
    centers = rng.standard_normal((max(2, count // 20), dim)) + 0.5 * rng.standard_normal(dim)
    vectors = centers[rng.integers(0, len(centers), count)] + spread * rng.standard_normal((count, dim))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
