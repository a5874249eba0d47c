"""What an embedder returns: vectors, and what it took to make them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from qdrant_embed.types import CharSpan, FloatArray

V_co = TypeVar("V_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Encoded(Generic[V_co]):
    """Vectors, and what it took to make them.

    :param vectors: In the order of the texts: (n, dim) float32 of a dense model, else one item for each text.
    :param tokens: Tokens that went through the model, prompts and special tokens included.
    :param truncated: Texts whose end was cut off.
    :param windowed: Texts that were read in several windows.
    :param extended: Texts longer than the window that the model was trained for, which were read by stretching it.
    """

    vectors: V_co
    tokens: int = 0
    truncated: int = 0
    windowed: int = 0
    extended: int = 0

    @property
    def counts(self) -> dict[str, int]:
        """The counts by name, as a report has them."""
        return {name: getattr(self, name) for name in ("tokens", "truncated", "windowed", "extended")}


@dataclass(frozen=True, slots=True)
class WindowVectors:
    """One text under the window strategy `windows`.

    :param vectors: (windows, dim) float32, in reading order.
    :param spans: Characters `[start, end)` of each window; the last one overlaps the one before it.
    """

    vectors: FloatArray
    spans: Sequence[CharSpan]
