"""What happens when memory does not suffice for a batch: its halves are tried."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from qdrant_embed.embedding.sequences import TokenIds
from qdrant_embed.errors import ModelError
from qdrant_embed.types import FloatArray

Run = Callable[[Sequence[TokenIds]], Iterable[FloatArray]]
"""Sequences of one batch → an array for each."""


def run_halving(run: Run, sequences: Sequence[TokenIds]) -> list[FloatArray]:
    """Run a batch and return an array for each sequence; if memory runs out, run its halves.

    :raises ModelError: Memory does not suffice for a single sequence.
    """
    try:
        return list(run(sequences))
    except (MemoryError, RuntimeError) as error:
        if not _is_out_of_memory(error):
            raise
        if len(sequences) == 1:
            raise ModelError(
                f"memory does not suffice for {len(sequences[0])} tokens at once; make chunks smaller, or lower "
                "max_tokens in a preset of your own."
            ) from error
    # Outside the handler: its traceback would keep the failed batch's arrays alive.
    middle = len(sequences) // 2
    return [*run_halving(run, sequences[:middle]), *run_halving(run, sequences[middle:])]


def _is_out_of_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError) or "out of memory" in str(error).lower() or "allocate memory" in str(error)
