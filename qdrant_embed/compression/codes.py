"""Codes in pure numpy: signs packed into bytes, Hamming distances, eight-bit numbers; the order of bits is here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qdrant_embed.errors import ConfigurationError
from qdrant_embed.types import FloatArray, IntArray

ByteArray = NDArray[np.uint8]
LEVELS = 255
"""Steps of an eight-bit number."""


def pack_signs(vectors: FloatArray, thresholds: FloatArray | None = None) -> ByteArray:
    """Return (n, ceil(dim / 8)) bytes: a bit is 1 where a number exceeds its threshold (0 without thresholds).

    The first dimension is the most significant bit of the first byte; the last byte is filled up with zeros.
    """
    above = vectors > (0.0 if thresholds is None else thresholds)
    return np.packbits(above, axis=-1, bitorder="big")


def unpack_signs(codes: ByteArray, dim: int) -> FloatArray:
    """Return (n, dim) numbers, +1 for each set bit and -1 for each other: the way back from `pack_signs`.

    :raises ConfigurationError: The codes have another width.
    """
    if codes.shape[-1] != -(-dim // 8):
        raise ConfigurationError(
            f"codes of {codes.shape[-1]} bytes do not hold {dim} dimensions ({-(-dim // 8)} bytes)."
        )
    bits = np.unpackbits(np.ascontiguousarray(codes, np.uint8), axis=-1, count=dim, bitorder="big")
    return np.where(bits, np.float32(1), np.float32(-1))


def hamming(query: ByteArray, codes: ByteArray) -> IntArray:
    """Return (n,) numbers of bits in which a query's code (bytes,) differs from each code (n, bytes).

    Eight bytes are compared at a time where the width allows; 384 bits of a million vectors take tens of milliseconds.

    :raises ConfigurationError: The widths differ.
    """
    if query.shape[-1] != codes.shape[-1]:
        raise ConfigurationError(f"a query's code of {query.shape[-1]} bytes cannot meet codes of {codes.shape[-1]}.")
    wide = codes.shape[-1] % 8 == 0 and codes.flags.c_contiguous
    if wide:
        query, codes = np.ascontiguousarray(query).view(np.uint64), codes.view(np.uint64)
    return np.asarray(np.bitwise_count(codes ^ query).sum(axis=-1, dtype=np.int64))


def nearness(query: FloatArray, codes: ByteArray, bits: int) -> FloatArray:
    """Return (n,) how near codes (n, bytes) are to a query, larger is nearer.

    :param query: (bits,) what each bit counts, as for `nearest_by_weights`, or (bytes,) a code of its own: 1 for no bit
        that differs, -1 for all.
    """
    if len(query) == bits:
        return np.asarray(unpack_signs(codes, bits) @ query, np.float32)
    return np.asarray(1.0 - 2.0 * hamming(np.asarray(query, np.uint8), codes) / bits, np.float32)


def nearest_by_hamming(query: ByteArray, codes: ByteArray, count: int) -> tuple[IntArray, IntArray]:
    """Return places and distances of the `count` nearest codes, nearest first, equals in the order they stand in."""
    distances = hamming(query, codes)
    count = min(count, len(distances))
    if count == 0:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    # The place breaks ties, so that the selection is the same as that of a stable full sort.
    keys = distances * len(distances) + np.arange(len(distances))
    places = np.argpartition(keys, count - 1)[:count]
    places = places[np.argsort(keys[places])]
    return places, distances[places]


def nearest_by_weights(weights: FloatArray, codes: ByteArray, count: int) -> tuple[IntArray, FloatArray]:
    """Return places and scores of the `count` best codes (n, bytes), best first, equals in the order they stand in.

    A set bit adds its weight and another takes it away: an asymmetric distance, of numbers on the query's side and bits
    on the other (Gordo et al. 2014, section 3). A table for each byte has the sums of its 256 values ready.

    :param weights: (bits,), `bits` being 8 · bytes.
    :raises ConfigurationError: The widths differ.
    """
    if len(weights) != 8 * codes.shape[-1]:
        raise ConfigurationError(f"{len(weights)} weights cannot meet codes of {codes.shape[-1]} bytes.")
    tables = np.asarray(weights, np.float32).reshape(-1, 8) @ unpack_signs(np.arange(256, dtype=np.uint8)[:, None], 8).T
    scores = np.zeros(len(codes), np.float32)
    for table, column in zip(tables, codes.T, strict=True):
        scores += table[column]
    count = min(count, len(scores))
    if count == 0:
        return np.zeros(0, np.int64), np.zeros(0, np.float32)
    # All that reach the last score are sorted, so that which of several equals are taken is not chance.
    least = np.partition(scores, len(scores) - count)[len(scores) - count]
    places = np.flatnonzero(scores >= least)
    places = places[np.argsort(-scores[places], kind="stable")][:count]
    return places, scores[places]


@dataclass(frozen=True, slots=True)
class Scale:
    """Numbers as whole steps 0 … 255: `low + step · byte`, one scale for all dimensions.

    One scale keeps Euclidean distances in proportion, and so, for vectors of one length, the order of cosines.
    """

    low: float
    step: float

    @classmethod
    def of(cls, vectors: FloatArray, margin: float = 0.05) -> Scale:
        """Return the scale that holds all numbers of a sample (n, dim) and a little more on both sides.

        :raises ConfigurationError: The sample is empty.
        """
        if not vectors.size:
            raise ConfigurationError("a scale needs at least one vector.")
        low, high = float(vectors.min()), float(vectors.max())
        spare = margin * (high - low) or 1.0
        return cls(low - spare, (high - low + 2 * spare) / LEVELS)

    @classmethod
    def within(cls, bound: float) -> Scale:
        """Return the scale of numbers between -`bound` and `bound`."""
        return cls(-bound, 2 * bound / LEVELS)

    def encode(self, vectors: FloatArray) -> ByteArray:
        """Return the nearest steps; what lies outside is given the outermost one."""
        steps = np.rint((vectors - np.float32(self.low)) / np.float32(self.step))
        return np.asarray(np.clip(steps, 0, LEVELS), np.uint8)

    def decode(self, steps: FloatArray | ByteArray) -> FloatArray:
        """Return the numbers that steps stand for, each within half a step of what was encoded."""
        return (np.asarray(steps, np.float32) * np.float32(self.step) + np.float32(self.low)).astype(np.float32)


def hyperplanes(dim: int, bits: int, seed: int = 0) -> FloatArray:
    """Return (bits, dim) random directions: codes by the side of each, LSH for cosines (Charikar 2002, section 3)."""
    return np.random.default_rng(seed).standard_normal((bits, dim)).astype(np.float32)
