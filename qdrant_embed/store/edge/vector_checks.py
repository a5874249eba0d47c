"""What the vectors of a collection look like, and whether those of a point are such.

Qdrant Edge writes an update into its log before it looks at it. A vector that it then refuses, or stumbles over, would
be met again at every opening: half of the update is done then, or the collection cannot be opened any more. So nothing
is handed over that does not fit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from qdrant_client import models

from qdrant_embed.errors import StoreError


@dataclass(frozen=True, slots=True)
class VectorSchema:
    """The vectors that a collection has.

    :param sizes: Name → numbers of a dense vector, or of each row of a multi-vector; the unnamed one is `""`.
    :param multiple: Names of the multi-vectors.
    :param sparse: Names of the sparse vectors.
    """

    sizes: Mapping[str, int]
    multiple: frozenset[str]
    sparse: frozenset[str]

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> VectorSchema:
        """Read a stored `models.CreateCollection`."""
        given = config.get("vectors") or {}
        named = {"": given} if isinstance(given.get("size"), int) else given
        multiple = frozenset(name for name, params in named.items() if params.get("multivector_config"))
        sizes = {name: params["size"] for name, params in named.items()}
        return cls(sizes, multiple, frozenset(config.get("sparse_vectors") or ()))

    def require(self, point: models.PointStruct) -> None:
        """Refuse a point whose vectors do not fit.

        :raises StoreError: One has no place in the collection, or another form or size.
        """
        given: Any = point.vector
        for name, vector in (given if isinstance(given, Mapping) else {"": given}).items():
            problem = self._problem(name, vector)
            if problem:
                called = f"the vector {name!r}" if name else "the vector"
                raise StoreError(f"the point {point.id!r} cannot be stored: {called} {problem}.")

    def _problem(self, name: str, vector: Any) -> str | None:
        sparse = isinstance(vector, models.SparseVector)
        if name not in self.sizes and name not in self.sparse:
            listed = ", ".join(repr(known) for known in sorted({*self.sizes, *self.sparse})) or "none"
            return f"has no place in the collection; vectors found: {listed}"
        if not sparse and not isinstance(vector, (np.ndarray, list, tuple)):
            return None  # nothing that the conversion takes
        if sparse != (name in self.sparse):
            kind = "sparse: give models.SparseVector(indices=…, values=…)" if name in self.sparse else "not sparse"
            return f"is of another kind; this collection's is {kind}"
        if sparse:
            return malformed(vector)
        if isinstance(vector, np.ndarray):
            several = vector.ndim > 1
        else:
            several = bool(vector) and isinstance(vector[0], (np.ndarray, list, tuple))
        if several and name not in self.multiple:
            return "holds several vectors, and this collection takes one"
        if several and isinstance(vector, np.ndarray) and vector.ndim != 2:
            return f"has {vector.ndim} dimensions; a multi-vector has two, rows and numbers"
        size = self.sizes[name]
        found = next((len(row) for row in (vector if several else [vector]) if len(row) != size), size)
        return None if found == size else f"has {found} numbers, and this collection's have {size}"


def malformed(vector: models.SparseVector) -> str | None:
    """Return what is wrong with a sparse vector; the extension counts on its form."""
    indices, values = len(vector.indices), len(vector.values)
    if indices != values:
        return f"has {indices} indices and {values} values; give one value for each index"
    if len(set(vector.indices)) != indices:
        return "has an index twice; add the values up, and give each index once"
    return None
