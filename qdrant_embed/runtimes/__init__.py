"""What runs the weights; prompts, batching, pooling and normalizing are done once, above.

Files, in reading order: api, families, choice, hashing, out_of_memory, batching, fastembed, paragraph_vectors, static,
torch, conversion, onnx, openvino, start, session, preparation.

Public: `TextRuntime`, `Runtime` and `TokenRuntime` (what a new one has to be; each is a `RuntimeBase`), `TextBatch` and
`TokenBatch` (what they are given), `BatchLimits` (how much at once), `first_batch` and `is_large`; `RuntimeSpec` (what
it can do), `RUNTIMES` (all by name) and `ExternalModels` (models without a folder).
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from qdrant_embed.models.external_models import ExternalModels
from qdrant_embed.models.runtime_specs import RUNTIMES, RuntimeSpec
from qdrant_embed.runtimes.batching import BatchLimits
from qdrant_embed.tokenization.batch import TextBatch, TokenBatch
from qdrant_embed.types import FloatArray, IntArray

__all__ = [
    "RUNTIMES",
    "BatchLimits",
    "ExternalModels",
    "Runtime",
    "RuntimeBase",
    "RuntimeSpec",
    "TextBatch",
    "TextRuntime",
    "TokenBatch",
    "TokenRuntime",
    "first_batch",
    "is_large",
]


_LARGE_SCORES = 2048 * 2048
"""Scores of one head; with twelve heads they take 200 MB in float32."""


def first_batch(tokens: int = 16) -> TokenBatch:
    """Return the batch that a runtime reads when it is loaded, before any thread may use it; see `native`."""
    return TokenBatch(np.zeros((1, tokens), np.int64), np.ones((1, tokens), np.int64))


def is_large(ids: IntArray) -> bool:
    """Tell whether a batch (n, tokens) takes so much memory that a native library should not keep it for the next one.

    Runtimes keep the buffers of the largest batch that they have read, each its own.
    """
    rows, tokens = ids.shape
    return bool(rows * tokens * tokens >= _LARGE_SCORES)


class RuntimeBase:
    """What every runtime says of itself; what a class does not say is as here.

    It is made with no other thread beside it, and one that uses a native library reads `first_batch` before it is
    handed out.

    :ivar precision: What it computes in, where it was not told; empty where there is no choice.
    :ivar takes_threads: Whether several threads may call it at once; else it gets one batch at a time.
    :ivar batch_limits: How many batches it works on at once, and of how many tokens.
    """

    precision: str = ""
    takes_threads: bool = False
    batch_limits: BatchLimits = BatchLimits()

    def tokenwise(self) -> TokenRuntime | None:
        """Return what gives the states of single tokens, loaded or converted now; None where nothing does."""
        return None


class TextRuntime(RuntimeBase, ABC):
    """Reads texts and gives one vector per text."""

    @abstractmethod
    def sentence(self, batch: TextBatch) -> FloatArray:
        """Return the vectors of texts (n, dim), float32, not yet cut or normalized."""


class Runtime(RuntimeBase, ABC):
    """Reads tokens and gives one vector per sequence."""

    @abstractmethod
    def sentence(self, batch: TokenBatch) -> FloatArray:
        """Return sentence vectors (n, dim), float32, not yet cut or normalized."""


class TokenRuntime(RuntimeBase, ABC):
    """Reads tokens and gives one vector per token; pooling is done above."""

    @abstractmethod
    def token_states(self, batch: TokenBatch) -> FloatArray:
        """Return the states that are pooled (n, tokens, dim), float32."""

    def tokenwise(self) -> TokenRuntime:
        """Return the runtime itself."""
        return self
