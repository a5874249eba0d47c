"""What happens to a text that is longer than the model: strategies by name, as values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from qdrant_embed.errors import ConfigurationError, UnknownNameError
from qdrant_embed.types import FloatArray

Window = tuple[int, int]
"""Tokens `[start, end)` of a text, prompt and special tokens not counted."""

STRATEGIES: Mapping[str, tuple[str, ...]] = {
    "error": (),
    "truncate": (),
    "pcw": ("length-weighted",),
}
"""Strategy → its possible arguments."""


@dataclass(frozen=True, slots=True)
class WindowStrategy:
    """A strategy such as `pcw` or `pcw:length-weighted`; `str` gives the same text back.

    - `error`: refuse the text.
    - `truncate`: keep its beginning.
    - `pcw`: parallel context windows (LongEmbed, Zhu et al. 2024, section 3.1): read it in windows of the model's
      length, the last one shifted left so that it is full, and average their vectors. `length-weighted` gives the last
      window only the weight of the tokens that no other window has.
    """

    name: str = "pcw"
    argument: str = ""

    @classmethod
    def parse(cls, text: str) -> WindowStrategy:
        """Read the text form.

        :raises ConfigurationError: The strategy or its argument is unknown.
        """
        name, _, argument = text.strip().partition(":")
        if name not in STRATEGIES:
            raise UnknownNameError("window strategy", name, STRATEGIES)
        if argument and argument not in STRATEGIES[name]:
            known = ", ".join(f"{name}:{value}" for value in STRATEGIES[name]) or f"{name} takes no argument"
            raise ConfigurationError(f"unknown window strategy {text!r}; known: {name}, {known}.")
        return cls(name, argument)

    def __str__(self) -> str:
        return f"{self.name}:{self.argument}" if self.argument else self.name

    def windows(self, tokens: int, room: int) -> list[Window]:
        """Return the windows in which a text of `tokens` tokens is read, `room` of which the model can take."""
        if tokens <= room or self.name == "truncate":
            return [(0, min(tokens, room))]
        starts = [*range(0, tokens - room, room), tokens - room]
        return [(start, start + room) for start in starts]

    def combine(self, vectors: FloatArray, windows: Sequence[Window]) -> FloatArray:
        """Average window vectors (windows, dim), not normalised, into one vector (dim,)."""
        if len(windows) == 1:
            return np.asarray(vectors[0], np.float32)
        if not self.argument:
            return np.asarray(vectors.mean(axis=0), np.float32)
        ends = [0, *(end for _, end in windows)]
        fresh = np.array([end - max(start, before) for (start, end), before in zip(windows, ends, strict=False)])
        return np.asarray(np.average(vectors, axis=0, weights=fresh), np.float32)
