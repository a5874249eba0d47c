"""Compiled OpenVINO graphs, run by one request for each core."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from qdrant_embed.errors import MissingExtraError
from qdrant_embed.models.telemetry import silence_openvino
from qdrant_embed.native import Once, initializing, make_lock, return_memory
from qdrant_embed.runtimes import first_batch, is_large
from qdrant_embed.runtimes.batching import BatchLimits, batch_per_core, processor_flags
from qdrant_embed.tokenization.batch import TokenBatch
from qdrant_embed.types import FloatArray

if TYPE_CHECKING:
    import openvino

SHORT_TOKENS = 8
"""A sequence of no more tokens than this runs in floating point beside an int8 model.

With nothing to average out over, rounding shows most in it (MiniLM's worst cosine is 0.98 up to 5 tokens, 0.9965
beyond, on texts that its ranges were not read from), and it costs next to nothing.
"""

_LENGTHS = 16
"""Lengths are rounded up to a multiple of it: a kernel is made for each shape, and AMX multiplies tiles of 16 rows."""


def batch_limits() -> BatchLimits:
    """Return on how many batches at once this runtime works, and how they are padded."""
    return batch_per_core(_LENGTHS)


def _make_core() -> openvino.Core:
    silence_openvino()
    try:
        import openvino
    except ImportError as error:
        raise MissingExtraError("the runtime 'openvino'", "openvino", "openvino") from error
    return openvino.Core()


core = Once(_make_core)
"""Returns OpenVINO itself, one for a process: each loads the plug-in of the processor anew.

:raises MissingExtraError: It is not installed.
"""


def best_hint() -> str:
    """Return `bf16` where the processor has instructions for it, else `f32`."""
    return "bf16" if "BF16" in core().get_property("CPU", "OPTIMIZATION_CAPABILITIES") else "f32"


def multiplies_int8() -> bool:
    """Tell whether the processor has instructions for products in int8 (VNNI), where that can be found out.

    Without them, sums of products overflow sixteen bits, and nothing is faster.
    """
    flags = processor_flags()
    return flags is None or "vnni" in flags


def compiled(model: openvino.Model, hint: str) -> openvino.CompiledModel:
    """Compile a graph for one request per core.

    :param hint: What is computed in, `f32` or `bf16`, where the graph does not say otherwise.
    """
    with initializing("OpenVINO"):
        return core().compile_model(model, "CPU", _settings(hint))


def save_compiled(model: openvino.Model, hint: str, file: Path) -> None:
    """Compile a graph and write its compiled form, weights included, which starts in half the time.

    It says which processor and which version of OpenVINO it is for, and nothing else takes it.
    """
    with file.open("wb") as stream:
        stream.write(compiled(model, hint).export_model().getbuffer())


def _settings(hint: str) -> dict[str, Any]:
    workers = batch_limits().workers
    return {"INFERENCE_PRECISION_HINT": hint, "NUM_STREAMS": workers, "INFERENCE_NUM_THREADS": workers}


class Requests:
    """A compiled graph, and one request for each core.

    OpenVINO keeps the buffers of the largest batch that it has read: gigabytes, once a text of thousands of tokens was
    among them. They are given back when no request is left that works.

    :param graph: What was compiled.
    :param mapped: What it reads its weights from, where it does not hold that by itself.
    """

    def __init__(self, graph: openvino.CompiledModel, mapped: openvino.Tensor | None = None) -> None:
        self._free: queue.SimpleQueue[openvino.InferRequest] = queue.SimpleQueue()
        self._lock = make_lock()
        self._working, self._grown = 0, False
        with initializing("OpenVINO"):
            self._compiled = graph
            self._mapped = mapped  # attributes go in this order, so that nothing is left that reads it
            for _ in range(batch_limits().workers):
                self._free.put(graph.create_infer_request())
            first = first_batch(_LENGTHS)
            self._infer(first.ids, first.mask)

    @classmethod
    def load(cls, file: Path, hint: str) -> Requests:
        """Take up what `save_compiled` wrote; its weights are mapped, not copied.

        :param hint: As it was compiled with.
        :raises RuntimeError: It was written by another version of OpenVINO or for another processor, or is cut short.
        """
        return cls(*_mapped(file, hint))

    def infer(self, batch: TokenBatch) -> FloatArray:
        """Return what the graph gives; waits for a free request."""
        return self._infer(batch.ids, batch.mask)

    def _infer(self, ids: np.ndarray, mask: np.ndarray) -> FloatArray:
        with self._counted(ids):
            request = self._free.get()
            try:
                request.infer([ids, mask], share_inputs=True)
                return np.array(request.get_output_tensor(0).data, np.float32)
            finally:
                self._free.put(request)

    @contextmanager
    def _counted(self, ids: np.ndarray) -> Iterator[None]:
        with self._lock:
            self._working += 1
            self._grown |= is_large(ids)
        try:
            yield
        finally:
            with self._lock:
                self._working -= 1
                if self._grown and not self._working:
                    self._grown = False
                    self._compiled.release_memory()
                    return_memory()


def _mapped(file: Path, hint: str) -> tuple[openvino.CompiledModel, openvino.Tensor]:
    with initializing("OpenVINO"):
        found = core()
        import openvino

        # Copied on being written to, which nobody does: OpenVINO takes no memory that cannot be.
        memory = openvino.Tensor(np.memmap(file, np.uint8, "c"), shared_memory=True)
        return found.import_model(memory, "CPU", _settings(hint)), memory


class MixedRequests(Requests):
    """An int8 graph, and the same in floating point for short sequences, compiled when the first of them comes.

    :param file: The int8 graph, as `save_compiled` wrote it.
    :param whole: The graph in floating point, likewise.
    """

    def __init__(self, file: Path, whole: Path) -> None:
        hint = best_hint()
        super().__init__(*_mapped(file, hint))
        self._whole = Once(lambda: Requests.load(whole, hint))

    def infer(self, batch: TokenBatch) -> FloatArray:
        """Return what the graphs give, each for its sequences."""
        short = batch.mask.sum(axis=1) <= SHORT_TOKENS
        if not short.any():
            return super().infer(batch)
        whole = self._whole()
        if short.all():
            return whole.infer(batch)
        coarse = self._infer(batch.ids[~short], batch.mask[~short])
        joined = np.empty((len(short), *coarse.shape[1:]), np.float32)
        joined[~short] = coarse
        joined[short] = whole._infer(batch.ids[short], batch.mask[short])
        return joined
