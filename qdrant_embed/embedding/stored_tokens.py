"""Vectors of tokens as a collection keeps them for reranking: merged, and a bit for each of some directions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from qdrant_embed.compression.binary_codes import pack_signs, unpack_signs
from qdrant_embed.embedding.results import Encoded
from qdrant_embed.embedding.token_embedder import TokenEmbedder
from qdrant_embed.errors import ConfigurationError
from qdrant_embed.pooling.token_merging import merged
from qdrant_embed.tokens import TokenCounter
from qdrant_embed.types import FloatArray, Json

SELF = "self"
"""What a recipe says instead of the name of a multi-vector model."""
BITS = 192
"""With `SHARE`, 3.8 kB for 200 tokens; see benchmarks/limit for what that keeps of the gain, and 384 bits."""
SHARE = 0.8
"""Vectors that are kept of a text's. Fewer bits cost less than fewer vectors: merging loses what stands there once."""
_SEED = 0


class StoredTokens:
    """Gives codes of the tokens of texts, and compares questions with them.

    A code is the signs of a token's vector along directions that are drawn at random, orthogonal to each other; a
    question keeps its numbers. (RaBitQ, arXiv 2405.12497, section 3, without its correction: lengths after the turn
    differ too little to change a maximum.)

    :param word: `self`, or `self:384` for another number of bits.
    :raises ConfigurationError: The word says something else, or the model has no states of tokens.
    """

    def __init__(self, word: str, tokens: TokenEmbedder, counter: TokenCounter) -> None:
        _, _, given = word.partition(":")
        tokens.require(f"Recipe(multivector={word!r})")
        self.bits = int(given) if given.isdecimal() else 0 if given else BITS
        if self.bits < 8 or self.bits % 8:
            raise ConfigurationError(
                f"multivector={word!r}: behind the colon, the bits of each token were expected, a multiple of 8; type "
                f"'{SELF}' for {BITS}, or '{SELF}:384'."
            )
        self._tokens, self._counter = tokens, counter

    @property
    def dim(self) -> int:
        """Bytes of each code."""
        return self.bits // 8

    @property
    def fingerprint(self) -> Mapping[str, Json]:
        """Everything that decides the codes beside the dense model, JSON-ready."""
        return {"model": SELF, "bits": self.bits, "share": SHARE, "seed": _SEED}

    def encode_documents(self, texts: Sequence[str]) -> Encoded[Sequence[FloatArray]]:
        """Return the codes (vectors, bytes) of texts, each byte as a number, with counts for a report."""
        read = self._tokens.embed_documents(texts)
        codes = [pack_signs(self._turned(merged(vectors, SHARE))).astype(np.float32) for vectors in read]
        return Encoded(codes, **self.count_documents(texts))

    def count_documents(self, texts: Sequence[str]) -> dict[str, int]:
        """Return the counts of `encode_documents` without running the model."""
        return {"tokens": sum(self._counter.count_batch(list(texts)))}

    def embed_queries(self, texts: Sequence[str]) -> list[FloatArray]:
        """Return the vectors (tokens, bits) of questions, turned as those are whose signs are stored."""
        return [self._turned(vectors) for vectors in self._tokens.embed_queries(texts)]

    def nearest(self, asked: FloatArray, codes: FloatArray) -> FloatArray:
        """Return how near the nearest code is to each token of a question, (tokens,): estimates of cosines.

        :param asked: (tokens, bits), as `embed_queries` gives them.
        :param codes: (vectors, bytes), as they are stored.
        """
        signs = unpack_signs(codes.astype(np.uint8), self.bits)
        return np.asarray((asked @ signs.T).max(axis=1) / np.sqrt(self.bits), np.float32)

    def _turned(self, vectors: FloatArray) -> FloatArray:
        if vectors.shape[1] < self.bits:
            raise ConfigurationError(
                f"multivector='{SELF}:{self.bits}' asks for more bits than the {vectors.shape[1]} numbers of a token's "
                f"vector; type '{SELF}:{vectors.shape[1] // 8 * 8}' or fewer."
            )
        return np.asarray(vectors @ directions(vectors.shape[1], self.bits), np.float32)


@lru_cache(maxsize=4)
def directions(width: int, bits: int) -> FloatArray:
    """Return the directions (width, bits) of codes: orthogonal to each other, the same in every process."""
    turned, lengths = np.linalg.qr(np.random.default_rng(_SEED).standard_normal((width, bits)))
    return np.asarray(turned * np.sign(np.diag(lengths)), np.float32)
