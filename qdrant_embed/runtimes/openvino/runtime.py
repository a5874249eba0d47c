"""The OpenVINO runtime: a model's graph, built from its files or traced through torch, run by one request per core.

Every core works on a batch of its own: threads that share a batch would wait for each other at every layer, and batches
of some hundred tokens are more likely to stay in the core's own cache.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from qdrant_embed.errors import ConfigurationError
from qdrant_embed.extras import require_extra
from qdrant_embed.models.files.graph_files import parts_of
from qdrant_embed.models.files.prepared_folder import INT8, WHOLE
from qdrant_embed.models.fingerprint import file_fingerprint
from qdrant_embed.models.resolve import ResolvedModel
from qdrant_embed.native import Once, initializing
from qdrant_embed.runtimes import Runtime, TokenRuntime
from qdrant_embed.runtimes.choice import RuntimeChoice
from qdrant_embed.runtimes.conversion import convert as converting
from qdrant_embed.runtimes.conversion.convert import ModelConverter, versions
from qdrant_embed.runtimes.conversion.converted_runtime import load_converted
from qdrant_embed.runtimes.conversion.fidelity import Original, Run
from qdrant_embed.runtimes.families.known_families import GRAPHS, brought_file, unbuilt
from qdrant_embed.runtimes.openvino.gated_layers import keep_gates_apart
from qdrant_embed.runtimes.openvino.requests import (
    MixedRequests,
    Requests,
    batch_limits,
    best_hint,
    compiled,
    core,
    multiplies_int8,
    save_compiled,
)
from qdrant_embed.runtimes.openvino.stored_graphs import holds, known_original, pools_in_graph, stored_graph
from qdrant_embed.runtimes.torch.load import use_of_torch
from qdrant_embed.types import Json

if TYPE_CHECKING:
    import openvino

_HINTS = {"float32": "f32", "bf16": "bf16"}
"""Precision → what is computed in; an int8 model's other layers are computed in the best that there is."""
_FILE, _WHOLE_FILE = "model.blob", "whole.blob"


def load(resolved: ResolvedModel, precision: str = "") -> Runtime | TokenRuntime:
    """Convert a model, or take up what was converted before.

    A model of a known family is built of its files. In float32 that is the model; other precisions are measured by it.
    Others are traced through torch. What is kept is the compiled form.

    :param precision: `float32`, `bf16` or `int8`; empty for bf16 where the processor has it, else float32.
    :raises MissingExtraError: OpenVINO is not installed.
    :raises ConfigurationError: The processor has no such arithmetic.
    :raises ModelError: The model cannot be converted, or its vectors are too far from the original's.
    """
    choice = chosen(precision)
    return load_converted(resolved, _converter(choice), batch_limits(), choice.precision)


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

    :raises MissingExtraError: OpenVINO is not installed; or torch, for a model that is traced through it and never was.
    :raises ConfigurationError: The processor has no such arithmetic.
    """
    choice = chosen(precision)
    known = converting.fidelity_error(resolved, _converter(choice))
    if known is None and unbuilt(resolved):
        require_extra(use_of_torch(resolved), "torch")
    return choice.precision, known or ""


def best_precision() -> str:
    """Return `bf16` where the processor has instructions for it, else `float32`."""
    return "bf16" if best_hint() == "bf16" else "float32"


def _converter(choice: RuntimeChoice) -> ModelConverter:
    return ModelConverter(
        choice,
        _made_by,
        lambda resolved, folder, pooled: _convert(resolved, folder, choice, pooled=pooled),
        lambda folder: _requests(folder, choice).infer,
    )


def _made_by(resolved: ResolvedModel) -> dict[str, Json]:
    built = {"graphs": GRAPHS} if not unbuilt(resolved) else versions("torch", "transformers")
    brought = brought_file(resolved)
    parts = {part.name: file_fingerprint(part) for part in parts_of(brought)} if brought else {}
    return {**built, **versions("openvino"), **parts}


def _convert(resolved: ResolvedModel, folder: Path, choice: RuntimeChoice, *, pooled: bool) -> Original:
    model, original = graph_of(resolved, pooled=pooled)
    if choice.precision == "int8":
        save_compiled(model, best_hint(), folder / _WHOLE_FILE)
        # Not before: it imports OpenVINO, which is done with its telemetry off and no other thread beside it.
        from qdrant_embed.runtimes.openvino.int8 import quantize

        held = stored_graph(resolved, INT8, pooled=pooled) if holds(resolved, INT8) else None
        save_compiled(held or quantize(resolved, model), best_hint(), folder / _FILE)
    else:
        save_compiled(model, _HINTS[choice.precision], folder / _FILE)
    same = choice.precision == "float32" and not unbuilt(resolved)
    known = known_original(resolved, choice, pooled=original.pooled)
    return known or (replace(original, run=None) if same else original)


def graph_of(resolved: ResolvedModel, *, pooled: bool) -> tuple[openvino.Model, Original]:
    """Return a model's graph in float32, built or traced, and what conversions of it are measured by."""
    if unbuilt(resolved):
        from qdrant_embed.runtimes.openvino.traced import trace

        model, module = trace(resolved, pooled=pooled)
        return model, Original("torch in float32", module.pooled, module.run)
    if holds(resolved, WHOLE):
        model, inside = stored_graph(resolved, WHOLE, pooled=pooled), pools_in_graph(resolved, pooled=pooled)
        return model, Original("its own graph in float32", inside, _whole(model.clone()))
    with initializing("OpenVINO"):
        core()
        from qdrant_embed.runtimes.families.built_graph import build

        graph = build(resolved, pooled=pooled)
        model = keep_gates_apart(graph.model)
    # A copy, since quantizing changes the graph.
    return model, Original("its own graph in float32", graph.pooled, _whole(model.clone()))


def _whole(model: openvino.Model) -> Run:
    """Return what runs a graph in float32; compiled when it is first asked, which may be never."""
    requests = Once(lambda: Requests(compiled(model, "f32")))
    return lambda batch: requests().infer(batch)


@contextmanager
def tried(resolved: ResolvedModel, choice: RuntimeChoice) -> Iterator[tuple[Run, Original]]:
    """Give what runs a model, and what it is measured by, without keeping anything."""
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        original = _convert(resolved, Path(folder), choice, pooled=True)
        yield _requests(Path(folder), choice).infer, original


def _requests(folder: Path, choice: RuntimeChoice) -> Requests:
    if choice.precision == "int8":
        return MixedRequests(folder / _FILE, folder / _WHOLE_FILE)
    return Requests.load(folder / _FILE, _HINTS[choice.precision])
