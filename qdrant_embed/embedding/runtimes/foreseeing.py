"""What will run a model, told without loading or converting anything."""

from __future__ import annotations

from dataclasses import replace

from qdrant_embed.embedding.resolving import Resolved
from qdrant_embed.embedding.runtimes.choice import Choice, RuntimeChoice, choose
from qdrant_embed.embedding.runtimes.starting import instead_of
from qdrant_embed.errors import QdrantEmbedError


def foresee(resolved: Resolved, asked: str = "auto") -> Choice:
    """Return what `start` will take, with its precision; where that is not what was chosen, `why` says why not.

    :raises QdrantEmbedError: Starting will fail: a package, a key or instructions of the processor are lacking.
    """
    choice = choose(resolved, asked)
    try:
        runtime, short = _foreseen(choice.runtime, resolved)
    except QdrantEmbedError as error:
        if choice.forced:
            raise
        runtime, short = choice.runtime, str(error)
    if not short:
        return replace(choice, runtime=runtime)
    for other in instead_of(runtime):
        runtime, shorter = _foreseen(other, resolved)
        if not shorter:
            break
    return replace(choice, runtime=runtime, why=short, forced=False)


def _foreseen(runtime: RuntimeChoice, resolved: Resolved) -> tuple[RuntimeChoice, str]:
    """Return a runtime with its precision, and how it is known to break its promise."""
    # Here, and not above: what is asked for is one of them, and the others may not be installed.
    if runtime.name == "openvino":
        from qdrant_embed.embedding.runtimes import openvino

        exact = openvino.chosen(runtime.precision)
        return exact, openvino.shortfall(resolved, exact)
    if runtime.name == "onnx":
        from qdrant_embed.embedding.runtimes import onnx

        return runtime, onnx.shortfall(resolved)
    if runtime.name == "api":
        from qdrant_embed.embedding.runtimes.api.settings import settings_of

        settings_of(resolved.preset).key.value()
    return runtime, ""
