"""Codes in pure numpy: signs packed into bytes, Hamming distances, eight-bit numbers; the order of bits is here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qdrant_embed.errors import ConfigurationError
from qdrant_embed.types import FloatArray, IntArray

ByteArray = NDArray[np.uint8]
_NARROW, _WIDE = 1e-30, 1e36
"""Ranges of numbers below and above which float32 does not hold what is computed from them."""


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

    :raises ConfigurationError: The widths differ.
    """
    _require_width(query.shape[-1], codes.shape[-1])
    return np.asarray(np.bitwise_count(codes ^ query).sum(axis=-1, dtype=np.int64))


@dataclass(frozen=True, slots=True, eq=False)
class SignCodes:
    """Many codes as they are searched: word by word, each word of all codes in one run of memory.

    :param words: (words, n), each word eight bytes of a code; the last one is filled up with zeros.
    :param width: Bytes of a code.
    """

    words: NDArray[np.uint64]
    width: int

    @classmethod
    def of(cls, codes: ByteArray) -> SignCodes:
        """Return codes (n, bytes) as they are searched."""
        return cls(np.ascontiguousarray(_words(np.atleast_2d(codes)).T), codes.shape[-1])

    def __len__(self) -> int:
        return int(self.words.shape[1])

    def packed(self) -> ByteArray:
        """Return the codes (n, bytes), each in one piece again."""
        return np.ascontiguousarray(self.words.T).view(np.uint8)[:, : self.width]

    def take(self, places: IntArray) -> SignCodes:
        """Return the codes at these places, in their order."""
        return SignCodes(np.ascontiguousarray(self.words[:, places]), self.width)

    def joined(self, others: SignCodes) -> SignCodes:
        """Return these codes and then others."""
        return SignCodes(np.concatenate([self.words, others.words], axis=1), self.width)

    def hamming(self, query: ByteArray) -> NDArray[np.uint16]:
        """Return (n,) numbers of bits in which a query's code (bytes,) differs.

        :raises ConfigurationError: The widths differ.
        """
        _require_width(len(query), self.width)
        distances = np.zeros(len(self), np.uint16)
        for word, asked in zip(self.words, _words(query[None])[0], strict=True):
            distances += np.bitwise_count(word ^ asked)
        return distances

    def weighted(self, weights: FloatArray) -> FloatArray:
        """Return (n,) scores: a set bit adds its weight and another takes it away.

        An asymmetric distance, of numbers on the query's side and bits on the other (Gordo et al. 2014, section 3). A
        table for each byte has the sums of its 256 values ready.

        :param weights: (bits,); what fills up the last byte counts nothing.
        :raises ConfigurationError: The widths differ.
        """
        if -(-len(weights) // 8) != self.width:
            raise ConfigurationError(f"{len(weights)} weights cannot meet codes of {self.width} bytes.")
        signs = unpack_signs(np.arange(256, dtype=np.uint8)[:, None], 8)
        tables = np.pad(np.asarray(weights, np.float32), (0, -len(weights) % 8)).reshape(-1, 8) @ signs.T
        scores = np.zeros(len(self), np.float32)
        for place, table in enumerate(tables):
            scores += table[self.words[place // 8].view(np.uint8)[place % 8 :: 8]]
        return scores


def lowest(keys: NDArray[np.number], count: int) -> IntArray:
    """Return the places of the `count` lowest keys (n,), lowest first, equals in the order they stand in."""
    count = min(count, len(keys))
    if count == 0:
        return np.zeros(0, np.int64)
    # All that reach the last one are sorted, so that which of several equals are taken is not chance.
    places = np.flatnonzero(keys <= np.partition(keys, count - 1)[count - 1])
    return np.asarray(places[np.argsort(keys[places], kind="stable")][:count])


def nearness(query: FloatArray, codes: ByteArray, bits: int) -> FloatArray:
    """Return (n,) how near codes (n, bytes) are to a query, larger is nearer.

    :param query: (bits,) what each bit counts, as for `SignCodes.weighted`, or (bytes,) a code of its own: 1 for no bit
        that differs, -1 for all.
    """
    if len(query) == bits:
        return np.asarray(unpack_signs(codes, bits) @ query, np.float32)
    return np.asarray(1.0 - 2.0 * hamming(np.asarray(query, np.uint8), codes) / bits, np.float32)


def _words(codes: ByteArray) -> NDArray[np.uint64]:
    """Return codes (n, bytes) as (n, words) of eight bytes each."""
    spare = -codes.shape[1] % 8
    return np.ascontiguousarray(np.pad(codes, ((0, 0), (0, spare)))).view(np.uint64)


def _require_width(query: int, codes: int) -> None:
    if query != codes:
        raise ConfigurationError(f"a query's code of {query} bytes cannot meet codes of {codes}.")
