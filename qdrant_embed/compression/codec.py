"""Vectors of the model into vectors of the store, and queries with them: the one place where the order of steps stands.

    pool → truncate → normalize → center and rotate → signs or eight-bit numbers

The first three are the embedder's, by `vectors.finish`; whatever is cut later is cut by the same. With `full`, the
store's main vector is the model's own, and the compressed one is a second vector beside it, made from it here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from qdrant_embed.compression.binary_codes import ByteArray, pack_signs
from qdrant_embed.compression.spec import Compression
from qdrant_embed.compression.transform import Transform, fit_transform
from qdrant_embed.compression.truncation import LARGEST_HALF, finish
from qdrant_embed.errors import ConfigurationError, ModelError
from qdrant_embed.types import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedQueries:
    """Queries as the store is asked.

    :param vectors: (n, width) to search the compressed vector with, or what each bit of a learned code counts.
    :param offsets: (n,) to add to each score: what centering took from it.
    """

    vectors: FloatArray
    offsets: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorCodec:
    """Applies a compression.

    :param dim: Dimensions that the embedder gives.
    :param distance: The model's: `cosine`, `dot` or `euclid`.
    :param normalize: Whether the model's vectors are made unit vectors, and so what is cut of them too.
    :param transform: What was learned or drawn; None until it has been.
    """

    compression: Compression
    dim: int
    distance: str
    normalize: bool = False
    transform: Transform | None = None

    def __post_init__(self) -> None:
        found = self.transform
        if found is not None and found.dim != self.cut_dim:
            raise ConfigurationError(
                f"the rotation file is for {found.dim} dimensions, the collection has {self.cut_dim}: it does not "
                "belong to this collection. Restore the collection's own from a copy of the folder."
            )
        if self.compression.datatype == "uint8" and self.distance == "dot":
            raise ConfigurationError(
                "'uint8' keeps distances and cosines, not dot products, and this model compares by dot product; "
                "store 'float16', or 'turbo8' where the engine has it."
            )

    @classmethod
    def start(cls, compression: Compression, dim: int, distance: str, *, normalize: bool = False) -> VectorCodec:
        """Return a codec that has seen no vector yet; it is ready where nothing is to be kept with the collection."""
        vector_codec = cls(compression=compression, dim=dim, distance=distance, normalize=normalize)
        if compression.keeps_transform:
            return vector_codec
        return vector_codec.with_transform(fit_transform(compression, np.zeros((0, vector_codec.cut_dim), np.float32)))

    @property
    def cut_dim(self) -> int:
        """Dimensions left by truncation."""
        return min(self.dim, self.compression.dim or self.dim) if self.compression.full else self.dim

    @property
    def width(self) -> int:
        """Numbers of a compressed vector: dimensions, or bytes of sign codes."""
        return -(-self.bits // 8) if self.compression.datatype == "bits" else self.bits

    @property
    def bits(self) -> int:
        """Bits of a sign code: those that were trained, or one a dimension."""
        return self.compression.learned or self.cut_dim

    @property
    def store_distance(self) -> str:
        """How the store compares compressed vectors so that the ranking is the model's."""
        if self.compression.datatype == "bits":
            return "dot"
        if self.compression.datatype == "uint8":
            return "euclid"
        return "dot" if self.compression.center and self.distance == "cosine" else self.distance

    @property
    def ready(self) -> bool:
        """Whether vectors can be encoded: nothing is to be learned or drawn, or it has been."""
        return self.transform is not None

    def fit(self, vectors: FloatArray) -> VectorCodec:
        """Return a codec that has learned from the embedder's vectors (n, dim)."""
        return self.with_transform(fit_transform(self.compression, self._cut(vectors)))

    def with_transform(self, transform: Transform) -> VectorCodec:
        """Return a codec with a transform."""
        return replace(self, transform=transform)

    # Into the store

    def encode(self, vectors: FloatArray) -> FloatArray:
        """Return compressed vectors (n, width) of the embedder's (n, dim), as float32 whatever they hold."""
        return self._quantized(self._transform().rotate(self._cut(vectors)))

    def queries(self, vectors: FloatArray) -> EncodedQueries:
        """Return queries, given the embedder's vectors (n, dim)."""
        cut, transform = self._cut(vectors), self._transform()
        none = np.zeros(len(cut), np.float32)
        if (weights := transform.weigh(cut)) is not None:
            return EncodedQueries(vectors=weights, offsets=none)
        if self.store_distance != "dot" or self.compression.datatype == "bits" or transform.mean is None:
            return EncodedQueries(vectors=self._quantized(transform.rotate(cut)), offsets=none)
        # q·(x - mean) = q·x - q·mean: the same for every x, so the ranking stays and the score is mended by adding it.
        offsets = np.asarray(cut @ transform.mean, np.float32)
        return EncodedQueries(vectors=transform.rotate(cut, centered=False), offsets=offsets)

    def score(self, found: float, offset: float) -> float:
        """Return the model's own score for the store's, larger is nearer.

        A distance is given its other sign, as by sentence-transformers, so that nobody who sorts hits, or keeps those
        above a line, has to ask how they were compared.
        """
        if self.compression.datatype == "uint8" and not self.compression.full:
            scale = self._transform().scale
            found *= 1.0 if scale is None else scale.step
            if self.distance != "euclid":
                return 1.0 - found * found / 2
        # Not -found, which makes -0.0 of the distance between equals.
        return 0.0 - found if self.distance == "euclid" else found + offset

    def real_scores(self, query: FloatArray, vectors: FloatArray) -> FloatArray:
        """Return the model's own scores (n,) of whole vectors (n, dim), up to a constant of the query (dim,).

        Those that learned codes come near: a distance is half its square there, with its other sign.
        """
        normalize = self.normalize or self.distance == "cosine"
        asked, found = (finish(given, dim=self.dim, normalize=normalize) for given in (query[None], vectors))
        lengths = np.square(found).sum(axis=1) / 2 if self.distance == "euclid" else 0.0
        return np.asarray(found @ asked[0] - lengths, np.float32)

    # Out of the store

    def decode(self, stored: FloatArray) -> FloatArray:
        """Return the embedder's vectors (n, dim) of compressed ones: exactly so far as the stored format is exact.

        :raises ConfigurationError: Only signs were kept.
        """
        if self.compression.datatype == "bits":
            raise ConfigurationError(
                "sign codes ('bits') cannot be turned back into vectors; ingest the documents again instead."
            )
        transform = self._transform()
        numbers = stored if transform.scale is None else transform.scale.decode(stored)
        return transform.unrotate(np.asarray(numbers, np.float32))

    def codes(self, vectors: FloatArray) -> ByteArray:
        """Return the packed sign codes (n, bytes) of the embedder's vectors, most significant bit first."""
        transform = self._transform()
        return pack_signs(transform.rotate(self._cut(vectors)), transform.thresholds)

    # Steps

    def _cut(self, vectors: FloatArray) -> FloatArray:
        # Of cosines only the direction counts, and what follows takes every vector for a unit vector.
        return finish(vectors, dim=self.cut_dim, normalize=self.normalize or self.distance == "cosine")

    def _quantized(self, turned: FloatArray) -> FloatArray:
        transform = self._transform()
        if self.compression.datatype == "bits":
            return pack_signs(turned, transform.thresholds).astype(np.float32)
        if self.compression.datatype == "float16" and np.abs(turned).max(initial=0.0) > LARGEST_HALF:
            raise ModelError(
                f"the model gave a vector with a value of {float(np.abs(turned).max()):.4g}, and float16 ends at "
                f"{LARGEST_HALF:.0f}; store float32."
            )
        return turned if transform.scale is None else transform.scale.encode(turned).astype(np.float32)

    def _transform(self) -> Transform:
        if self.transform is None:
            raise ConfigurationError(
                f"compression {str(self.compression)!r} is learned from the collection's vectors, and there are none "
                "yet; ingest documents first."
            )
        return self.transform
