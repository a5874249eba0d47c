"""Measuring spans of one text in tokens, the text tokenized once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from qdrant_embed.tokens import WORD_CHARACTERS, TokenCounter
from qdrant_embed.types import CharSpan, IntArray

GIANT = 64
"""Characters from which a single token is one that the vocabulary gave up on (`[UNK]` for a base64 blob)."""
PIECE = 32_768
"""Characters tokenized at once: several times faster than a book at once, and no stack overflows on a huge line."""
_INDENT = 40
"""Characters of indentation that a span may keep before its first word."""


class Ruler:
    """Tells how many tokens a span has, in logarithmic time.

    The figure is that of the whole text's tokens that begin in the span. A tokenizer that looks beyond white space may
    count the span alone a little differently; what is cut by this measure is therefore counted exactly at the end.
    """

    def __init__(self, text: str, counter: TokenCounter) -> None:
        self.text = text
        self._starts = _token_starts(text, counter)

    def tokens(self, start: int, end: int) -> int:
        """Return the number of tokens that begin in `[start, end)`."""
        return self.index(end) - self.index(start)

    def index(self, position: int) -> int:
        """Return the number of tokens that begin before the position."""
        return int(np.searchsorted(self._starts, position))

    def indices(self, positions: Sequence[int]) -> list[int]:
        """Return `index` of each position, in one fast call."""
        found: list[int] = np.searchsorted(self._starts, np.asarray(positions, np.int64)).tolist()
        return found

    def back(self, position: int, tokens: int, no_further: int) -> int:
        """Return where the text lying `tokens` tokens before `position` begins, not before `no_further`."""
        place = max(0, self.index(position) - tokens)
        # A tokenizer may give no token for the last characters.
        return max(no_further, min(position, int(self._starts[place]))) if place < len(self._starts) else position

    def forward(self, start: int, tokens: int, end: int) -> int:
        """Return where the text of `tokens` tokens from `start` ends, not after `end`, but always after `start`."""
        place = self.index(start) + tokens
        while place < len(self._starts) and self._starts[place] <= start:
            place += 1  # one character may be several tokens, all of which begin with it
        return min(end, int(self._starts[place])) if place < len(self._starts) else end


def trimmed(text: str, start: int, end: int) -> CharSpan:
    """Return the span without blank lines before and white space after it; empty if there is nothing else.

    The indentation of its first line stays: it means something in code and in lists.
    """
    part = text[start:end]
    lead = len(part) - len(part.lstrip())
    if lead == len(part):
        return end, end
    at_line = max(part.rfind("\n", 0, lead), part.rfind("\r", 0, lead)) + 1
    whole_line = at_line > 0 or start == 0 or text[start - 1] in "\r\n"
    first = at_line if whole_line and lead - at_line <= _INDENT else lead
    return start + first, start + len(part.rstrip())


def _token_starts(text: str, counter: TokenCounter) -> IntArray:
    """Return where tokens begin, giant ones counted as several: one token may otherwise make a chunk of megabytes."""
    found = [start + counter.offsets(text[start:end]) for start, end in _pieces(text)]
    offsets = np.concatenate([np.zeros((0, 2), np.int64), *found])
    # Some normalizers reorder marks within a character; a search needs order.
    starts = np.maximum.accumulate(offsets[:, 0]) if len(offsets) else offsets[:, 0]
    # Gaps as well: what a tokenizer ignores (control characters, say) must not grow without end.
    borders = np.concatenate([[0], starts, [len(text)]])
    giants = np.flatnonzero(np.diff(borders) > GIANT)
    inside = [np.arange(borders[giant], borders[giant + 1], WORD_CHARACTERS)[1:] for giant in giants]
    return np.sort(np.concatenate([starts, *inside])) if inside else np.ascontiguousarray(starts)


def _pieces(text: str) -> Iterator[CharSpan]:
    """Yield spans of moderate size, each ending before white space where there is some."""
    start, length = 0, len(text)
    while start < length:
        end = start + PIECE
        if end < length:
            last = max(text.rfind("\n", start + 1, end), 0) or max(text.rfind(" ", start + 1, end), 0)
            end = last if last > start + PIECE // 2 else end
        yield start, min(end, length)
        start = end
