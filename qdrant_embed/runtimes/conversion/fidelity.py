"""Whether a converted model gives its original's vectors in float32: asked once, on fixed texts, when it is made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from qdrant_embed.concurrency import went_on
from qdrant_embed.long_context import WindowStrategy
from qdrant_embed.models.resolve import ResolvedModel
from qdrant_embed.pooling.token_pooling import POOLINGS
from qdrant_embed.runtimes.conversion.probe_texts import PROBES
from qdrant_embed.tokenization.batch import TokenBatch
from qdrant_embed.tokenization.sequences import TokenSequence, TokenSequencer
from qdrant_embed.types import FloatArray

_AT_ONCE = 8
_BUDGET = 512
"""Tokens of a text, but for a long one."""
_LONG = 2048
"""Tokens of the long text: past every sliding window that is common, and where rounded angles of rotary positions show.

Longer ones would take minutes of the largest models that are converted.
"""


Run = Callable[[TokenBatch], FloatArray]
"""Batch → what a graph gives, vectors or token states."""


@dataclass(frozen=True, slots=True)
class Fidelity:
    """Cosines of a converted model's vectors to those of its original.

    :param worst: The lowest of all texts.
    :param mean: Their mean.
    """

    worst: float
    mean: float


@dataclass(frozen=True, slots=True)
class Original:
    """What a converted model is measured by.

    :param name: What it is, for messages: `torch in float32`.
    :param pooled: Whether (n, dim) comes out, rather than token states (n, tokens, dim).
    :param run: Runs it; None where nothing is to be compared.
    :param known: What a comparison would give where there is none: nothing was changed, or it was made before.
    """

    name: str
    pooled: bool
    run: Run | None
    known: Fidelity = Fidelity(1.0, 1.0)


def batches_of(resolved: ResolvedModel, texts: tuple[str, ...]) -> list[TokenBatch]:
    """Return texts as the model reads them, in small batches of mixed lengths, and one long one of a model that can.

    :raises ModelError: The model has no files.
    """
    files, reach = resolved.require_files(), _reach(resolved)
    tokens, folder = files.token_counter(), files.transformer

    def cut(texts: Sequence[str], most: int) -> list[TokenSequence]:
        sequencer = TokenSequencer(tokens, folder, most)
        return [cut.sequences[0] for cut in sequencer.cut(texts, "", WindowStrategy("truncate"))]

    sequences = cut(texts, min(reach, _BUDGET))
    groups = [sequences[at : at + _AT_ONCE] for at in range(0, len(sequences), _AT_ONCE)]
    if reach > _BUDGET or resolved.extension_plan is not None:
        text = " ".join(texts)
        repeated = " ".join([text] * (1 + reach // max(1, tokens.count(text))))
        # Beside a short one, which is then mostly padding.
        groups.append([*cut([repeated], reach), min(sequences, key=len)])
    sequencer = TokenSequencer(tokens, folder, reach, padding=resolved.preset.padding)
    return [sequencer.batch(group) for group in groups]


def probe_batches(resolved: ResolvedModel) -> list[TokenBatch]:
    """Return the texts that a conversion is tried on, as the model reads them; always the same."""
    return batches_of(resolved, PROBES)


def _reach(resolved: ResolvedModel) -> int:
    """Return how long a text the model is tried on: half as long again as a window that is stretched, at least."""
    extended = resolved.extension_plan.trained * 3 // 2 + 7 if resolved.extension_plan else 0
    return min(resolved.preset.max_tokens, max(_LONG, extended))


def compare(resolved: ResolvedModel, original: Original, start: Callable[[], Run]) -> Fidelity:
    """Compare what a converted graph gives with what its original gives.

    :param start: Returns what runs the converted graph.
    """
    if original.run is None:
        return original.known
    run, cosines = start(), []
    for batch in probe_batches(resolved):
        went_on()
        outputs = (original.run(batch), run(batch))
        wanted, given = outputs if original.pooled else (POOLINGS["mean"](states, batch.mask) for states in outputs)
        cosines.append(_cosines(wanted, given))
    found = np.concatenate(cosines)
    return Fidelity(float(found.min()), float(found.mean()))


def _cosines(wanted: FloatArray, found: FloatArray) -> FloatArray:
    lengths = np.linalg.norm(wanted, axis=1) * np.linalg.norm(found, axis=1)
    cosines = np.einsum("nd,nd->n", wanted, found) / np.maximum(lengths, 1e-30)
    cosines[~wanted.any(axis=1) & ~found.any(axis=1)] = 1.0  # a text of nothing but padding may have no direction
    return np.asarray(np.nan_to_num(cosines, nan=-1.0), np.float32)
