"""A model's runtime, started at the first batch, and its answers checked."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import cast

from qdrant_embed.errors import ConfigurationError, ModelError
from qdrant_embed.models.license_warning import say_license
from qdrant_embed.models.resolve import ResolvedModel
from qdrant_embed.models.runtime_specs import REFERENCE
from qdrant_embed.native import Once, make_lock
from qdrant_embed.pooling.token_pooling import POOLINGS, Pooler
from qdrant_embed.runtimes import Runtime, RuntimeBase, TextRuntime, TokenRuntime
from qdrant_embed.runtimes.batching import BatchLimits
from qdrant_embed.runtimes.choice import RuntimeChoice, choose
from qdrant_embed.runtimes.start import start
from qdrant_embed.tokenization.batch import TextBatch, TokenBatch
from qdrant_embed.types import FloatArray


class RuntimeSession:
    """Batches to vectors, by the runtime that was asked for.

    Safe to use from several threads: a runtime that takes only one batch at a time gets them one by one.

    :param asked: A runtime such as `openvino:int8`, or `auto`; kept in `asked`.
    :raises UnknownNameError: There is no such runtime.
    """

    def __init__(self, resolved: ResolvedModel, asked: str) -> None:
        if asked != "auto":
            RuntimeChoice.parse(asked)
        self._resolved = resolved
        self.asked = asked
        self._lock = make_lock()
        self._started = Once(self._start)
        self._tokenwise = Once(self._start_tokenwise)

    @property
    def name(self) -> str:
        """What runs the model, e.g. `openvino:bf16`; loads it."""
        choice, runtime = self._started()
        return str(replace(choice, precision=runtime.precision or choice.precision))

    @property
    def runtime(self) -> RuntimeBase:
        """The runtime itself; loads the weights.

        :raises ModelError: They cannot be loaded.
        """
        return self._started()[1]

    @property
    def kept_as(self) -> str:
        """`int8`, or `float` for everything that promises more; known without loading anything."""
        chosen = choose(self._resolved, self.asked).runtime
        return "int8" if chosen.precision == "int8" else "float"

    @property
    def reads_texts(self) -> bool:
        """Whether it is given texts, not tokens; known without loading anything."""
        return choose(self._resolved, self.asked).runtime.spec.reads_texts

    @property
    def batch_limits(self) -> BatchLimits:
        """How many batches it works on at once, and of how many tokens."""
        return self.runtime.batch_limits

    @property
    def token_batch_limits(self) -> BatchLimits:
        """The same where the states of single tokens are asked for."""
        return self._tokenwise().batch_limits

    def _start(self) -> tuple[RuntimeChoice, RuntimeBase]:
        say_license(self._resolved.preset)
        return start(self._resolved, self.asked)

    def token_states(self, batch: TokenBatch) -> FloatArray:
        """Return the states (n, tokens, dim) of every token of a batch.

        :raises ModelError: The runtime gives none.
        """
        runtime = self._tokenwise()
        with nullcontext() if runtime.takes_threads else self._lock:
            return runtime.token_states(batch)

    def _start_tokenwise(self) -> TokenRuntime:
        tokenwise = self.runtime.tokenwise()
        if tokenwise is None:
            raise ModelError(
                f"the runtime {self.name!r} gives no token states of {self._resolved.preset.name!r}, which are "
                f"needed here; give the runtime {REFERENCE!r}."
            )
        return tokenwise

    def run(self, batch: TokenBatch) -> FloatArray:
        """Return the vectors (n, dim) of a batch, pooled, not yet cut or normalized.

        :raises ModelError: They have another shape than the preset says.
        """
        runtime = self.runtime
        with nullcontext() if runtime.takes_threads else self._lock:
            if isinstance(runtime, TokenRuntime):
                mask = batch.mask if batch.pooled is None else batch.pooled
                vectors = self._pool(runtime.token_states(batch), mask)
            else:
                vectors = cast("Runtime", runtime).sentence(batch)
        return self._checked(vectors, len(batch.ids))

    def run_texts(self, batch: TextBatch) -> FloatArray:
        """As `run`, where `reads_texts` says so; fewer dimensions where the batch wants fewer."""
        runtime = cast("TextRuntime", self.runtime)
        with nullcontext() if runtime.takes_threads else self._lock:
            vectors = runtime.sentence(batch)
        return self._checked(vectors, len(batch.texts), batch.dim)

    def _checked(self, vectors: FloatArray, rows: int, dim: int = 0) -> FloatArray:
        preset = self._resolved.preset
        if vectors.shape not in ((rows, preset.dim), (rows, dim or preset.dim)):
            raise ModelError(
                f"{preset.name!r} gave an array of shape {vectors.shape} for {rows} texts; its preset says "
                f"dim = {preset.dim}, so {(rows, preset.dim)} was expected. Correct dim, or leave it out."
            )
        return vectors

    @cached_property
    def _pool(self) -> Pooler:
        files = self._resolved.files
        return load_pooler(self._resolved.preset.pooling, files.folder if files else None)


def load_pooler(name: str, folder: Path | None) -> Pooler:
    """Return a pooling by name, with its weights where it has any.

    :param folder: The model's folder.
    :raises ConfigurationError: It pools no token states.
    :raises ModelError: Its weights are missing or do not fit.
    """
    if name == "latents" and folder is not None:
        from qdrant_embed.pooling.latent_attention import LatentPooling

        return LatentPooling.from_file(folder / "latent_pooling.safetensors")
    if name not in POOLINGS:
        raise ConfigurationError(
            f"the pooling {name!r} is not one of token states; choose one of {', '.join(POOLINGS)}."
        )
    return POOLINGS[name]
