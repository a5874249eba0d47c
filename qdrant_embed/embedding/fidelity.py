"""Whether a converted model gives the vectors of torch in float32: asked once, on fixed texts, when it is made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from qdrant_embed.embedding.graphs import Graph
from qdrant_embed.embedding.pooling import POOLINGS
from qdrant_embed.embedding.resolving import Resolved
from qdrant_embed.embedding.runtimes import Batch
from qdrant_embed.embedding.sequences import Sequencer, TokenIds
from qdrant_embed.embedding.specimens import PARAGRAPHS, PROBES
from qdrant_embed.errors import ModelError
from qdrant_embed.tokens import HuggingFaceTokens
from qdrant_embed.types import FloatArray
from qdrant_embed.windowing import WindowStrategy

_AT_ONCE = 8
_BUDGET = 512
"""Tokens of one text; a model that reads more is not tried on more."""


@dataclass(frozen=True, slots=True)
class Fidelity:
    """Cosines of a converted model's vectors to torch's in float32.

    :param worst: The lowest of all texts.
    :param mean: Their mean.
    """

    worst: float
    mean: float


def batches_of(resolved: Resolved, texts: tuple[str, ...]) -> list[Batch]:
    """Return texts as the model reads them, cut to its length, in small batches of mixed lengths.

    :raises ModelError: The model has no files.
    """
    if resolved.files is None:
        raise ModelError(f"the preset {resolved.preset.name!r} names no weights; give it a source.")
    tokens = HuggingFaceTokens(resolved.files.tokenizer())
    most = min(resolved.preset.max_tokens, _BUDGET)
    sequencer = Sequencer(tokens, resolved.files.transformer, most, padding=resolved.preset.padding)
    sequences = [cut.sequences[0] for cut in sequencer.cut(texts, "", WindowStrategy("truncate"))]
    batches = [sequencer.batch(sequences[at : at + _AT_ONCE]) for at in range(0, len(sequences), _AT_ONCE)]
    if resolved.stretch is not None:
        batches.append(sequencer.batch([_stretched(resolved, tokens), sequences[-1]]))
    return batches


def _stretched(resolved: Resolved, tokens: HuggingFaceTokens) -> TokenIds:
    """Return a text that the model reads only because its window is stretched; half as long again as that window."""
    if resolved.files is None or resolved.stretch is None:
        raise ModelError("only a model with files can be stretched.")
    preset = resolved.preset
    most = min(preset.max_tokens, resolved.stretch.trained * 3 // 2 + 7)
    sequencer = Sequencer(tokens, resolved.files.transformer, most, padding=preset.padding)
    text = " ".join(PARAGRAPHS)
    text += (" " + text) * (most // max(1, tokens.count(text)))
    return sequencer.cut([text], "", WindowStrategy("truncate"))[0].sequences[0]


def compare(resolved: Resolved, graph: Graph, run: Callable[[Batch], FloatArray]) -> Fidelity:
    """Compare what a converted graph gives with what the torch graph gives.

    :param run: Batch → what the converted graph gives, vectors or token states.
    """
    import torch

    cosines = []
    for batch in batches_of(resolved, PROBES):
        with torch.inference_mode():
            wanted = graph.module(torch.from_numpy(batch.ids), torch.from_numpy(batch.mask)).float().numpy()
        cosines.append(_cosines(_vectors(wanted, batch, graph), _vectors(run(batch), batch, graph)))
    found = np.concatenate(cosines)
    return Fidelity(float(found.min()), float(found.mean()))


def _vectors(output: FloatArray, batch: Batch, graph: Graph) -> FloatArray:
    return output if graph.pooled else POOLINGS["mean"](output, batch.mask)


def _cosines(wanted: FloatArray, found: FloatArray) -> FloatArray:
    lengths = np.linalg.norm(wanted, axis=1) * np.linalg.norm(found, axis=1)
    cosines = np.einsum("nd,nd->n", wanted, found) / np.maximum(lengths, 1e-30)
    return np.asarray(np.nan_to_num(cosines, nan=-1.0), np.float32)
