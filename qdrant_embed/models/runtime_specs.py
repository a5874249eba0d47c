"""What each runtime can do, known without importing it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from qdrant_embed.errors import ConfigurationError
from qdrant_embed.registry import Registry, import_target

REFERENCE = "torch"
"""The runtime whose vectors the others are measured by, and which runs what they cannot."""
FASTEST_ON_X86 = "openvino"
"""What `auto` takes on x86 processors without a GPU."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeSpec:
    """A runtime as a value; what is left out, it cannot do.

    :param target: `"module:attribute"` of what is called with a `ResolvedModel`, and with a precision where one was
        asked for, and returns a `TextRuntime`, `Runtime` or `TokenRuntime` of `qdrant_embed.runtimes`.
    :param reads_texts: Whether it is given texts, as a `TextRuntime` is; else tokens, made above it.
    :param precisions: What it can be asked to compute in: `float32`, `bf16`, `int8`.
    :param gives_token_states: Whether it can give one vector for each token, which late chunking and
        `rerank="tokens"` need.
    :param has_layers: Whether it runs a transformer block by block, so that `layers=N` cuts it, and a table of vectors
        is nothing that it could run.
    :param converts: Whether it runs a graph, built of the model's files or traced through torch, and so only what has
        one.
    :param external_models: `"module:attribute"` of the `ExternalModels` that know its models where these have no folder
        that is read here: a server has them, or another library. Empty where they have one, or none is needed.
    :param names_models: Whether `RUNTIME:MODEL` is a model's name that needs no preset.
    :param architectures: `"module:attribute"` of the `model_type`s whose weights it runs without another runtime; empty
        where that makes no difference.
    :param prediction: `"module:attribute"` of what is called with a `ResolvedModel` and a precision and returns,
        loading nothing, the precision that will be taken, and why another runtime will run the model instead; empty if
        none will. Empty where nothing is to be found out.
    """

    target: str
    reads_texts: bool = False
    precisions: tuple[str, ...] = ()
    gives_token_states: bool = False
    has_layers: bool = False
    converts: bool = False
    external_models: str = ""
    names_models: bool = False
    architectures: str = ""
    prediction: str = ""

    def __str__(self) -> str:
        return self.target

    def predict(self, resolved: Any, precision: str) -> tuple[str, str]:
        """Return what `prediction` says of a `ResolvedModel`.

        :raises QdrantEmbedError: The runtime cannot run it: a package, a key or instructions of the processor lack.
        """
        if not self.prediction:
            return precision, ""
        found: tuple[str, str] = import_target(self.prediction)(resolved, precision)
        return found


RUNTIMES: Registry[RuntimeSpec] = Registry(
    "runtime",
    "qdrant_embed.runtimes",
    {
        "api": RuntimeSpec(
            target="qdrant_embed.runtimes.api:ApiRuntime",
            reads_texts=True,
            external_models="qdrant_embed.models.external_models:ExternalModels",
            prediction="qdrant_embed.runtimes.api.settings:predict",
        ),
        "fastembed": RuntimeSpec(
            target="qdrant_embed.runtimes.fastembed:FastembedRuntime",
            reads_texts=True,
            external_models="qdrant_embed.models.fastembed_catalog:FastembedModels",
            names_models=True,
        ),
        "hashing": RuntimeSpec(target="qdrant_embed.runtimes.hashing:HashingRuntime", reads_texts=True),
        "paragraphs": RuntimeSpec(target="qdrant_embed.runtimes.paragraph_vectors:ParagraphsRuntime"),
        "static": RuntimeSpec(target="qdrant_embed.runtimes.static:StaticRuntime"),
        "onnx": RuntimeSpec(
            target="qdrant_embed.runtimes.onnx:load",
            precisions=("float32",),
            gives_token_states=True,
            has_layers=True,
            converts=True,
            prediction="qdrant_embed.runtimes.onnx:predict",
        ),
        "openvino": RuntimeSpec(
            target="qdrant_embed.runtimes.openvino.runtime:load",
            precisions=("float32", "bf16", "int8"),
            gives_token_states=True,
            has_layers=True,
            converts=True,
            architectures="qdrant_embed.runtimes.families.known_families:FAMILIES",
            prediction="qdrant_embed.runtimes.openvino.runtime:predict",
        ),
        "torch": RuntimeSpec(
            target="qdrant_embed.runtimes.torch.runtime:load",
            precisions=("float32", "bf16"),
            gives_token_states=True,
            has_layers=True,
            prediction="qdrant_embed.runtimes.torch.runtime:predict",
        ),
    },
)
"""Every known runtime; other packages add theirs with the entry-point group `qdrant_embed.runtimes`, which names a
`RuntimeSpec`."""


def runtime_spec(runtime: str) -> RuntimeSpec:
    """Return what a runtime can do.

    :param runtime: Its name, with or without a precision: `torch`, `openvino:int8`.
    :raises UnknownNameError: There is no such runtime.
    :raises ConfigurationError: What another package offers is no `RuntimeSpec`.
    """
    name = runtime.partition(":")[0]
    found: Any = RUNTIMES.get(name)
    if not isinstance(found, RuntimeSpec):
        raise ConfigurationError(
            f"the entry point of the runtime {name!r} names {type(found).__name__} {getattr(found, '__name__', '')!r}; "
            f"it must name a RuntimeSpec, such as RuntimeSpec(target='my_package.runtime:MyRuntime')."
        )
    return found
