"""Codes ranked by themselves, and random ones to compare learned ones with."""

import numpy as np

from qdrant_embed.compression.binary_codes import ByteArray, SignCodes, lowest
from qdrant_embed.types import FloatArray, IntArray


def nearest_by_hamming(query: ByteArray, codes: ByteArray, count: int) -> tuple[IntArray, IntArray]:
    """Return places and distances of the `count` nearest codes, nearest first, equals in the order they stand in."""
    distances = SignCodes.of(codes).hamming(query)
    places = lowest(distances, count)
    return places, distances[places].astype(np.int64)


def nearest_by_weights(weights: FloatArray, codes: ByteArray, count: int) -> tuple[IntArray, FloatArray]:
    """Return places and scores of the `count` best codes (n, bytes), best first, equals in the order they stand in.

    :param weights: As for `SignCodes.weighted`.
    :raises ConfigurationError: The widths differ.
    """
    scores = SignCodes.of(codes).weighted(weights)
    places = lowest(-scores, count)
    return places, scores[places]


def hyperplanes(dim: int, bits: int, seed: int = 0) -> FloatArray:
    """Return (bits, dim) random directions: codes by the side of each, LSH for cosines (Charikar 2002, section 3)."""
    return np.random.default_rng(seed).standard_normal((bits, dim)).astype(np.float32)
