"""The OpenVINO runtime: the torch module, converted once, run by one request per core.

Every core works on a batch of its own: threads that share a batch would wait for each other at every layer, and batches
of some hundred tokens are more likely to stay in the core's own cache.
"""

from __future__ import annotations

import queue
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from qdrant_embed.embedding.graphs import Graph, examples
from qdrant_embed.embedding.lanes import cores
from qdrant_embed.embedding.resolving import Resolved
from qdrant_embed.embedding.runtimes import Batch, Runtime, TokenRuntime
from qdrant_embed.embedding.runtimes.choice import RuntimeChoice
from qdrant_embed.embedding.runtimes.converting import Converted, Converter, cache_folder, converted
from qdrant_embed.embedding.silence import silence_openvino
from qdrant_embed.errors import ConfigurationError, MissingExtraError
from qdrant_embed.types import FloatArray

if TYPE_CHECKING:
    import openvino

_HINTS = {"float32": "f32", "bf16": "bf16", "int8": "bf16"}
"""Precision → what is computed in, where a layer is not quantised."""
_FILE = "model.xml"


def load(resolved: Resolved, precision: str = "") -> Runtime | TokenRuntime:
    """Convert a model, or take up what was converted before.

    :param precision: `float32`, `bf16` or `int8`; empty for bf16 where the processor has it, else float32.
    :raises MissingExtraError: OpenVINO is not installed.
    :raises ConfigurationError: The processor has no such arithmetic.
    :raises ModelError: The model cannot be converted, or its vectors are too far from torch's.
    """
    choice = RuntimeChoice("openvino", precision or best_precision())
    if choice.precision == "bf16" and best_precision() != "bf16":
        raise ConfigurationError(
            "this processor does not compute in bf16; give the runtime openvino:float32, or openvino:int8."
        )
    made = converted(resolved, _converter(choice))
    if made.pooled:
        return OpenVinoRuntime(resolved, choice, made)
    return OpenVinoTokenRuntime(choice, made)


def best_precision() -> str:
    """Return `bf16` where the processor has instructions for it, else `float32`."""
    capabilities = _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return "bf16" if "BF16" in capabilities else "float32"


def _converter(choice: RuntimeChoice) -> Converter:
    if choice.precision == "int8":
        from qdrant_embed.embedding.runtimes.quantizing import quantize

        packages: tuple[str, ...] = ("openvino", "nncf")
        convert: Callable[[Resolved, Graph, Path], None] = lambda resolved, graph, folder: _save(  # noqa: E731
            quantize(resolved, _convert(graph)), folder
        )
    else:
        packages = ("openvino",)
        convert = lambda _, graph, folder: _save(_convert(graph), folder)  # noqa: E731
    return Converter(choice, packages, convert, lambda folder: _Requests(folder, choice, keep=False).infer)


def _convert(graph: Graph) -> openvino.Model:
    import openvino

    ids, mask = examples()
    return openvino.convert_model(graph.module, example_input={"input_ids": ids, "attention_mask": mask})


def _save(model: openvino.Model, folder: Path) -> None:
    import openvino

    openvino.save_model(model, str(folder / _FILE), compress_to_fp16=False)


def _core() -> openvino.Core:
    silence_openvino()
    try:
        import openvino
    except ImportError as error:
        raise MissingExtraError("the runtime 'openvino'", "openvino", "qdrant-embed[openvino]") from error
    return openvino.Core()


class _Requests:
    """A compiled model, and one request for each core.

    :param keep: Whether the compiled form is kept on disk, for a quicker start.
    """

    def __init__(self, folder: Path, choice: RuntimeChoice, *, keep: bool = True) -> None:
        self.lanes = cores()
        settings: dict[str, Any] = {
            "INFERENCE_PRECISION_HINT": _HINTS[choice.precision],
            "NUM_STREAMS": self.lanes,
            "INFERENCE_NUM_THREADS": self.lanes,
        }
        if keep:
            settings["CACHE_DIR"] = str(cache_folder() / "compiled")
        compiled = _core().compile_model(str(folder / _FILE), "CPU", settings)
        self._free: queue.SimpleQueue[openvino.InferRequest] = queue.SimpleQueue()
        for _ in range(self.lanes):
            self._free.put(compiled.create_infer_request())

    def infer(self, batch: Batch) -> FloatArray:
        """Return what the graph gives; waits for a free request."""
        request = self._free.get()
        try:
            request.infer([batch.ids, batch.mask], share_inputs=True)
            return np.array(request.get_output_tensor(0).data, np.float32)
        finally:
            self._free.put(request)


class OpenVinoRuntime:
    """For models that pool inside their graph: only sentence vectors leave it."""

    takes_threads = True

    def __init__(self, resolved: Resolved, choice: RuntimeChoice, made: Converted) -> None:
        self._resolved = resolved
        self._choice = choice
        self.name = str(choice)
        self._requests = _Requests(made.folder, choice)
        self.lanes = self._requests.lanes

    def sentence(self, batch: Batch) -> FloatArray:
        """Return sentence vectors (n, dim)."""
        return self._requests.infer(batch)

    @cached_property
    def tokenwise(self) -> OpenVinoTokenRuntime:
        """The same model with its token states, for whoever pools spans of a long text; converted when first asked for.

        :raises ModelError: The model's own modules pool, so there are no states to give.
        """
        return OpenVinoTokenRuntime(self._choice, converted(self._resolved, _converter(self._choice), pooled=False))


class OpenVinoTokenRuntime:
    """For models whose pooling is done above, and for whoever needs token states."""

    takes_threads = True

    def __init__(self, choice: RuntimeChoice, made: Converted) -> None:
        self.name = str(choice)
        self._requests = _Requests(made.folder, choice)
        self.lanes = self._requests.lanes

    def token_states(self, batch: Batch) -> FloatArray:
        """Return the states that are pooled (n, tokens, dim)."""
        return self._requests.infer(batch)
