"""The OpenVINO runtime: the torch module, converted once, run by one request per core.

Every core works on a batch of its own: threads that share a batch would wait for each other at every layer, and batches
of some hundred tokens are more likely to stay in the core's own cache.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qdrant_embed.errors import ConfigurationError
from qdrant_embed.models.resolve import ResolvedModel
from qdrant_embed.native import initializing
from qdrant_embed.runtimes import Runtime, TokenRuntime
from qdrant_embed.runtimes.choice import RuntimeChoice
from qdrant_embed.runtimes.conversion import convert as converting
from qdrant_embed.runtimes.conversion.convert import ModelConverter
from qdrant_embed.runtimes.conversion.converted_runtime import load_converted
from qdrant_embed.runtimes.openvino.gated_layers import keep_gates_apart
from qdrant_embed.runtimes.openvino.padding_attention import write_out_padding
from qdrant_embed.runtimes.openvino.requests import MixedRequests, Requests, best_hint, core, lanes, multiplies_int8
from qdrant_embed.runtimes.torch.graph import Graph, examples

if TYPE_CHECKING:
    import openvino

_HINTS = {"float32": "f32", "bf16": "bf16"}
"""Precision → what is computed in; an int8 model's other layers are computed in the best that there is."""
_FILE, _WHOLE_FILE = "model.xml", "whole.xml"


def load(resolved: ResolvedModel, precision: str = "") -> Runtime | TokenRuntime:
    """Convert a model, or take up what was converted before.

    :param precision: `float32`, `bf16` or `int8`; empty for bf16 where the processor has it, else float32.
    :raises MissingExtraError: OpenVINO is not installed.
    :raises ConfigurationError: The processor has no such arithmetic.
    :raises ModelError: The model cannot be converted, or its vectors are too far from torch's.
    """
    choice = chosen(precision)
    return load_converted(resolved, _converter(choice), lanes(), choice.precision)


def chosen(precision: str = "") -> RuntimeChoice:
    """Return this runtime with the precision asked for, or the best that the machine has; errors are as of `load`."""
    choice = RuntimeChoice("openvino", precision or best_precision())
    if choice.precision == "bf16" and best_precision() != "bf16":
        raise ConfigurationError(
            "this processor does not compute in bf16; give the runtime openvino, which takes the best that it has."
        )
    if choice.precision == "int8" and not multiplies_int8():
        raise ConfigurationError(
            "this processor has no instructions for products in int8 (VNNI), without which they are slower than in "
            "float32, and less exact; give the runtime openvino, which takes the best that it has."
        )
    return choice


def predict(resolved: ResolvedModel, precision: str) -> tuple[str, str]:
    """Return the precision, and how the model, converted before, is known to miss its minimum cosine, if it is.

    :raises MissingExtraError: OpenVINO is not installed.
    :raises ConfigurationError: The processor has no such arithmetic.
    """
    choice = chosen(precision)
    return choice.precision, converting.fidelity_error(resolved, _converter(choice)) or ""


def best_precision() -> str:
    """Return `bf16` where the processor has instructions for it, else `float32`."""
    return "bf16" if best_hint() == "bf16" else "float32"


def _converter(choice: RuntimeChoice) -> ModelConverter:
    convert = _convert_to_int8 if choice.precision == "int8" else _convert
    return ModelConverter(
        choice,
        ("openvino",),
        convert,
        lambda folder: _requests(folder, choice, keep=False).infer,
        lambda folder: _requests(folder, choice, keep=True).infer,
    )


def _convert(resolved: ResolvedModel, graph: Graph, folder: Path) -> None:
    _save(_read(resolved, graph), folder / _FILE)


def _convert_to_int8(resolved: ResolvedModel, graph: Graph, folder: Path) -> None:
    model = _read(resolved, graph)
    _save(model, folder / _WHOLE_FILE)
    # Not before: it imports OpenVINO, which `_read` does with its telemetry off and no other thread beside it.
    from qdrant_embed.runtimes.openvino.int8 import quantize

    _save(quantize(resolved, model), folder / _FILE)


def _read(resolved: ResolvedModel, graph: Graph) -> openvino.Model:
    with initializing("OpenVINO"):
        core()
        import openvino
        from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

        ids, mask = examples()
        # Traced once, where the default is twice, to compare: whether vectors are torch's is asked of many texts later.
        traced = TorchScriptPythonDecoder(
            graph.module,
            example_input={"input_ids": ids, "attention_mask": mask},
            trace_kwargs={"check_trace": False},
        )
        model = openvino.convert_model(traced)
        return keep_gates_apart(write_out_padding(model, resolved.preset.max_tokens))


def _save(model: openvino.Model, file: Path) -> None:
    import openvino

    openvino.save_model(model, str(file), compress_to_fp16=False)


def _requests(folder: Path, choice: RuntimeChoice, *, keep: bool) -> Requests:
    """Compile what was converted.

    :param keep: Whether the compiled form is kept on disk, for a quicker start.
    """
    if choice.precision == "int8":
        return MixedRequests(folder / _FILE, folder / _WHOLE_FILE, keep=keep)
    return Requests(folder / _FILE, _HINTS[choice.precision], keep=keep)
