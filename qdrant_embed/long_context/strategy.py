"""What happens to a text that is longer than the model: strategies by name, as values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from qdrant_embed.errors import ConfigurationError, UnknownNameError
from qdrant_embed.long_context.extension import METHODS, Extension
from qdrant_embed.types import FloatArray, TokenSpan

CUTS: Mapping[str, tuple[str, ...]] = {
    "error": (),
    "truncate": (),
    "pcw": ("length-weighted",),
    "windows": (),
    "late": (),
}
"""What is done with a text that is too long → its possible arguments."""
_SPELLINGS = {"average": "pcw"}
SIZED = ("windows", "late")
"""Those whose argument is a number of tokens."""
FEWEST_TOKENS = 8


@dataclass(frozen=True, slots=True)
class WindowStrategy:
    """A strategy such as `pcw`, `pi:4096` or `pi:4096+truncate`; `str` gives the same text back.

    - `error`: refuse the text.
    - `truncate`: keep its beginning.
    - `pcw`: parallel context windows (LongEmbed, Zhu et al. 2024, section 3.1): read it in windows of the model's
      length, the last one shifted left so that it is full, and average their vectors. `length-weighted` gives the last
      window only the weight of the tokens that no other window has. `average` is read as the same word.
    - `windows`: the same windows, or such of `N` tokens (`windows:128`), each with a vector of its own.
    - `late`: late chunking (Günther et al. 2024, arXiv 2409.04701): the document is read whole, or in overlapping macro
      windows of the model's length or of `N` tokens (`late:256`), and the states of each chunk's tokens are averaged.

    `N` counts prompt and special tokens, as the model's own length does. An extension before them (`pi:4096+pcw`) makes
    the model read that many tokens in one pass; what is longer still is treated as the second word says, `pcw` if there
    is none.

    :param name: What is done with a text that is too long.
    :param argument: Its argument, empty for none.
    :param extension: What makes the model read more tokens; None to leave it as it is.
    """

    name: str = "pcw"
    argument: str = ""
    extension: Extension | None = None

    @classmethod
    def parse(cls, text: str) -> WindowStrategy:
        """Read the text form.

        :raises ConfigurationError: A word or its argument is unknown, or there are two of a kind.
        """
        extension: Extension | None = None
        cut: tuple[str, str] | None = None
        for word in text.strip().split("+"):
            if word.partition(":")[0] in METHODS:
                if extension or cut:
                    raise ConfigurationError(f"{text!r}: give one extension, before all else, e.g. pi:4096+pcw.")
                extension = Extension.parse(word)
            elif cut:
                raise ConfigurationError(f"{text!r} says twice what happens to a text that is too long; say it once.")
            else:
                cut = _cut(word)
        return cls(*(cut or ("pcw", "")), extension)

    @property
    def tokens(self) -> int:
        """Tokens of a window, prompt and special tokens included; 0 for the model's own length."""
        return int(self.argument) if self.name in SIZED and self.argument else 0

    @property
    def for_queries(self) -> WindowStrategy:
        """What is done with a query, which has one vector whatever documents have."""
        return replace(self, name="pcw", argument="") if self.name in SIZED else self

    def __str__(self) -> str:
        cut = f"{self.name}:{self.argument}" if self.argument else self.name
        if self.extension is None:
            return cut
        return str(self.extension) if cut == "pcw" else f"{self.extension}+{cut}"

    def windows(self, tokens: int, room: int) -> list[TokenSpan]:
        """Return the windows in which a text of `tokens` tokens is read, `room` of which the model can take."""
        if tokens <= room or self.name == "truncate":
            return [(0, min(tokens, room))]
        starts = [*range(0, tokens - room, room), tokens - room]
        return [(start, start + room) for start in starts]

    def combine(self, vectors: FloatArray, windows: Sequence[TokenSpan]) -> FloatArray:
        """Average window vectors (windows, dim), not normalized, into one vector (dim,)."""
        if len(windows) == 1:
            return np.asarray(vectors[0], np.float32)
        if not self.argument:
            return np.asarray(vectors.mean(axis=0), np.float32)
        ends = [0, *(end for _, end in windows)]
        fresh = np.array([end - max(start, before) for (start, end), before in zip(windows, ends, strict=False)])
        return np.asarray(np.average(vectors, axis=0, weights=fresh), np.float32)


def usual_words(text: str) -> str:
    """Return a strategy's text with the word that is kept for each that is read: `pcw` for `average`."""
    words = (word.partition(":") for word in text.split("+"))
    return "+".join(_SPELLINGS.get(name, name) + colon + argument for name, colon, argument in words)


def _cut(word: str) -> tuple[str, str]:
    name, _, argument = usual_words(word).partition(":")
    if name not in CUTS:
        raise UnknownNameError("window strategy", name, (*CUTS, *METHODS))
    if name in SIZED and argument:
        if argument.isdecimal() and int(argument) >= FEWEST_TOKENS:
            return name, str(int(argument))
        raise ConfigurationError(f"{word!r}: give the tokens of a window, {FEWEST_TOKENS} or more, e.g. {name}:256.")
    if argument and argument not in CUTS[name]:
        known = ", ".join(f"{name}:{value}" for value in CUTS[name]) or f"{name} takes no argument"
        raise ConfigurationError(f"unknown window strategy {word!r}; known: {name}, {known}.")
    return name, argument
