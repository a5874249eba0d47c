"""What happens when memory does not suffice for a batch: its halves are tried."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from qdrant_embed.embedding.runtimes import Batch
from qdrant_embed.embedding.sequences import Sequencer, TokenIds
from qdrant_embed.errors import ModelError
from qdrant_embed.types import FloatArray


def run_halving(
    run: Callable[[Batch], FloatArray], sequencer: Sequencer, sequences: Sequence[TokenIds], prompt: str
) -> FloatArray:
    """Run a batch; if memory runs out, run its halves.

    :raises ModelError: Memory does not suffice for a single sequence.
    """
    try:
        return run(sequencer.batch(sequences, prompt))
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
    halves = (sequences[:middle], sequences[middle:])
    return np.concatenate([run_halving(run, sequencer, half, prompt) for half in halves])


def _is_out_of_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError) or "out of memory" in str(error).lower() or "allocate memory" in str(error)
