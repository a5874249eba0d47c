"""Sign codes in memory with the ids of their points: sixteen bytes an id, none of them a Python object."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from qdrant_embed.compression.binary_codes import SignCodes
from qdrant_embed.store.scroll import vector_of

if TYPE_CHECKING:
    from qdrant_client import models

_Places = NDArray[np.int32]
_UUID_BYTES = 16


@dataclass(frozen=True, slots=True, eq=False)
class CodesInMemory:
    """Codes and whose they are.

    :param ids: (points,) in ascending order: the bytes of UUIDs, or whole numbers where a collection has such.
    :param owners: (codes,) the place in `ids` of each code's point, ascending; a point with windows has several codes.
    :param mark: As of which change of the collection; None where it has none.
    """

    ids: NDArray[Any]
    owners: _Places
    codes: SignCodes
    mark: str | None = None

    @classmethod
    def of(cls, records: Iterable[models.Record], vector: str, width: int, mark: str | None = None) -> CodesInMemory:
        """Return the codes of points as an engine gave them, each read and let go.

        :param width: Bytes of a code.
        """
        ids: list[Any] = []
        rows = [np.zeros((0, width), np.uint8)]
        for record in records:
            ids.append(record.id)
            rows.append(np.atleast_2d(np.array(vector_of(record, vector), np.uint8)))
        owners = np.repeat(np.arange(len(ids), dtype=np.int32), [len(row) for row in rows[1:]])
        return _sorted(_as_keys(ids), owners, SignCodes.of(np.concatenate(rows)), mark)

    def ids_at(self, places: _Places) -> list[Any]:
        """Return the ids of points as engines give them."""
        chosen = self.ids[places]
        if chosen.dtype == np.uint64:
            return list(map(int, chosen))
        # numpy takes zeros at the end of bytes for padding.
        return [str(UUID(bytes=key.ljust(_UUID_BYTES, b"\0"))) for key in chosen.tolist()]

    def among(self, ids: Sequence[Any]) -> CodesInMemory:
        """Return the codes of these points alone; those that are not held are left out."""
        return self._only(_present(self.ids, np.sort(_as_keys(ids))))

    def compared(self, ids: Sequence[Any]) -> tuple[NDArray[np.bool_], list[Any]]:
        """Return which points (points,) are among the given ones, and the given ones that are not held."""
        keys = _as_keys(ids)
        fresh = np.flatnonzero(~_present(keys, self.ids)).tolist()
        # Engines give ids in order, which a stable sort is through with at once.
        return _present(self.ids, np.sort(keys, kind="stable")), [ids[place] for place in fresh]

    def changed(self, kept: NDArray[np.bool_], fresh: CodesInMemory) -> CodesInMemory:
        """Return the codes of the points to keep and of fresh ones."""
        old = self._only(kept)
        if not len(fresh.ids) or not len(old.ids):
            return fresh if len(fresh.ids) else old
        owners = np.concatenate([old.owners, fresh.owners + np.int32(len(old.ids))])
        return _sorted(np.concatenate([old.ids, fresh.ids]), owners, old.codes.joined(fresh.codes), self.mark)

    def _only(self, kept: NDArray[np.bool_]) -> CodesInMemory:
        if kept.all():
            return self
        places = np.cumsum(kept, dtype=np.int32) - 1
        rows = np.flatnonzero(kept[self.owners])
        return CodesInMemory(self.ids[kept], places[self.owners[rows]], self.codes.take(rows), self.mark)


def _sorted(ids: NDArray[Any], owners: _Places, codes: SignCodes, mark: str | None) -> CodesInMemory:
    """Put points into the order of their ids, so that equal codes rank the same way however they were read."""
    order = np.argsort(ids, kind="stable")
    if (order[1:] > order[:-1]).all():
        return CodesInMemory(ids, owners, codes, mark)
    places = np.empty(len(order), np.int32)
    places[order] = np.arange(len(order), dtype=np.int32)
    rows = np.argsort(places[owners], kind="stable")
    return CodesInMemory(ids[order], places[owners][rows], codes.take(rows), mark)


def _present(wanted: NDArray[Any], there: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which keys are among others, which are in ascending order."""
    if not len(there):
        return np.zeros(len(wanted), bool)
    places = np.searchsorted(there, wanted)
    return np.asarray(there[np.minimum(places, len(there) - 1)] == wanted)


def _as_keys(ids: Sequence[Any]) -> NDArray[Any]:
    if ids and isinstance(ids[0], int):
        return np.array(ids, np.uint64)
    return np.array([UUID(str(point)).bytes for point in ids], f"S{_UUID_BYTES}")
