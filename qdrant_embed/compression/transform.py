"""What was learned from a collection's vectors, as one value that is kept with the collection."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from safetensors.numpy import load, save

from qdrant_embed.compression.binary_codes import _NARROW, _WIDE, ByteArray
from qdrant_embed.compression.rotations import balanced, itq, random_rotation
from qdrant_embed.compression.spec import PRODUCT_CODES, Compression
from qdrant_embed.errors import ConfigurationError
from qdrant_embed.types import FloatArray

LEVELS = 255
"""Steps of an eight-bit number."""

FORMAT = "qdrant_embed.transform.1"
DIMENSIONS_PER_PART = 8
"""Dimensions that an OPQ-like rotation balances together where no product code says how many a byte covers."""
FEWEST_VECTORS = 256
"""From so many on, means and medians are known to a fraction of what vectors vary by."""
MARGIN = 1.05
"""How much further than a sample's numbers those of later vectors may go."""
SPREAD = 6.0
"""Numbers of unit vectors of d dimensions are mostly below this times 1/√d, whatever the sample happened to hold."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Transform:
    """The steps after normalizing: center, rotate, then signs or eight-bit numbers.

    :param mean: (dim,) subtracted first.
    :param matrix: (out, dim) directions; orthogonal unless it is a learned code's.
    :param thresholds: (out,) that a number must exceed for a set bit.
    :param query_matrix: (out, dim) directions of queries, which weigh the bits of a learned code; None where queries
        become codes too.
    :param scale: Eight-bit numbers.
    :param sample: Number of vectors that it was learned from.
    """

    dim: int
    mean: FloatArray | None = None
    matrix: FloatArray | None = None
    thresholds: FloatArray | None = None
    query_matrix: FloatArray | None = None
    scale: Scale | None = None
    sample: int = 0

    @property
    def width(self) -> int:
        """Number of dimensions that come out."""
        return self.dim if self.matrix is None else len(self.matrix)

    def rotate(self, vectors: FloatArray, *, centered: bool = True) -> FloatArray:
        """Return (n, width): centered, unless told not to, and rotated."""
        moved = vectors - self.mean if centered and self.mean is not None else vectors
        return np.asarray(moved if self.matrix is None else moved @ self.matrix.T, np.float32)

    def weigh(self, queries: FloatArray) -> FloatArray | None:
        """Return what each bit counts for queries (n, dim), as (n, out): + it if set, - it if not; None for codes."""
        if self.query_matrix is None:
            return None
        moved = queries if self.mean is None else queries - self.mean
        return np.asarray(moved @ self.query_matrix.T, np.float32)

    def unrotate(self, vectors: FloatArray) -> FloatArray:
        """Return what `rotate` was given, up to float32's rounding: an orthogonal matrix is undone by its transpose.

        :raises ConfigurationError: The matrix is a learned code's, which has no inverse.
        """
        if self.matrix is not None and self.matrix.shape[0] != self.matrix.shape[1]:
            raise ConfigurationError("a learned code cannot be turned back into vectors.")
        turned = vectors if self.matrix is None else vectors @ self.matrix
        return np.asarray(turned if self.mean is None else turned + self.mean, np.float32)

    def to_bytes(self) -> bytes:
        """Return the transform as a safetensors file; equal transforms give equal bytes."""
        tensors = {
            name: np.ascontiguousarray(value)
            for name in ("mean", "matrix", "thresholds", "query_matrix")
            if (value := getattr(self, name)) is not None
        }
        if self.scale is not None:
            tensors["scale"] = np.array([self.scale.low, self.scale.step], np.float64)
        # Even a transform that changes nothing is a file with a tensor in it.
        tensors["dim"] = np.array([self.dim], np.int64)
        return bytes(save(tensors, metadata={"about": json.dumps({"format": FORMAT, "sample": self.sample})}))

    @classmethod
    def from_bytes(cls, data: bytes) -> Transform:
        """Read `to_bytes` back.

        :raises ConfigurationError: It is no such file.
        """
        try:
            about = json.loads(_metadata(data).get("about", "{}"))
            tensors = load(data)
            if about.get("format") != FORMAT:
                raise ValueError(f"format {about.get('format')!r}")
            scale = tensors.pop("scale", None)
            return cls(
                dim=int(tensors.pop("dim")[0]),
                scale=None if scale is None else Scale(float(scale[0]), float(scale[1])),
                sample=int(about["sample"]),
                **tensors,
            )
        except Exception as error:
            raise ConfigurationError(
                f"this is not a rotation file of qdrant_embed ({error}); restore it from a copy of the folder."
            ) from error

    @property
    def digest(self) -> str:
        """32 hexadecimal characters that are the same for equal transforms only."""
        return hashlib.blake2b(self.to_bytes(), digest_size=16).hexdigest()


def fit_transform(compression: Compression, vectors: FloatArray, seed: int = 0) -> Transform:
    """Learn what a compression needs from a sample of vectors (n, dim), cut and normalized.

    :raises ConfigurationError: There is no vector to learn from, one is not finite, or it is a learned code, which is
        trained by itself.
    """
    if compression.learned is not None:
        raise ConfigurationError(
            f"a learned code must be trained first: qdrant-embed train-codes --bits {compression.learned}."
        )
    if compression.fitted and not len(vectors):
        raise ConfigurationError(f"compression {str(compression)!r} is learned from vectors, and there are none.")
    if not np.isfinite(vectors).all():
        raise ConfigurationError(f"compression {str(compression)!r} is learned from vectors, and some are not finite.")
    mean = vectors.mean(axis=0, dtype=np.float64).astype(np.float32) if compression.center else None
    moved = vectors if mean is None else vectors - mean
    matrix = _matrix(compression, moved, seed)
    turned = moved if matrix is None else moved @ matrix.T
    return Transform(
        dim=vectors.shape[1],
        mean=mean,
        matrix=matrix,
        thresholds=np.median(turned, axis=0).astype(np.float32) if compression.median else None,
        scale=_scale(turned, vectors, mean) if compression.datatype == "uint8" else None,
        sample=len(vectors) if compression.fitted else 0,
    )


def enough_vectors(compression: Compression, dim: int) -> int:
    """Return how many vectors settle what a compression learns; 0 where it learns nothing from them.

    Rotations need as many as there are dimensions: of directions that no vector has, nothing can be learned.
    """
    if not compression.fitted or compression.learned is not None:
        return 0
    return max(FEWEST_VECTORS, dim) if compression.rotation in ("itq", "opq") else FEWEST_VECTORS


def _scale(turned: FloatArray, vectors: FloatArray, mean: FloatArray | None) -> Scale:
    """Return the scale of eight-bit numbers of a sample, centered and rotated; `vectors` is the sample as it was."""
    if not np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-3):
        return Scale.of(turned)
    # A first short document would otherwise decide for good beyond which numbers all later ones are clipped.
    length = 1.0 + (0.0 if mean is None else float(np.linalg.norm(mean)))
    usual = SPREAD / np.sqrt(turned.shape[1])
    return Scale.within(min(length, max(usual, MARGIN * float(np.abs(turned).max()))))


def _matrix(compression: Compression, vectors: FloatArray, seed: int) -> FloatArray | None:
    dim = vectors.shape[1]
    if compression.rotation == "rotate":
        return random_rotation(dim, seed)
    if compression.rotation == "itq":
        return itq(vectors, seed)
    if compression.rotation == "opq":
        per_part = int(compression.code[2:]) // 4 if compression.code in PRODUCT_CODES else DIMENSIONS_PER_PART
        return balanced(vectors, max(1, dim // max(1, per_part)))
    return None


def _metadata(data: bytes) -> dict[str, Any]:
    length = int.from_bytes(data[:8], "little")
    header: dict[str, Any] = json.loads(data[8 : 8 + length])
    return dict(header.get("__metadata__", {}))


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

        :raises ConfigurationError: The sample is empty, or holds something that is not a finite number.
        """
        if not vectors.size:
            raise ConfigurationError("a scale needs at least one vector.")
        low, high = float(vectors.min()), float(vectors.max())
        if not (np.isfinite(low) and np.isfinite(high)):
            raise ConfigurationError("a scale needs finite numbers; the sample holds nan or infinity.")
        # Of numbers that hardly differ nothing is known but where they are.
        spare = margin * (high - low) if high - low > _NARROW else 1.0
        return cls(low - spare, (high - low + 2 * spare) / LEVELS)

    @classmethod
    def within(cls, bound: float) -> Scale:
        """Return the scale of numbers between -`bound` and `bound`."""
        return cls(-bound, 2 * bound / LEVELS)

    @property
    def _kind(self) -> Any:
        """What steps are computed in: float32 where it holds them."""
        return np.float32 if abs(self.low) + LEVELS * self.step < _WIDE and self.step > 1 / _WIDE else np.float64

    def encode(self, vectors: FloatArray) -> ByteArray:
        """Return the nearest steps; what lies outside is given the outermost one.

        :raises ConfigurationError: A number is nan.
        """
        kind = self._kind
        steps = np.rint((np.asarray(vectors, kind) - kind(self.low)) / kind(self.step))
        if np.isnan(steps).any():
            raise ConfigurationError("nan has no step on a scale; give numbers.")
        return np.asarray(np.clip(steps, 0, LEVELS), np.uint8)

    def decode(self, steps: FloatArray | ByteArray) -> FloatArray:
        """Return the numbers that steps stand for, each within half a step of what was encoded."""
        kind, most = self._kind, float(np.finfo(np.float32).max)
        found = np.asarray(steps, kind) * kind(self.step) + kind(self.low)
        return np.asarray(np.clip(found, -most, most), np.float32)
