"""What an embedder returns: vectors, and what it took to make them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from qdrant_embed.long_context import TokenSpan
from qdrant_embed.types import FloatArray

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Encoded:
    """Vectors, and what it took to make them.

    :param vectors: (n, dim) float32, in the order of the texts.
    :param tokens: Tokens that went through the model, prompts and special tokens included.
    :param truncated: Texts whose end was cut off.
    :param windowed: Texts that were read in several windows.
    :param extended: Texts longer than the window that the model was trained for, which were read by stretching it.
    """

    vectors: FloatArray
    tokens: int = 0
    truncated: int = 0
    windowed: int = 0
    extended: int = 0


@dataclass(frozen=True, slots=True)
class WindowVectors:
    """One text under the window strategy `windows`.

    :param vectors: (windows, dim) float32, in reading order.
    :param spans: Characters `[start, end)` of each window; the last one overlaps the one before it.
    """

    vectors: FloatArray
    spans: Sequence[TokenSpan]


@dataclass(frozen=True, slots=True)
class EncodedWindows:
    """Texts with a vector for each window, and what it took to make them; counts as in `Encoded`."""

    texts: Sequence[WindowVectors]
    tokens: int = 0
    windowed: int = 0
    extended: int = 0


@dataclass(frozen=True, slots=True)
class EncodedAuxiliary(Generic[V]):
    """Vectors in the order of their texts, and what it took to make them.

    :param tokens: Tokens that went through the model, prompts and special tokens included.
    :param truncated: Texts whose end was cut off.
    :param windowed: Texts that were read in several windows.
    """

    vectors: Sequence[V]
    tokens: int = 0
    truncated: int = 0
    windowed: int = 0
