"""Graphs that stand in a prepared folder, and what its vectors are known, or measured, to be like."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from qdrant_embed.errors import ModelError
from qdrant_embed.models.files.prepared_folder import INT8
from qdrant_embed.models.resolve import ResolvedModel, pooling_only, pools_inside
from qdrant_embed.native import initializing
from qdrant_embed.runtimes.choice import RuntimeChoice
from qdrant_embed.runtimes.conversion.convert import processor_features, versions
from qdrant_embed.runtimes.conversion.fidelity import Fidelity, Original
from qdrant_embed.runtimes.families.known_families import as_prepared
from qdrant_embed.runtimes.openvino.requests import core
from qdrant_embed.tokenization.batch import TokenBatch
from qdrant_embed.types import FloatArray

if TYPE_CHECKING:
    import openvino

PROBES_FILE = "probes.safetensors"
"""Vectors of the original in float32 of the texts that conversions are tried on."""
_ORIGINAL = "the original in float32"


def machine() -> str:
    """Return what decides how a graph's numbers are rounded: processor and OpenVINO."""
    return f"{platform.machine()} {processor_features()} openvino {versions('openvino')['openvino']}"


def holds(resolved: ResolvedModel, name: str) -> bool:
    """Tell whether a model is one that was prepared, is read as it was prepared, and holds a graph."""
    files = resolved.files
    prepared = files.prepared if files else None
    return prepared is not None and name in prepared.graphs and as_prepared(resolved)


def pools_in_graph(resolved: ResolvedModel, *, pooled: bool) -> bool:
    """Tell whether vectors leave a model's graph.

    :param pooled: Whether they are to, where that is possible.
    """
    return not pooling_only(resolved) or (pooled and pools_inside(resolved))


def stored_graph(resolved: ResolvedModel, name: str, *, pooled: bool) -> openvino.Model:
    """Return a graph of a prepared folder that `holds` it.

    :param pooled: Whether to pool inside, where that is possible.
    """
    prepared = resolved.require_files().prepared
    if prepared is None:
        raise ModelError(f"{resolved.preset.name!r} was not prepared.")
    with initializing("OpenVINO"):
        model = core().read_model(str(prepared.graph(name)))
        if prepared.pooled or not (pooled and pools_inside(resolved)):
            return model
        import openvino

        from qdrant_embed.runtimes.families.pools import GRAPH_POOLS

        states, (ids, mask) = model.get_results()[0].input_value(0), model.get_parameters()
        return openvino.Model([GRAPH_POOLS[resolved.preset.pooling](states, mask)], [ids, mask], "vectors")


def known_original(resolved: ResolvedModel, choice: RuntimeChoice, *, pooled: bool) -> Original | None:
    """Return what a prepared model is measured by; None where it is not one, or not read as it was prepared.

    On a machine such as it was prepared on nothing is measured again.
    """
    files = resolved.files
    prepared = files.prepared if files else None
    if prepared is None or not as_prepared(resolved) or (choice.precision == "int8" and INT8 not in prepared.graphs):
        return None
    inside = pools_in_graph(resolved, pooled=pooled)
    found = prepared.fidelity.get(str(choice)) if prepared.machine == machine() else None
    if found is not None:
        return Original(_ORIGINAL, inside, None, Fidelity(**found))
    return Original(_ORIGINAL, inside, _Remembered(resolved, prepared.folder / PROBES_FILE, pooled=inside).run)


class _Remembered:
    """The original's vectors, as if it ran."""

    def __init__(self, resolved: ResolvedModel, file: Path, *, pooled: bool) -> None:
        from safetensors.numpy import load_file

        from qdrant_embed.runtimes.conversion.fidelity import probe_batches

        rows = load_file(file)["vectors" if pooled else "states"].astype(np.float32)
        self._pooled, self._known, start = pooled, {}, 0
        for batch in probe_batches(resolved):
            self._known[batch.ids.tobytes()] = rows[start : start + len(batch.ids)]
            start += len(batch.ids)

    def run(self, batch: TokenBatch) -> FloatArray:
        """Return vectors (n, dim), or states (n, tokens, dim) whose mean is known, and nothing else of them."""
        rows = self._known[batch.ids.tobytes()]
        shape = (rows.shape[0], batch.ids.shape[1], rows.shape[1])
        return rows if self._pooled else np.broadcast_to(rows[:, None], shape)
