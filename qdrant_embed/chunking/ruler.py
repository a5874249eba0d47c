"""Measuring spans of one text in tokens, the text tokenised once."""

from __future__ import annotations

import numpy as np

from qdrant_embed.tokens import WORD_CHARACTERS, TokenCounter
from qdrant_embed.types import IntArray

GIANT = 64
"""Characters from which a single token is one that the vocabulary gave up on (`[UNK]` for a base64 blob)."""


class Ruler:
    """Tells how many tokens a span has, in logarithmic time.

    The figure is that of the whole text's tokens that begin in the span. A tokenizer that looks beyond white space may
    count the span alone a little differently; what is cut by this measure is therefore counted exactly at the end.
    """

    def __init__(self, text: str, counter: TokenCounter) -> None:
        self.text = text
        self._starts = _with_giants_divided(counter.offsets(text))

    def tokens(self, start: int, end: int) -> int:
        """Return the number of tokens that begin in `[start, end)`."""
        return int(np.searchsorted(self._starts, end) - np.searchsorted(self._starts, start))

    def back(self, position: int, tokens: int, no_further: int) -> int:
        """Return where the text lying `tokens` tokens before `position` begins, not before `no_further`."""
        place = int(np.searchsorted(self._starts, position)) - tokens
        return max(no_further, int(self._starts[max(place, 0)])) if len(self._starts) else position

    def forward(self, start: int, tokens: int, end: int) -> int:
        """Return where the text of `tokens` tokens from `start` ends, not after `end`."""
        place = int(np.searchsorted(self._starts, start)) + tokens
        return min(end, int(self._starts[place])) if place < len(self._starts) else end


def _with_giants_divided(offsets: IntArray) -> IntArray:
    """Return where tokens begin, giant ones counted as several: one token may otherwise make a chunk of megabytes."""
    giants = offsets[offsets[:, 1] - offsets[:, 0] > GIANT]
    if not len(giants):
        return np.ascontiguousarray(offsets[:, 0])
    inside = [np.arange(start, end, WORD_CHARACTERS)[1:] for start, end in giants]
    return np.sort(np.concatenate([offsets[:, 0], *inside]))
