"""What happens when memory does not suffice for a batch: its halves are tried."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence, Sized
from typing import TypeVar

from qdrant_embed.errors import ModelError
from qdrant_embed.types import FloatArray

T = TypeVar("T")
R = TypeVar("R")
S = TypeVar("S", bound=Sized)
Run = Callable[[Sequence[S]], Iterable[FloatArray]]
"""Sequences of one batch → an array for each."""

_OUT_OF_MEMORY = re.compile(r"out of memory|allocat\w*\b.{0,60}\bmemory|bad_alloc|alloc_failed", re.IGNORECASE)
"""How torch, CUDA, onnxruntime, OpenVINO and the C++ library say it; each raises an error of its own kind."""


def run_or_halve(run: Run[S], sequences: Sequence[S]) -> list[FloatArray]:
    """Run a batch and return an array for each sequence; if memory runs out, run its halves.

    :raises ModelError: Memory does not suffice for a single sequence.
    """
    return [row for part in halved(lambda part: list(run(part)), sequences, len) for row in part]


def halved(run: Callable[[Sequence[T]], R], items: Sequence[T], tokens_of: Callable[[T], int]) -> list[R]:
    """Return what `run` gives for all items at once, or, where memory runs out, for each part of them, in order.

    :param tokens_of: Tokens of an item, for the message.
    :raises ModelError: Memory does not suffice for a single item.
    """
    try:
        return [run(items)]
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        if len(items) == 1:
            raise ModelError(
                f"memory does not suffice for {tokens_of(items[0])} tokens at once; make chunks smaller, or lower "
                "max_tokens in a preset of your own."
            ) from error
    # Outside the handler: its traceback would keep the failed batch's arrays alive.
    middle = len(items) // 2
    return [result for half in (items[:middle], items[middle:]) for result in halved(run, half, tokens_of)]


def is_out_of_memory(error: Exception) -> bool:
    """Tell whether an error, of whatever library, says that memory did not suffice."""
    return isinstance(error, MemoryError) or _OUT_OF_MEMORY.search(str(error)) is not None
