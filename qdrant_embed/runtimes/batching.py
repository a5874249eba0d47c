"""Sequences through a model: batches of a token budget, as many at once as the runtime works on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from qdrant_embed.concurrency import in_threads, went_on
from qdrant_embed.runtimes.out_of_memory import Run, S, run_or_halve
from qdrant_embed.types import FloatArray

TOKENS_PER_BATCH = 4096
"""Padded tokens in one forward pass; measured on a CPU with 1024 to 16384, of which none was faster."""
_PADDED_RATIO = 1.1

CORE_TOKENS = 512
"""Padded tokens of a batch that one core has to itself: in processor time, 256 to 2048 differed by under 5 %."""


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """What a runtime works on at once.

    :param workers: Batches at once.
    :param tokens: Padded tokens of a batch; a GPU needs many to be busy, a single core does not.
    :param multiple: What the length of a batch is rounded up to a multiple of, with padding.
    """

    workers: int = 1
    tokens: int = TOKENS_PER_BATCH
    multiple: int = 1


def cores() -> int:
    """Return how many cores this process may use: those it was given, or fewer if `OMP_NUM_THREADS` says so."""
    given = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, min(given, int(asked))) if asked.isdigit() and int(asked) else given


def processor_flags() -> str | None:
    """Return what the processor can do, as Linux says it; None where nobody says."""
    place = Path("/proc/cpuinfo")
    lines = place.read_text().splitlines() if place.exists() else ()
    return next((line for line in lines if line.startswith("flags")), None)


def batch_per_core(multiple: int = 1) -> BatchLimits:
    """Return the limits of a runtime that gives each core a batch of its own.

    :param multiple: What the length of a batch is rounded up to a multiple of.
    """
    return BatchLimits(cores(), CORE_TOKENS, multiple)


def run_in_batches(run: Run[S], sequences: Sequence[S], batch_limits: BatchLimits) -> list[FloatArray]:
    """Return what `run` gives for every sequence, in their order.

    :param run: Called with the sequences of one batch; from several threads where there are several workers.
    :param batch_limits: What the runtime works on at once.
    """
    lengths = [len(sequence) for sequence in sequences]
    batches = list(batches_by_length(lengths, _budget(sum(lengths), batch_limits)))

    def one(places: Sequence[int]) -> list[FloatArray]:
        return run_or_halve(run, [sequences[place] for place in places])

    found: list[FloatArray] = [np.empty(0, np.float32)] * len(sequences)
    for places, arrays in zip(batches, _in_threads(one, batches, batch_limits.workers), strict=True):
        for place, array in zip(places, arrays, strict=True):
            found[place] = array
    return found


def _budget(tokens: int, limits: BatchLimits) -> int:
    """Return the tokens of a batch: as many as it may have, or fewer where there would be none for some workers."""
    return limits.tokens if limits.workers == 1 else max(64, min(limits.tokens, -(-tokens // limits.workers)))


def _in_threads(
    one: Callable[[Sequence[int]], list[FloatArray]], batches: list[list[int]], workers: int
) -> list[list[FloatArray]]:
    if workers > 1:  # a single batch too: a caller in the main thread then sees Ctrl-C while the model works
        return in_threads(one, batches, workers, "qdrant-embed-batch")
    found = []
    for places in batches:
        went_on()
        found.append(one(places))
    return found


def batches_by_length(lengths: Sequence[int], budget: int = TOKENS_PER_BATCH) -> Iterator[list[int]]:
    """Yield batches of places, longest sequences first, each of at most `budget` padded tokens (or one sequence).

    Many short texts fit one budget, and their lengths differ much; a batch that is worth its pass already ends early
    rather than pad a sequence to a length that is `_PADDED_RATIO` times its own.
    """
    order = sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True)
    batch: list[int] = []
    for place in order:
        if batch:
            longest = lengths[batch[0]]
            padded = longest * len(batch)
            stretched = longest > _PADDED_RATIO * lengths[place] and padded >= budget // 4
            if stretched or padded + longest > budget:
                yield batch
                batch = []
        batch.append(place)
    if batch:
        yield batch
