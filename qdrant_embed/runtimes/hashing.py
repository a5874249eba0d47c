"""An embedder without a model: shared words, and nothing else."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from qdrant_embed.errors import ConfigurationError
from qdrant_embed.models.resolve import ResolvedModel
from qdrant_embed.runtimes import TextRuntime
from qdrant_embed.tokenization.batch import TextBatch
from qdrant_embed.types import FloatArray

Hashes = NDArray[np.uint64]

_WORD = re.compile(r"\w+")
_TEXTS_AT_ONCE = 1024


class HashingRuntime(TextRuntime):
    """Feature hashing (Weinberger et al. 2009): each word and each pair of neighbors adds ±1 to one dimension.

    The same vectors on every machine and in every batch, and fast. It finds texts that share words; it knows no
    meanings, no synonyms and no word order beyond pairs. Use it for tests and dry runs, never to judge how well
    retrieval works. It has no window: long texts are read whole.

    :raises ConfigurationError: The preset has weights, which this runtime would ignore.
    """

    def __init__(self, resolved: ResolvedModel) -> None:
        if resolved.files is not None:
            raise ConfigurationError(
                f"the runtime 'hashing' reads words, not weights; {resolved.preset.name!r} has weights. Give the "
                "runtime 'auto'."
            )
        self._dim = resolved.preset.dim

    def sentence(self, batch: TextBatch) -> FloatArray:
        """Return (n, dim) signed counts."""
        texts = batch.texts
        parts = [self._count(texts[at : at + _TEXTS_AT_ONCE]) for at in range(0, len(texts), _TEXTS_AT_ONCE)]
        return np.concatenate(parts) if parts else np.zeros((0, self._dim), np.float32)

    def _count(self, texts: Sequence[str]) -> FloatArray:
        words = [[_hash(word) for word in _WORD.findall(text.lower())] for text in texts]
        lengths = np.fromiter(map(len, words), np.int64, len(words))
        hashes = np.fromiter((value for text in words for value in text), np.uint64, int(lengths.sum()))
        rows = np.repeat(np.arange(len(texts)), lengths)
        neighbors = rows[:-1] == rows[1:]
        pairs = _mixed(hashes[:-1] * np.uint64(3) + hashes[1:])[neighbors]
        features, places = np.concatenate([hashes, pairs]), np.concatenate([rows, rows[:-1][neighbors]])
        signs = np.where(features & np.uint64(1), -1.0, 1.0)
        cells = places * self._dim + ((features >> np.uint64(1)) % np.uint64(self._dim)).astype(np.int64)
        counts = np.bincount(cells, weights=signs, minlength=len(texts) * self._dim).reshape(len(texts), self._dim)
        return counts.astype(np.float32)


@lru_cache(maxsize=65_536)
def _hash(word: str) -> int:
    digest = hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def _mixed(values: Hashes) -> Hashes:
    """Spread every bit over all others (the finaliser of SplitMix64, Steele et al. 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
