"""The ONNX runtime: the torch module, exported once, run by onnxruntime on every core."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from qdrant_embed.extras import require_extra
from qdrant_embed.models.resolve import ResolvedModel
from qdrant_embed.models.telemetry import silence_onnxruntime
from qdrant_embed.native import initializing
from qdrant_embed.runtimes import Runtime, TokenRuntime, first_batch, is_large
from qdrant_embed.runtimes.batching import batch_per_core
from qdrant_embed.runtimes.choice import RuntimeChoice
from qdrant_embed.runtimes.conversion import convert
from qdrant_embed.runtimes.conversion.convert import ModelConverter, versions
from qdrant_embed.runtimes.conversion.converted_runtime import load_converted
from qdrant_embed.runtimes.conversion.fidelity import Original
from qdrant_embed.runtimes.torch.graph import build_graph, examples, quiet, without_blind_rows
from qdrant_embed.tokenization.batch import TokenBatch
from qdrant_embed.types import FloatArray

FILE = "model.onnx"
_CHOICE = RuntimeChoice("onnx", "float32")


def load(resolved: ResolvedModel, precision: str = "float32") -> Runtime | TokenRuntime:
    """Export a model, or take up what was exported before.

    :param precision: `float32`, the only one.
    :raises MissingExtraError: onnxruntime is not installed, or, for the first use of a model, onnx.
    :raises ModelError: The model cannot be exported, or its vectors are too far from torch's.
    """
    return load_converted(resolved, CONVERTER, batch_per_core())


def predict(resolved: ResolvedModel, precision: str) -> tuple[str, str]:
    """Return the precision, and how the model, exported before, is known to miss its minimum cosine, if it is.

    :raises MissingExtraError: A package is not installed that running it takes, or exporting it, if it never was.
    """
    _require("onnxruntime")
    known = convert.fidelity_error(resolved, CONVERTER)
    if known is None:
        _require_exporter()
    return precision, known or ""


def _require(*packages: str) -> None:
    require_extra("the runtime 'onnx'", "onnx", *packages)


def _require_exporter() -> None:
    _require("onnx", "onnxscript")
    require_extra("exporting a model to ONNX", "torch")


def _export(resolved: ResolvedModel, folder: Path, *, pooled: bool) -> Original:
    _require_exporter()
    import torch

    graph = build_graph(resolved, pooled=pooled)
    free = torch.export.Dim.DYNAMIC
    # The exporter reports its steps there.
    with quiet(), without_blind_rows(), contextlib.redirect_stdout(io.StringIO()):
        torch.onnx.export(
            graph.module,
            examples(),
            str(folder / FILE),
            input_names=["input_ids", "attention_mask"],
            output_names=["vectors" if graph.pooled else "states"],
            dynamic_shapes=({0: free, 1: free}, {0: free, 1: free}),
            dynamo=True,
            verbose=False,
        )
    return Original("torch in float32", graph.pooled, graph.run)


def _runner(folder: Path) -> Callable[[TokenBatch], FloatArray]:
    with initializing("onnxruntime"):
        _require("onnxruntime")
        import onnxruntime

        silence_onnxruntime()
        options = onnxruntime.SessionOptions()
        # One thread for each batch, and a batch for each core: nobody waits for anybody.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(str(folder / FILE), options, providers=["CPUExecutionProvider"])
        shrinking = onnxruntime.RunOptions()
        shrinking.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")

        def run(batch: TokenBatch) -> FloatArray:
            how = shrinking if is_large(batch.ids) else None
            found: Any = session.run(None, {"input_ids": batch.ids, "attention_mask": batch.mask}, how)[0]
            return np.asarray(found, np.float32)

        run(first_batch())
        return run


CONVERTER = ModelConverter(
    _CHOICE,
    lambda _: versions("torch", "transformers", "onnx", "onnxruntime"),
    lambda resolved, folder, pooled: _export(resolved, folder, pooled=pooled),
    _runner,
)
