"""What codes find in memory, before any whole vector is read."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qdrant_embed.compression.binary_codes import ByteArray, SignCodes, lowest
from qdrant_embed.retrieval.binary.codes_in_memory import CodesInMemory
from qdrant_embed.types import FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Points that are near a query by their codes, nearest first.

    :param rows: (n,) which of the held codes is the nearest of each point's.
    :param scores: (n,) of these codes, larger is nearer.
    """

    held: CodesInMemory
    rows: IntArray
    scores: FloatArray

    @classmethod
    def nearest(cls, held: CodesInMemory, query: FloatArray, bits: int, limit: int) -> Candidates:
        """Return the points whose codes are nearest to a query, as for `keys`, equals in the order they are held."""
        return cls.lowest(held, keys(query, held.codes, bits), bits, limit)

    @classmethod
    def lowest(cls, held: CodesInMemory, found: NDArray[Any], bits: int, limit: int) -> Candidates:
        """Return the points with the lowest keys; one of several codes counts by its nearest.

        :param found: (codes,) keys of all held codes.
        """
        wanted = limit
        while True:
            places = lowest(found, wanted)
            points, first = np.unique(held.owners[places], return_index=True)
            if len(points) >= limit or wanted >= len(found):
                break
            wanted *= 2
        rows = places[np.sort(first)[:limit]]
        whole = np.issubdtype(found.dtype, np.integer)
        scores = 1.0 - 2.0 * found[rows] / bits if whole else -found[rows]
        return cls(held, rows, np.asarray(scores, np.float32))

    def __len__(self) -> int:
        return len(self.rows)

    def ids(self, places: IntArray | slice = slice(None)) -> list[Any]:
        """Return the ids of the points, or of those at these places of the ranking."""
        return self.held.ids_at(self.held.owners[self.rows[places]])

    def windows(self, places: IntArray) -> IntArray:
        """Return (n,) which of its point's codes, from 0, those at these places of the ranking are."""
        owners, rows = self.held.owners, self.rows[places]
        return np.asarray(rows - np.searchsorted(owners, owners[rows]))

    def codes(self) -> ByteArray:
        """Return the codes (n, bytes)."""
        return self.held.codes.take(self.rows).packed()

    def first(self, limit: int) -> Candidates:
        """Return the nearest ones alone."""
        return replace(self, rows=self.rows[:limit], scores=self.scores[:limit])

    def passing(self, passed: Container[Any]) -> Candidates:
        """Return those alone whose ids passed a filter."""
        kept = np.array([point in passed for point in self.ids()], bool)
        return replace(self, rows=self.rows[kept], scores=self.scores[kept])


def keys(query: FloatArray, codes: SignCodes, bits: int) -> NDArray[Any]:
    """Return a number for each code, the lower the nearer: bits that differ, or less than nothing by weights.

    :param query: (bytes,) packed bits, or (bits,) what each bit counts.
    """
    return -codes.weighted(query) if len(query) == bits else codes.hamming(np.asarray(query, np.uint8))
