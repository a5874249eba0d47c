"""Passages to train positions on: runs of tokens from documents, and batches of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from qdrant_embed.errors import ConfigurationError
from qdrant_embed.tokens import HuggingFaceTokens

SHORTEST = 8
"""Tokens below which a passage says too little."""


def texts_in(corpus: str | Path) -> Iterator[str]:
    """Yield the texts of a file or of a folder's files; those that cannot be read are warned of.

    :raises ConfigurationError: There is no such file or folder.
    """
    from qdrant_embed.reading.read_documents import read_documents

    yield from (document.text for document in read_documents(corpus))


def passages(texts: Iterable[str], tokens: HuggingFaceTokens, most: int, *, seed: int) -> list[list[int]]:
    """Cut texts into passages of token ids, special tokens left out, each between an eighth of `most` and `most` long.

    Lengths are drawn evenly, so that a model learns that both ends of short texts, too, may stand anywhere.

    :raises ConfigurationError: There are fewer than two passages.
    """
    random = np.random.default_rng(seed)
    shortest = max(1, min(SHORTEST, most // 2))
    found: list[list[int]] = []
    for text in texts:
        (ids,) = tokens.ids_batch([text])
        start = 0
        while start < len(ids):
            end = start + int(random.integers(max(shortest, most // 8), most + 1))
            if len(ids[start:end]) >= shortest:
                found.append(list(ids[start:end]))
            start = end
    if len(found) < 2:
        raise ConfigurationError(
            f"the corpus gives {len(found)} passages of {shortest} tokens or more; there have to be two or more."
        )
    return found


def batches(count: int, size: int, steps: int, *, seed: int) -> Iterator[Sequence[int]]:
    """Yield `steps` batches of places among `count` passages, which are neighbors in the corpus.

    Passages of one document are harder to tell apart than those of two. Every passage is used before one is used twice.
    """
    random = np.random.default_rng(seed)
    size = min(size, count)
    starts: list[int] = []
    for _ in range(steps):
        if not starts:
            first = int(random.integers(size))
            starts = [int(start) for start in random.permutation(np.arange(first, first + count, size))]
        start = starts.pop()
        yield [(start + place) % count for place in range(size)]
