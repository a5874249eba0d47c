"""A collection's coder: what was learned from its vectors is kept with it, and read back with its digest checked."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from qdrant_embed.compression import Coder, Compression, Transform
from qdrant_embed.errors import ConfigurationError
from qdrant_embed.store.attachments import load_attachment, save_attachment
from qdrant_embed.store.schema import DENSE, DENSE_SMALL, merge_metadata, read_metadata
from qdrant_embed.types import FloatArray

if TYPE_CHECKING:
    from qdrant_embed.store.engine import Engine

PAGE = 1024
PAGE_OF_WINDOWS = 16
"""A document of hundreds of windows takes megabytes as lists of Python's floats, in which engines answer."""
TRANSFORM_KEY = "transform"
"""Metadata entry: digest of the transform that the points were coded with."""


class Coding:
    """Codes vectors for one collection; learns what is to be learned once, from the first vectors that come.

    :param dim: Dimensions that the embedder gives.
    :param distance: The model's: `cosine`, `dot` or `euclid`.
    :param normalize: Whether the model's vectors are made unit vectors.
    :param windows: Whether a point has a dense vector for each window of its text.
    :raises ConfigurationError: What was kept does not belong to the collection, or has been lost.
    """

    def __init__(
        self,
        engine: Engine,
        name: str,
        compression: Compression,
        *,
        dim: int,
        distance: str,
        normalize: bool = False,
        windows: bool = False,
    ) -> None:
        self._engine = engine
        self._name = name
        self.windows = windows
        self.coder = Coder.start(compression, dim, distance, normalize=normalize)
        if not self.coder.ready:
            transform = _stored_transform(engine, name)
            self.coder = self.coder if transform is None else self.coder.with_transform(transform)

    @property
    def compression(self) -> Compression:
        """What is done to vectors."""
        return self.coder.compression

    @property
    def page(self) -> int:
        """How many points may be read with their vectors at once."""
        return PAGE_OF_WINDOWS if self.windows else PAGE

    def fit(self, vectors: FloatArray) -> None:
        """Learn from the embedder's vectors (n, dim) and keep what was learned, before any point is stored by it."""
        self.keep(self.coder.fit(vectors))

    def keep(self, coder: Coder) -> None:
        """Take a coder that has learned, and keep its transform with the collection."""
        if coder.transform is not None and coder.compression.fitted:
            data = coder.transform.to_bytes()
            save_attachment(self._engine, self._name, data)
            merge_metadata(self._engine, self._name, {TRANSFORM_KEY: _digest(data)})
        self.coder = coder

    # Vectors as the store has them

    def stored(self, vectors: FloatArray) -> FloatArray:
        """Return what the vector `dense` holds (n, width) of the embedder's vectors."""
        return vectors if self.compression.full else self.coder.encode(vectors)

    def stored_each(self, vectors: Sequence[FloatArray]) -> list[FloatArray]:
        """Return what the vector `dense` of each point holds, given the embedder's: (dim,), or (windows, dim)."""
        rows = self.stored(np.concatenate([np.atleast_2d(vector) for vector in vectors]))
        return self.by_point(rows, [1 if vector.ndim == 1 else len(vector) for vector in vectors])

    def by_point(self, rows: FloatArray, counts: Sequence[int]) -> list[FloatArray]:
        """Return the rows of each point: (width,), or (windows, width) where points have several.

        :param counts: How many rows each point has.
        """
        if not self.windows:
            return list(rows)
        return np.split(rows, np.cumsum(counts)[:-1]) if len(counts) else []

    def named(self, stored: FloatArray) -> dict[str, FloatArray]:
        """Return all dense vectors of a point, given what its vector `dense` holds: (width,) or (windows, width)."""
        if not self.compression.full:
            return {DENSE: stored}
        small = self.coder.encode(np.atleast_2d(stored))
        return {DENSE: stored, DENSE_SMALL: small if stored.ndim > 1 else small[0]}

    def raw(self, stored: FloatArray) -> FloatArray:
        """Return the embedder's vectors (n, dim) of what `dense` holds, as exact as the stored format."""
        return np.asarray(stored, np.float32) if self.compression.full else self.coder.decode(stored)


def _stored_transform(engine: Engine, name: str) -> Transform | None:
    wanted = read_metadata(engine, name).get(TRANSFORM_KEY)
    if wanted is None:
        return None
    data = load_attachment(engine, name)
    if data is None:
        raise ConfigurationError(
            f"the rotation of collection {name!r} has been lost: without it its vectors mean nothing. Restore the "
            "folder from a copy, or ingest into a new collection."
        )
    if _digest(data) != wanted:
        raise ConfigurationError(
            f"the rotation file of collection {name!r} does not belong to it (digest {_digest(data)}, expected "
            f"{wanted}). Restore the folder from a copy, or ingest into a new collection."
        )
    return Transform.from_bytes(data)


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()
