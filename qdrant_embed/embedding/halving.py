"""What happens when memory does not suffice for a batch: its halves are tried."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from qdrant_embed.embedding.runtimes import Batch
from qdrant_embed.embedding.sequences import Sequencer, TokenIds
from qdrant_embed.errors import ModelError
from qdrant_embed.types import FloatArray

T = TypeVar("T")
R = TypeVar("R")


def run_halving(
    run: Callable[[Batch], FloatArray], sequencer: Sequencer, sequences: Sequence[TokenIds], prompt: str
) -> FloatArray:
    """Run a batch; if memory runs out, run its halves.

    :raises ModelError: Memory does not suffice for a single sequence.
    """
    return np.concatenate(halved(lambda part: run(sequencer.batch(part, prompt)), sequences, len))


def halved(run: Callable[[Sequence[T]], R], items: Sequence[T], tokens_of: Callable[[T], int]) -> list[R]:
    """Return what `run` gives for all items at once, or, where memory runs out, for each part of them, in order.

    :param tokens_of: Tokens of an item, for the message.
    :raises ModelError: Memory does not suffice for a single item.
    """
    try:
        return [run(items)]
    except (MemoryError, RuntimeError) as error:
        if not _is_out_of_memory(error):
            raise
        if len(items) == 1:
            raise ModelError(
                f"memory does not suffice for {tokens_of(items[0])} tokens at once; make chunks smaller, or lower "
                "max_tokens in a preset of your own."
            ) from error
    # Outside the handler: its traceback would keep the failed batch's arrays alive.
    middle = len(items) // 2
    return [result for half in (items[:middle], items[middle:]) for result in halved(run, half, tokens_of)]


def _is_out_of_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError) or "out of memory" in str(error).lower() or "allocate memory" in str(error)
