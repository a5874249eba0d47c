"""A collection's codec: what was learned or drawn for it is kept with it, and read back with its digest checked."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from qdrant_embed.compression import Compression, Transform, VectorCodec, enough_vectors
from qdrant_embed.concurrency import pause
from qdrant_embed.errors import ConfigurationError, StoreError
from qdrant_embed.native import make_lock
from qdrant_embed.store.engine import attachment_in
from qdrant_embed.types import DENSE, DENSE_SMALL, FloatArray, Json

if TYPE_CHECKING:
    from qdrant_embed.store.engine import Engine

PAGE = 1024
PAGE_OF_WINDOWS = 16
"""A document of hundreds of windows takes megabytes as lists of Python's floats, in which engines answer."""
FIT_VECTORS = 8192
"""Vectors that a transform is learned from; a covariance of 384 dimensions is settled long before. Bounds what an
ingest holds back in memory until it is learned."""
DIGEST_KEY = "qdrant_embed_transform_digest"
"""Metadata entry: digest of the transform that the points were encoded with.

One of its own, so that setting it touches no other."""
SETTLING_SECONDS = 2.0
"""How long one waits, once in a collection's life, for another program that kept its transform in the same moment."""
_LEARNING = make_lock()
"""Held by the one handle of this process that learns; the others then find what it kept."""


class CollectionCodec:
    """Codes vectors for one collection; learns what is to be learned once, from the first vectors that any handle has.

    :param dim: Dimensions that the embedder gives.
    :param distance: The model's: `cosine`, `dot` or `euclid`.
    :param normalize: Whether the model's vectors are made unit vectors.
    :param windows: Whether a point has a dense vector for each window of its text.
    :param metadata: The collection's entries, where they are known already.
    :raises ConfigurationError: What was kept does not belong to the collection, or has been lost.
    """

    def __init__(  # noqa: PLR0913 - what it codes, and what is known of it
        self,
        engine: Engine,
        name: str,
        compression: Compression,
        *,
        dim: int,
        distance: str,
        normalize: bool = False,
        windows: bool = False,
        metadata: Mapping[str, Json] | None = None,
    ) -> None:
        self._engine = engine
        self._name = name
        self.windows = windows
        self.vector_codec = VectorCodec.start(compression, dim, distance, normalize=normalize)
        if not self.vector_codec.ready:
            self._take_over(metadata)

    @property
    def compression(self) -> Compression:
        """What is done to vectors."""
        return self.vector_codec.compression

    @property
    def page(self) -> int:
        """How many points may be read with their vectors at once."""
        return PAGE_OF_WINDOWS if self.windows else PAGE

    @property
    def ranked_width(self) -> int:
        """Dimensions of the vectors that decide the ranking: with `full` the whole ones, whatever shortlists them.

        :raises ConfigurationError: Points have a vector for each window, and the best one counts.
        """
        if self.windows:
            raise ConfigurationError(
                "each point of this collection has a vector for each window of its text, and the best one counts; what "
                "is known of capacity is about single vectors. Choose another window strategy to have those."
            )
        codec = self.vector_codec
        return codec.dim if codec.compression.full else codec.bits

    def with_compression(self, compression: Compression) -> CollectionCodec:
        """Return the codec of the same points, searched in another way."""
        other = copy(self)
        other.vector_codec = replace(self.vector_codec, compression=compression)
        return other

    def ready(self) -> bool:
        """Tell whether vectors can be encoded; what another handle has learned meanwhile is taken over.

        :raises ConfigurationError: What was kept does not belong to the collection, or has been lost.
        """
        if not self.vector_codec.ready:
            self._take_over()
        return self.vector_codec.ready

    def fit(self, vectors: FloatArray) -> None:
        """Learn from the embedder's vectors (n, dim) and keep what was learned, before any point is stored by it.

        Where another handle was first, its transform is taken over and nothing is learned.
        """
        with _LEARNING:
            if self.ready():
                return
            learned = self.vector_codec.fit(vectors)
            if self.ready():  # other processes know no such lock: one may have been first
                return
            self.keep(learned)  # of two that do so in the same moment the last is right, and the other waits for it
            if self._engine.joined:
                pause(SETTLING_SECONDS)
            self._take_over()

    def require_kept(self) -> None:
        """Refuse to go on where another transform is kept than the one that vectors were coded by.

        :raises StoreError: It is so: two programs learned at once, and one of them was held up for seconds.
        """
        transform = self.vector_codec.transform
        if transform is None or not self.compression.keeps_transform:
            return
        if kept_digest(self._engine, self._name) != transform.digest:
            raise StoreError(
                f"another program has learned the compression of collection {self._name!r} at the same time, and what "
                "was stored here cannot be told from what is coded by the other one. Remove the collection "
                f"(Collection.drop({self._name!r}, at=…)), and let one program ingest first."
            )

    def keep(self, vector_codec: VectorCodec) -> None:
        """Take a codec that has learned, and keep its transform with the collection."""
        if vector_codec.transform is not None and vector_codec.compression.keeps_transform:
            data = vector_codec.transform.to_bytes()
            self._engine.save_attachment(self._name, data, {DIGEST_KEY: _digest(data)})
        self.vector_codec = vector_codec

    def _take_over(self, metadata: Mapping[str, Json] | None = None) -> None:
        transform = _stored_transform(self._engine, self._name, metadata)
        if transform is not None:
            self.vector_codec = self.vector_codec.with_transform(transform)

    @property
    def doubt(self) -> str:
        """What to say of a transform that was learned from too few vectors; empty where it was not."""
        found, wanted = self.vector_codec.transform, enough_vectors(self.compression, self.vector_codec.cut_dim)
        if found is None or found.sample >= wanted:
            return ""
        return (
            f"compression {str(self.compression)!r} was learned from the first {found.sample:,} vectors; {wanted:,} or "
            "more settle it. When the collection holds that many, learn it again: "
            f"Collection.open({self._name!r}, at=…).recompress({str(self.compression)!r}, refit=True)"
        )

    # Vectors as the store has them

    def stored(self, vectors: FloatArray) -> FloatArray:
        """Return what the vector `dense` holds (n, width) of the embedder's vectors."""
        return vectors if self.compression.full else self.vector_codec.encode(vectors)

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
        small = self.vector_codec.encode(np.atleast_2d(stored))
        return {DENSE: stored, DENSE_SMALL: small if stored.ndim > 1 else small[0]}

    def require_numbers(self) -> None:
        """Refuse what needs the model's vectors where nothing but signs is kept.

        :raises ConfigurationError: It is so.
        """
        if self.compression.datatype == "bits" and not self.compression.full:
            raise ConfigurationError(
                f"collection {self._name!r} keeps nothing but signs of its vectors (compression "
                f"{str(self.compression)!r}), which cannot be turned back into numbers. Ingest into a collection that "
                "keeps some: Recipe(…, compression='float16')."
            )

    def raw(self, stored: FloatArray) -> FloatArray:
        """Return the embedder's vectors (n, dim) of what `dense` holds, as exact as the stored format."""
        return np.asarray(stored, np.float32) if self.compression.full else self.vector_codec.decode(stored)


def kept_digest(engine: Engine, name: str) -> str | None:
    """Return the digest of the transform that is kept with a collection; None where there is none."""
    return _digest_in(engine.stored_metadata(name))


def _digest_in(metadata: Mapping[str, Json]) -> str | None:
    found = metadata.get(DIGEST_KEY)
    return None if found is None else str(found)


def _stored_transform(engine: Engine, name: str, metadata: Mapping[str, Json] | None) -> Transform | None:
    known = engine.stored_metadata(name) if metadata is None else metadata
    wanted = _digest_in(known)
    if wanted is None:
        return None
    data = attachment_in(known)
    data = engine.load_attachment(name) if data is None else data
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
