"""A whole document as tokens with their characters, and what a model wants around each window of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from qdrant_embed.errors import ConfigurationError
from qdrant_embed.models.prompts import TEXT
from qdrant_embed.tokens import encodable
from qdrant_embed.types import CharSpan, IntArray, TokenSpan

if TYPE_CHECKING:
    from tokenizers import Tokenizer


@dataclass(frozen=True, slots=True)
class DocumentTokens:
    """A text as tokens, however many.

    :param head: Special tokens and prompt before the text; `tail` what follows it.
    :param ids: The text's own tokens, those that reach into the prompt included.
    :param offsets: The character span of each in the text, (tokens, 2).
    :param body: The characters `[start, end)` of the text without the white space around it.
    """

    head: Sequence[int]
    ids: Sequence[int]
    tail: Sequence[int]
    offsets: IntArray
    body: CharSpan

    def within(self, prefix: Sequence[int], suffix: Sequence[int]) -> DocumentTokens:
        """Return the same text with special tokens outside all else."""
        return replace(self, head=[*prefix, *self.head], tail=[*self.tail, *suffix])

    def tokens_of(self, spans: Sequence[CharSpan]) -> list[TokenSpan]:
        """Return the tokens `[first, last)` of spans of characters, ordered by where they start.

        A token that lies across a border belongs to the span that holds its middle character (of two in the middle, the
        first). A span in which no token has its middle takes the one around it. One with nothing but white space before
        it takes the tokens of that too, and so behind it, so that all of a text is the same as the text.
        """
        if not len(self.ids):
            return [(0, 0)] * len(spans)
        starts, ends = self.offsets[:, 0], self.offsets[:, 1]
        # Some normalizers reorder marks within a character; a search needs order.
        middles = np.maximum.accumulate(np.maximum(starts, (starts + ends - 1) // 2))
        edges = np.asarray(spans, np.int64).reshape(-1, 2)
        firsts, lasts = np.searchsorted(middles, edges[:, 0]), np.searchsorted(middles, edges[:, 1])
        empty = firsts == lasts
        around = np.clip(np.searchsorted(starts, edges[:, 0], side="right") - 1, 0, len(middles) - 1)
        firsts, lasts = np.where(empty, around, firsts), np.where(empty, around + 1, lasts)
        firsts[edges[:, 0] <= self.body[0]] = 0
        lasts[edges[:, 1] >= self.body[1]] = len(middles)
        return list(zip(firsts.tolist(), lasts.tolist(), strict=True))


def frame(tokenizer: Tokenizer, text: str, prompt: str) -> DocumentTokens:
    """Tokenize a text together with its prompt, as in training, and say which tokens are whose.

    :raises ConfigurationError: The prompt holds the text more than once, so that a token has several states.
    """
    before, *between, after = prompt.split(TEXT) if TEXT in prompt else (prompt, "")
    if between:
        raise ConfigurationError(
            "this model reads a text several times in one prompt, so each token of it has several states and 'late' "
            "cannot pool them. Choose the window strategy 'pcw' or 'windows'."
        )
    encoding = tokenizer.encode(encodable(before + text + after), add_special_tokens=False)
    offsets = np.array(encoding.offsets, np.int64).reshape(-1, 2)
    start, end = len(before), len(before) + len(text)
    inside = np.flatnonzero((offsets[:, 1] > start) & (offsets[:, 0] < end))
    none = int((offsets[:, 1] <= start).sum())
    first, last = (int(inside[0]), int(inside[-1]) + 1) if len(inside) else (none, none)
    return DocumentTokens(
        head=encoding.ids[:first],
        ids=encoding.ids[first:last],
        tail=encoding.ids[last:],
        offsets=np.clip(offsets[first:last] - start, 0, len(text)),
        body=(len(text) - len(text.lstrip()), len(text.rstrip())),
    )
