"""Counting what a model will see: one small protocol over Hugging Face tokenizers, tiktoken and plain words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from qdrant_embed.types import IntArray


@runtime_checkable
class TokenCounter(Protocol):
    """Counts tokens the way one model does, special tokens left out.

    `name` identifies the tokenizer (a hash or a public encoding name); it goes into the recipe's fingerprint.
    """

    @property
    def name(self) -> str:
        """A name under which equal tokenizers are equal."""
        ...

    def count(self, text: str) -> int:
        """Return the number of tokens of the text, special tokens left out."""
        ...

    def count_batch(self, texts: Sequence[str]) -> list[int]:
        """Return `count` of each text, in order, in one fast call."""
        ...

    def offsets(self, text: str) -> IntArray:
        """Return the character span `[start, end)` of every token, shape (tokens, 2), in order."""
        ...
