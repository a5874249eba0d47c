"""What a runtime is given at once: token sequences, padded to one length, or texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qdrant_embed.types import IntArray

TokenIds = Sequence[int]


@dataclass(frozen=True, slots=True)
class TokenBatch:
    """Sequences padded to one length, special tokens and prompts included.

    :param ids: Token ids (n, tokens).
    :param mask: 1 for tokens, 0 for padding (n, tokens).
    :param prompted: Leading tokens that are prompt or stand before it, for models whose pooling leaves those out.
    :param pooled: 1 for the tokens that are pooled, where these are not all (n, tokens).
    """

    ids: IntArray
    mask: IntArray
    prompted: int = 0
    pooled: IntArray | None = None


@dataclass(frozen=True, slots=True)
class TextBatch:
    """Texts, prompts included, for runtimes that tokenize them or that hand them on.

    :param kind: `document` or `query`, for servers that want to be told.
    :param dim: Dimensions that will be kept, 0 for all; a runtime that can may give no more.
    """

    texts: tuple[str, ...]
    kind: str = "document"
    dim: int = 0
