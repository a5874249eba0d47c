"""The vectors of single tokens, each text read with its prompt, in windows where it is longer than the model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from qdrant_embed.long_context import WindowStrategy
from qdrant_embed.runtimes.batching import BatchLimits, run_in_batches
from qdrant_embed.tokenization.batch import TokenBatch
from qdrant_embed.tokenization.sequences import TokenSequence, TokenSequencer
from qdrant_embed.types import FloatArray

_WINDOWS = WindowStrategy()
"""Every token is read, whatever becomes of the text's own vector."""


def token_vectors(
    sequencer: TokenSequencer,
    prompt: str,
    texts: Sequence[str],
    states: Callable[[TokenBatch], FloatArray],
    batch_limits: BatchLimits,
) -> list[FloatArray]:
    """Return unit vectors (tokens, dim) of each text's own tokens, once each: none of its prompt, none special.

    Of a text without tokens, those of all that is read for it.

    :param states: One batch → token states (n, tokens, dim).
    :param batch_limits: What the runtime works on at once.
    """
    windows = [list(_windows(sequencer, text, prompt)) for text in texts]

    def units(batch: Sequence[TokenSequence]) -> Iterator[FloatArray]:
        found = states(sequencer.batch(batch, multiple=batch_limits.multiple))
        for row, sequence in zip(found, batch, strict=True):
            first = len(row) - len(sequence) if sequencer.pad_left else 0
            kept = row[first : first + len(sequence)][sequence.text or slice(None)]
            yield kept / np.maximum(np.linalg.norm(kept, axis=1, keepdims=True), np.finfo(np.float32).tiny)

    read = iter(run_in_batches(units, [sequence for own in windows for sequence in own], batch_limits))
    return [np.concatenate([next(read) for _ in own]) for own in windows]


def _windows(sequencer: TokenSequencer, text: str, prompt: str) -> Iterator[TokenSequence]:
    """Yield what is read of a text; of tokens that two windows hold, the first one's count."""
    framed = sequencer.framed(text, prompt)
    done, ahead = 0, len(framed.head)
    for start, end in _WINDOWS.windows(len(framed.ids), sequencer.room_around(framed)):
        ids = [*framed.head, *framed.ids[start:end], *framed.tail] or [sequencer.pad_id]
        fresh = slice(ahead + max(start, done) - start, ahead + end - start)
        yield TokenSequence(ids, fresh if fresh.start < fresh.stop else None)
        done = end
