"""What runs the weights; prompts, batching, pooling and normalizing are done once, above.

Files, in reading order: api, choice, hashing, out_of_memory, batching, fastembed, paragraph_vectors, static, torch,
conversion, onnx, openvino, start, session.

Public: `Runtime` and `TokenRuntime` (what a new one has to be), `Batch` (what it is given), `RUNTIMES` (all by name),
`first_batch` and `is_large`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import numpy as np

from qdrant_embed.registry import Registry
from qdrant_embed.tokenization.batch import Batch
from qdrant_embed.types import FloatArray, IntArray

__all__ = ["RUNTIMES", "Batch", "Runtime", "TokenRuntime", "first_batch", "is_large"]


_LARGE_SCORES = 2048 * 2048
"""Scores of one head; with twelve heads they take 200 MB in float32."""


def first_batch(tokens: int = 16) -> Batch:
    """Return the batch that a runtime reads when it is loaded, before any thread may use it; see `native`."""
    return Batch((), np.zeros((1, tokens), np.int64), np.ones((1, tokens), np.int64))


def is_large(ids: IntArray) -> bool:
    """Tell whether a batch (n, tokens) takes so much memory that a native library should not keep it for the next one.

    Runtimes keep the buffers of the largest batch that they have read, each its own.
    """
    rows, tokens = ids.shape
    return bool(rows * tokens * tokens >= _LARGE_SCORES)


class Runtime(Protocol):
    """Gives one vector per sequence."""

    def sentence(self, batch: Batch) -> FloatArray:
        """Return sentence vectors (n, dim), float32, not yet cut or normalized."""
        ...


@runtime_checkable
class TokenRuntime(Protocol):
    """Gives one vector per token; pooling is done above."""

    def token_states(self, batch: Batch) -> FloatArray:
        """Return the states that are pooled (n, tokens, dim), float32."""
        ...


RUNTIMES: Registry[Callable[..., Runtime | TokenRuntime]] = Registry(
    "runtime",
    "qdrant_embed.runtimes",
    {
        "api": "qdrant_embed.runtimes.api:ApiRuntime",
        "fastembed": "qdrant_embed.runtimes.fastembed:FastembedRuntime",
        "hashing": "qdrant_embed.runtimes.hashing:HashingRuntime",
        "paragraphs": "qdrant_embed.runtimes.paragraph_vectors:ParagraphsRuntime",
        "static": "qdrant_embed.runtimes.static:StaticRuntime",
        "onnx": "qdrant_embed.runtimes.onnx:load",
        "openvino": "qdrant_embed.runtimes.openvino.runtime:load",
        "torch": "qdrant_embed.runtimes.torch.runtime:load",
    },
)
"""Name → what makes it of a resolved model; one that knows precisions takes them as a second argument.

They are loaded with no other thread beside them, and one that uses a native library reads `first_batch` before it is
handed out. A runtime may say `takes_threads = True`, and with `lanes` (`runtimes.batching.BatchLimits`) how many
batches it works on at once, and of how many tokens.
"""
