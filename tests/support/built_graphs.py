"""Graphs that are built of a model's files, and what they are compared with and on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from qdrant_embed.long_context import WindowStrategy
from qdrant_embed.models.long_context_support import with_extension
from qdrant_embed.models.resolve import ResolvedModel, resolve
from qdrant_embed.tokenization.batch import TokenBatch
from qdrant_embed.types import FloatArray

LENGTHS = (64, 1, 17, 40)


def batch(side: str = "right", pad_id: int = 0, lengths: Sequence[int] = LENGTHS) -> TokenBatch:
    """Return texts of all lengths, padded to the longest."""
    ids = np.random.default_rng(1).integers(5, 60, (len(lengths), max(lengths)))
    mask = (np.arange(max(lengths)) < np.array(lengths)[:, None]).astype(np.int64)
    mask = mask if side == "right" else mask[:, ::-1].copy()
    return TokenBatch(np.where(mask == 1, ids, pad_id), mask)


def shaped(folder: Path, **values: Any) -> ResolvedModel:
    """Return a model with other values of its preset."""
    resolved = resolve(str(folder))
    return replace(resolved, preset=replace(resolved.preset, **values))


def extended(folder: Path, window: str) -> ResolvedModel:
    """Return a model that a window strategy stretches."""
    return with_extension(resolve(str(folder)), WindowStrategy.parse(window))


def built(
    resolved: ResolvedModel, *, pooled: bool = True, precision: str = "f32"
) -> Callable[[TokenBatch], FloatArray]:
    """Return what runs the graph of a model, which computes in a precision of OpenVINO."""
    from qdrant_embed.runtimes.families.built_graph import build
    from qdrant_embed.runtimes.openvino.requests import core

    graph = build(resolved, pooled=pooled)
    compiled = core().compile_model(graph.model, "CPU", {"INFERENCE_PRECISION_HINT": precision})
    return lambda given: np.array(compiled([given.ids, given.mask])[0])


def assert_alike(found: FloatArray, wanted: FloatArray, least: float = 0.99999) -> None:
    """Compare vectors, or states, by cosine and in length."""
    lengths = np.linalg.norm(found, axis=-1), np.linalg.norm(wanted, axis=-1)
    np.testing.assert_allclose(*lengths, rtol=1e-4)
    assert (np.einsum("...d,...d->...", found, wanted) / np.prod(lengths, axis=0)).min() >= least
