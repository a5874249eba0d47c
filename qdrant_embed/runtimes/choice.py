"""Which runtime, in which precision: one word such as `openvino:int8`, and what `auto` makes of it."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from qdrant_embed.errors import ConfigurationError, UnknownNameError
from qdrant_embed.extras import is_installed
from qdrant_embed.models.files.graph_files import has_weights
from qdrant_embed.models.files.prepared_folder import WHOLE
from qdrant_embed.models.resolve import ResolvedModel
from qdrant_embed.models.runtime_specs import FASTEST_ON_X86, REFERENCE, RUNTIMES, RuntimeSpec, runtime_spec
from qdrant_embed.runtimes.families.known_families import brought_file, unbuilt

RUNTIME_VARIABLE = "QDRANT_EMBED_RUNTIME"
"""Environment variable that chooses the runtime of models with weights, where nothing nearer does."""

MIN_COSINE: Mapping[str, float] = {"float32": 0.9999, "bf16": 0.9995, "int8": 0.995}
"""Precision → the cosine to the model in float32 that no text falls below: to its own graph, or to torch's."""

_GPU_SIGNS = ("/proc/driver/nvidia/version", "/dev/nvidiactl", "/dev/kfd", "/dev/dxg")
"""What Linux has where there is a GPU: NVIDIA's driver, AMD's, and that of Windows seen from WSL2."""
_LONGEST_TRIED = 8192
"""Trained windows beyond it would take minutes to go past, which is what a stretched model has to be tried on."""
_LARGEST_CONVERTED = 4 * 2**30
"""Bytes of weights; converting takes three times as much memory, which is not taken unasked."""


@dataclass(frozen=True, slots=True)
class RuntimeChoice:
    """A runtime and a precision; `str` gives the word back.

    :param precision: `float32`, `bf16` or `int8`; empty for the best that the machine has at full fidelity.
    """

    name: str
    precision: str = ""

    @classmethod
    def parse(cls, text: str) -> RuntimeChoice:
        """Read a word such as `torch`, `torch:bf16` or `openvino:int8`.

        :raises UnknownNameError: There is no such runtime.
        :raises ConfigurationError: It does not compute in that precision.
        """
        name, _, precision = text.strip().partition(":")
        if name not in RUNTIMES:
            raise UnknownNameError("runtime", name, ("auto", *RUNTIMES))
        known = runtime_spec(name).precisions
        if precision and precision not in known:
            words = ", ".join([name, *(f"{name}:{value}" for value in known)])
            raise ConfigurationError(f"unknown runtime {text!r}; choose one of {words}.")
        return cls(name, precision)

    @property
    def spec(self) -> RuntimeSpec:
        """What the runtime can do."""
        return runtime_spec(self.name)

    def __str__(self) -> str:
        return f"{self.name}:{self.precision}" if self.precision else self.name


_UNTRIED = RuntimeChoice(FASTEST_ON_X86, "float32")
"""What is not compared with anything, where a model is built of its own files."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What will run a model, and why.

    :param forced: Whether somebody asked for it: what cannot be had is then an error, no reason to take another.
    :param advice: What to type for a faster one.
    """

    runtime: RuntimeChoice
    why: str
    forced: bool = True
    advice: str = ""


def least_cosine(resolved: ResolvedModel, precision: str) -> float:
    """Return the cosine to the original that no text may fall below.

    Weights that were rounded when a folder was prepared stay so, whatever they are computed in.
    """
    prepared = resolved.files.prepared if resolved.files else None
    least = MIN_COSINE[precision]
    return min(least, MIN_COSINE["bf16"]) if prepared and prepared.precision != "float32" else least


def choose(resolved: ResolvedModel, asked: str = "auto") -> Choice:
    """Return what runs a model: what is asked for, else what its preset says, else the environment, else the fastest.

    :raises ConfigurationError: What was asked for does not exist, or cannot run the model as it is extended.
    """
    _require_held(resolved, asked)
    unconverted = _unconverted(resolved)
    if asked != "auto":
        wished = RuntimeChoice.parse(asked)
        if resolved.files is not None and resolved.files.static and wished.spec.has_layers:
            raise ConfigurationError(
                f"{resolved.preset.name!r} is a table of vectors, which are averaged: there is nothing that {asked} "
                f"would run. Leave the runtime out, or give {resolved.preset.runtime!r}."
            )
        if unconverted and wished.spec.converts:
            raise ConfigurationError(f"{unconverted}: give the runtime {REFERENCE}, not {asked}, or leave it out.")
        if (untried := _untried(resolved)) and wished.spec.converts and wished != _UNTRIED:
            raise ConfigurationError(f"{untried}: give the runtime {_UNTRIED}, not {asked}, or leave it out.")
        return Choice(wished, "asked for")
    if unconverted:
        return Choice(RuntimeChoice(REFERENCE), unconverted)
    if resolved.files is None or resolved.origins.get("runtime", "default") != "default":
        return Choice(RuntimeChoice.parse(resolved.preset.runtime), "the model's preset says so")
    if brought_file(resolved) and not has_weights(resolved.files.transformer):
        return Choice(RuntimeChoice(FASTEST_ON_X86), "its folder holds a graph and no weights")
    wanted = os.environ.get(RUNTIME_VARIABLE, "auto")
    if wanted != "auto":
        return _tried(resolved, Choice(RuntimeChoice.parse(wanted), f"{RUNTIME_VARIABLE} says so"))
    return _tried(resolved, _fastest(resolved))


def _require_held(resolved: ResolvedModel, asked: str) -> None:
    """Refuse what a folder that was prepared as a graph alone does not hold.

    :raises ConfigurationError: Another runtime is asked for, or the model is to be read otherwise.
    """
    prepared = resolved.files.prepared if resolved.files else None
    if prepared is None or WHOLE not in prepared.graphs:
        return
    wished = FASTEST_ON_X86 if asked == "auto" else RuntimeChoice.parse(asked).name
    if wished != FASTEST_ON_X86 or unbuilt(resolved):
        raise ConfigurationError(
            f"{prepared.folder} holds {prepared.source!r} as it was prepared, for {FASTEST_ON_X86} alone and read as a "
            "whole: no other runtime, number of layers or states, and no stretching. Give the original."
        )


def _unconverted(resolved: ResolvedModel) -> str:
    """Return why a model cannot be converted as it is extended; empty if it can."""
    extension_plan = resolved.extension_plan
    if extension_plan is None:
        return ""
    if extension_plan.extension.method == "selfextend":
        return "selfextend has an attention of its own, which torch alone runs"
    return _untried(resolved) if unbuilt(resolved) else ""


def _untried(resolved: ResolvedModel) -> str:
    """Return why a model is not compared, as it is extended, with what it was converted of; empty if it is."""
    extension_plan = resolved.extension_plan
    if extension_plan is None or extension_plan.trained <= _LONGEST_TRIED:
        return ""
    return f"no text longer than {extension_plan.trained} tokens is tried on a converted model"


def _tried(resolved: ResolvedModel, choice: Choice) -> Choice:
    """Return the choice, or what needs no trial in its place."""
    untried = _untried(resolved)
    if not untried or not choice.runtime.spec.converts or choice.runtime == _UNTRIED:
        return choice
    return replace(choice, runtime=_UNTRIED, why=untried)


def _fastest(resolved: ResolvedModel) -> Choice:
    torch, files = RuntimeChoice(REFERENCE), resolved.files
    if not is_installed("torch"):
        return _without_torch()
    if _has_gpu():
        return Choice(torch, "there is a GPU", forced=False)
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return Choice(torch, f"the processor is {platform.machine()}, not x86", forced=False)
    if files is not None and files.static:
        return Choice(torch, "the model is a table of words, which needs no faster runtime", forced=False)
    weights = sum(path.stat().st_size for path in files.folder.rglob("*.safetensors")) if files else 0
    if weights > _LARGEST_CONVERTED:
        return Choice(torch, f"{weights / 2**30:.0f} GiB of weights are not converted unasked", forced=False)
    if not is_installed("openvino"):
        advice = "pip install openvino makes models faster here"
        return Choice(torch, "openvino is not installed", forced=False, advice=advice)
    return Choice(RuntimeChoice(FASTEST_ON_X86), "the fastest on x86 processors without a GPU", forced=False)


def _without_torch() -> Choice:
    if not is_installed("openvino"):
        return Choice(RuntimeChoice(REFERENCE), "neither torch nor openvino is installed", forced=False)
    advice = "pip install 'qdrant-embed[torch]' runs models on the GPU" if may_have_gpu() else ""
    return Choice(RuntimeChoice(FASTEST_ON_X86), "torch is not installed", forced=False, advice=advice)


def may_have_gpu() -> bool:
    """Tell whether there is a sign of a GPU; elsewhere than on Linux there is none to look for."""
    return platform.system() != "Linux" or any(Path(sign).exists() for sign in _GPU_SIGNS)


def _has_gpu() -> bool:
    """Look for a GPU that torch can use; torch is imported only where there is a sign of one."""
    if not may_have_gpu():
        return False
    import torch

    return torch.cuda.is_available() or torch.backends.mps.is_available()
