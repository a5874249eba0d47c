"""From what was asked for to a runtime that runs, or to torch with a warning that says why."""

from __future__ import annotations

import warnings
from contextlib import suppress

from qdrant_embed.embedding.resolving import Resolved
from qdrant_embed.embedding.runtimes import RUNTIMES, Runtime, TokenRuntime
from qdrant_embed.embedding.runtimes.choice import RuntimeChoice, choose
from qdrant_embed.embedding.runtimes.converting import FidelityWarning, TooFarError
from qdrant_embed.errors import ForkedError, QdrantEmbedError


def start(resolved: Resolved, asked: str = "auto") -> tuple[RuntimeChoice, Runtime | TokenRuntime]:
    """Return what runs a model, and its name.

    What nobody asked for and cannot be had gives way to torch. So does what was asked for and does not keep its
    promise of fidelity: wrong vectors are worse than slow ones. Both warn once.

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
        if choice.runtime.name == "torch" or (choice.forced and not isinstance(error, TooFarError)):
            raise
        reason = str(error)
    instead, runtime = _instead(choice.runtime, resolved)
    # Said only now: where torch cannot load the model either, its error is the one to read.
    warnings.warn(
        f"{reason} {str(instead).capitalize()} runs it instead, which is slower.", FidelityWarning, stacklevel=2
    )
    return instead, runtime


def _instead(failed: RuntimeChoice, resolved: Resolved) -> tuple[RuntimeChoice, Runtime | TokenRuntime]:
    *others, torch = instead_of(failed)
    for other in others:
        with suppress(QdrantEmbedError):
            return other, _started(other, resolved)
    return torch, _started(torch, resolved)


def instead_of(failed: RuntimeChoice) -> tuple[RuntimeChoice, ...]:
    """Return the next best: the same runtime without int8, and at last torch."""
    usual = (RuntimeChoice(failed.name),) if failed.precision == "int8" else ()
    return (*usual, RuntimeChoice("torch"))


def _started(choice: RuntimeChoice, resolved: Resolved) -> Runtime | TokenRuntime:
    factory = RUNTIMES.get(choice.name)
    return factory(resolved, choice.precision) if choice.precision else factory(resolved)
