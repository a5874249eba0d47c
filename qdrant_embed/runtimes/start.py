"""From what was asked for to a runtime that runs, or to torch with a warning that says why."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any, cast

from qdrant_embed.errors import ConfigurationError, ForkedError, MissingExtraError, QdrantEmbedError, warn_user
from qdrant_embed.models.resolve import ResolvedModel
from qdrant_embed.models.runtime_specs import REFERENCE
from qdrant_embed.registry import import_target
from qdrant_embed.runtimes import Runtime, RuntimeBase, TextRuntime, TokenRuntime
from qdrant_embed.runtimes.choice import Choice, RuntimeChoice, choose
from qdrant_embed.runtimes.conversion.convert import FidelityWarning, LowFidelityError


def start(resolved: ResolvedModel, asked: str = "auto") -> tuple[RuntimeChoice, RuntimeBase]:
    """Return what runs a model, and its name.

    What nobody asked for and cannot be had gives way to torch. So does what was asked for and does not keep its
    minimum cosine: wrong vectors are worse than slow ones. Both warn once.

    :raises ModelError: The model cannot be loaded, or not by the runtime that was asked for.
    :raises MissingExtraError: That runtime is not installed.
    :raises ForkedError: The process that this one was forked from has used it.
    """
    choice = choose(resolved, asked)
    try:
        return choice.runtime, _started(choice.runtime, resolved)
    except ForkedError:
        raise
    except QdrantEmbedError as error:
        if choice.runtime.name == REFERENCE or (choice.forced and not isinstance(error, LowFidelityError)):
            raise
        failed = error
    try:
        instead, runtime = _instead(choice.runtime, resolved)
    except MissingExtraError:
        raise failed from None  # torch would not help, were it there: what was chosen can run such models
    # Said only now: where torch cannot load the model either, its error is the one to read.
    warn_user(f"{failed} {str(instead).capitalize()} runs it instead, which is slower.", FidelityWarning)
    return instead, runtime


def _instead(failed: RuntimeChoice, resolved: ResolvedModel) -> tuple[RuntimeChoice, RuntimeBase]:
    *others, torch = instead_of(failed)
    for other in others:
        with suppress(QdrantEmbedError):
            return other, _started(other, resolved)
    return torch, _started(torch, resolved)


def instead_of(failed: RuntimeChoice) -> tuple[RuntimeChoice, ...]:
    """Return the next best: the same runtime in its best precision, in float32, and at last torch."""
    known, usual = failed.spec.precisions, RuntimeChoice(failed.name)
    others = (usual,) if failed.precision == "int8" else ()
    whole = (replace(usual, precision="float32"),) if len(known) > 1 and failed.precision != "float32" else ()
    return (*others, *whole, RuntimeChoice(REFERENCE))


def _started(choice: RuntimeChoice, resolved: ResolvedModel) -> RuntimeBase:
    factory = import_target(choice.spec.target)
    made: Any = factory(resolved, choice.precision) if choice.precision else factory(resolved)
    wanted = (TextRuntime,) if choice.spec.reads_texts else (Runtime, TokenRuntime)
    if isinstance(made, wanted):
        return cast("RuntimeBase", made)
    raise ConfigurationError(
        f"the runtime {choice.name!r} ({choice.spec.target}) gave a {type(made).__name__}; its class must inherit from "
        f"{' or '.join(f'qdrant_embed.runtimes.{kind.__name__}' for kind in wanted)}, since its RuntimeSpec says "
        f"reads_texts={choice.spec.reads_texts}."
    )


def predict_runtime(resolved: ResolvedModel, asked: str = "auto") -> Choice:
    """Return what `start` will take, with its precision; where that is not what was chosen, `why` says why not.

    :raises QdrantEmbedError: Starting will fail: a package, a key or instructions of the processor are lacking.
    """
    choice = choose(resolved, asked)
    try:
        runtime, short = _predicted(choice.runtime, resolved)
    except QdrantEmbedError as error:
        if choice.forced:
            raise
        runtime, short = choice.runtime, str(error)
    if not short:
        return replace(choice, runtime=runtime)
    for other in instead_of(runtime):
        runtime, shorter = _predicted(other, resolved)
        if not shorter:
            break
    return replace(choice, runtime=runtime, why=short, forced=False)


def _predicted(runtime: RuntimeChoice, resolved: ResolvedModel) -> tuple[RuntimeChoice, str]:
    """Return a runtime with its precision, and how it is known to miss its minimum cosine."""
    precision, short = runtime.spec.predict(resolved, runtime.precision)
    return replace(runtime, precision=precision), short
