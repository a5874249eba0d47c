"""The graphs of a prepared folder, and what its vectors are measured by: the original, in float32."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from qdrant_embed.concurrency import went_on
from qdrant_embed.models.files.prepared_folder import GRAPHS, INT8, WHOLE
from qdrant_embed.models.resolve import ResolvedModel, pooling_only, pools_inside, resolve
from qdrant_embed.pooling.token_pooling import POOLINGS
from qdrant_embed.runtimes.choice import RuntimeChoice
from qdrant_embed.runtimes.conversion.fidelity import Fidelity, Run, compare, probe_batches
from qdrant_embed.runtimes.families.known_families import brought_file, unbuilt
from qdrant_embed.runtimes.openvino.stored_graphs import PROBES_FILE
from qdrant_embed.runtimes.preparation.bf16_weights import narrow_constants

if TYPE_CHECKING:
    import openvino


def built_of_weights(resolved: ResolvedModel) -> bool:
    """Tell whether a model's graph is built of its weights, so that these are all that a folder has to hold."""
    own = resolved.require_files().adapter is None and brought_file(resolved) is None
    return own and not unbuilt(resolved)


def write_graphs(resolved: ResolvedModel, work: Path, precision: str) -> tuple[str, ...]:
    """Write the graphs that a model needs beside its weights, and the original's vectors; return the graphs' names.

    :raises MissingExtraError: Its architecture needs torch, which is not installed.
    :raises ModelError: It cannot be loaded, or not be traced.
    """
    from qdrant_embed.runtimes.openvino.runtime import graph_of

    model, original = graph_of(resolved, pooled=False)
    if original.run is not None:
        _write_probes(resolved, original.run, work / PROBES_FILE)
    went_on()
    names = []
    if not built_of_weights(resolved):
        _save(model, work, WHOLE, precision)
        names.append(WHOLE)
    if precision == "int8":
        from qdrant_embed.runtimes.openvino.int8 import quantize

        _save(quantize(resolved, model), work, INT8, precision)
        names.append(INT8)
    return tuple(names)


def measured(folder: Path, choice: RuntimeChoice) -> Fidelity:
    """Return how near the vectors of a prepared folder come to the original's, as a runtime runs it here.

    :raises ModelError: It cannot be loaded.
    """
    from qdrant_embed.runtimes.openvino.runtime import tried

    resolved = resolve(folder)
    with tried(resolved, choice) as (run, original):
        return compare(resolved, original, lambda: run)


def _save(model: openvino.Model, work: Path, name: str, precision: str) -> None:
    import openvino

    (work / GRAPHS).mkdir(exist_ok=True)
    narrow = model if precision == "float32" else narrow_constants(model.clone())
    openvino.save_model(narrow, str(work / GRAPHS / f"{name}.xml"), compress_to_fp16=False)
    went_on()


def _write_probes(resolved: ResolvedModel, run: Run, file: Path) -> None:
    """Write what the original makes of the texts that a conversion is tried on: vectors, and means of states."""
    from safetensors.numpy import save_file

    rows: dict[str, list[np.ndarray]] = {}
    for batch in probe_batches(resolved):
        went_on()
        found = run(batch)
        kinds: Mapping[str, np.ndarray] = {"vectors": found}
        if pooling_only(resolved):
            kinds = {"states": POOLINGS["mean"](found, batch.mask)}
            if pools_inside(resolved):
                kinds = {**kinds, "vectors": POOLINGS[resolved.preset.pooling](found, batch.mask)}
        for kind, values in kinds.items():
            rows.setdefault(kind, []).append(np.asarray(values, np.float16))
    save_file({kind: np.concatenate(parts) for kind, parts in rows.items()}, file)
