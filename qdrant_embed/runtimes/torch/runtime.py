"""The torch runtime: sentence-transformers modules, fed with token ids that were made above."""

from __future__ import annotations

import queue
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qdrant_embed.extras import require_extra
from qdrant_embed.models.resolve import ResolvedModel, pooling_only, pools_inside
from qdrant_embed.native import initializing, prepare_torch
from qdrant_embed.pooling.torch_pooling import POOLS
from qdrant_embed.runtimes import Runtime, TokenRuntime, first_batch
from qdrant_embed.runtimes.batching import BatchLimits
from qdrant_embed.runtimes.torch.graph import followed
from qdrant_embed.runtimes.torch.load import (
    load_copies,
    load_model,
    token_module,
    use_of_torch,
    without_last_normalization,
)
from qdrant_embed.tokenization.batch import TokenBatch
from qdrant_embed.types import FloatArray

if TYPE_CHECKING:
    import torch

GPU_TOKENS = 32_768
"""Padded tokens of a batch on a GPU: on an H200, MiniLM read 1.1 million a second with 4096, 3.2 with 32 768, and 3.5
with twice those, tokenizing apart."""


def load(resolved: ResolvedModel, precision: str = "") -> Runtime | TokenRuntime:
    """Load a model's weights onto the best device there is; where there are several GPUs, onto each.

    :param precision: `float32` or `bf16`; empty for bf16 on NVIDIA GPUs that have it, else float32.
    :raises ModelError: The weights do not fit the configuration, or need code that comes with the model.
    :raises MissingExtraError: torch is not installed.
    """
    prepare_torch(use_of_torch(resolved))
    import torch

    gpus = _gpus()
    halved = precision == "bf16" or (not precision and bool(gpus) and torch.cuda.is_bf16_supported())
    dtype = "bfloat16" if halved else "float32"
    if len(gpus) < 2:
        return _on_device(load_model(resolved, dtype=dtype), resolved)
    models = [_on_device(model, resolved) for model in load_copies(resolved, gpus, dtype=dtype)]
    return TorchTokenPool(models) if isinstance(models[0], TorchTokenRuntime) else TorchPool(models)


def predict(resolved: ResolvedModel, precision: str) -> tuple[str, str]:
    """Return the precision; its vectors are what others are compared with, so they miss nothing.

    :raises MissingExtraError: torch is not installed.
    """
    require_extra(use_of_torch(resolved), "torch")
    return precision, ""


def _gpus() -> list[str]:
    import torch

    return [f"cuda:{number}" for number in range(torch.cuda.device_count())] if torch.cuda.is_available() else []


def _on_device(model: Any, resolved: ResolvedModel) -> TorchTokenRuntime | TorchPooledRuntime | TorchSentenceRuntime:
    runtime = _around(model, resolved)
    read = runtime.token_states if isinstance(runtime, TorchTokenRuntime) else runtime.sentence
    with initializing("torch"):
        read(first_batch())
    return runtime


def _around(model: Any, resolved: ResolvedModel) -> TorchTokenRuntime | TorchPooledRuntime | TorchSentenceRuntime:
    if not pooling_only(resolved):
        return TorchSentenceRuntime(model)
    preset = resolved.preset
    if model.device.type == "cuda" and pools_inside(resolved):
        return TorchPooledRuntime(model, preset.states, preset.pooling)
    return TorchTokenRuntime(model, preset.states)


def _batches_on(model: Any) -> BatchLimits:
    """Return one batch at a time, which is larger on a GPU."""
    return BatchLimits(tokens=GPU_TOKENS) if model.device.type == "cuda" else BatchLimits()


class _Torch:
    """What all forms share: arrays to tensors on the model's device."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def _features(self, batch: TokenBatch) -> dict[str, torch.Tensor]:
        import torch

        device = self._model.device
        return {
            "input_ids": torch.from_numpy(batch.ids).to(device, non_blocking=True),
            "attention_mask": torch.from_numpy(batch.mask).to(device, non_blocking=True),
        }


class TorchTokenRuntime(_Torch, TokenRuntime):
    """For a transformer that only needs pooling and normalizing: both are done above.

    Its batches are not larger on a GPU: the states of all tokens go to the processor's memory.
    """

    def __init__(self, model: Any, states: str = "last") -> None:
        super().__init__(model)
        self._states = token_module(model, states)

    def token_states(self, batch: TokenBatch) -> FloatArray:
        """Return the states that are pooled (n, tokens, dim)."""
        import torch

        with torch.inference_mode():
            states = self._states(**self._features(batch))
        return np.asarray(states.float().cpu().numpy(), np.float32)


class TorchPooledRuntime(_Torch, Runtime):
    """As `TorchTokenRuntime`, but pooled on the GPU, in float32: states of all tokens are too many to carry over."""

    def __init__(self, model: Any, states: str, pooling: str) -> None:
        super().__init__(model)
        pool = POOLS[pooling]
        self._pooled = followed(token_module(model, states), lambda found, mask: pool(found.float(), mask))
        self._tokenwise = TorchTokenRuntime(model, states)
        self.batch_limits = _batches_on(model)

    def tokenwise(self) -> TorchTokenRuntime:
        """Return the same model with its token states."""
        return self._tokenwise

    def sentence(self, batch: TokenBatch) -> FloatArray:
        """Return sentence vectors (n, dim)."""
        import torch

        with torch.inference_mode():
            vectors = self._pooled(**self._features(batch))
        return np.asarray(vectors.cpu().numpy(), np.float32)


class TorchSentenceRuntime(_Torch, Runtime):
    """For models with further modules (a dense layer, two poolings …): all of them are run but a last normalization."""

    def __init__(self, model: Any) -> None:
        super().__init__(model)
        self._modules = without_last_normalization(model)
        self.batch_limits = _batches_on(model)

    def sentence(self, batch: TokenBatch) -> FloatArray:
        """Return sentence vectors (n, dim)."""
        import torch

        features: dict[str, Any] = {**self._features(batch), "prompt_length": batch.prompted}
        with torch.inference_mode():
            for module in self._modules:
                features = module(features)
        return np.asarray(features["sentence_embedding"].float().cpu().numpy(), np.float32)


class TorchPool(Runtime):
    """One model for each GPU; a batch goes to one that is free.

    Threads are enough: kernels run outside the interpreter's lock, and no vector crosses a process.
    """

    takes_threads = True

    def __init__(self, models: Sequence[TorchTokenRuntime | TorchPooledRuntime | TorchSentenceRuntime]) -> None:
        self.batch_limits = BatchLimits(len(models), models[0].batch_limits.tokens)
        tokenwise = [model.tokenwise() for model in models if isinstance(model, TorchPooledRuntime)]
        self._tokenwise = TorchTokenPool(tokenwise) if tokenwise else None
        self._free: queue.SimpleQueue[Any] = queue.SimpleQueue()
        for model in models:
            self._free.put(model)

    def tokenwise(self) -> TokenRuntime | None:
        """Return the states of single tokens, where the models pool inside; None where they have others."""
        return self._tokenwise

    def sentence(self, batch: TokenBatch) -> FloatArray:
        """Return sentence vectors (n, dim)."""
        return self._run("sentence", batch)

    def _run(self, method: str, batch: TokenBatch) -> FloatArray:
        model = self._free.get()
        try:
            found: FloatArray = getattr(model, method)(batch)
            return found
        finally:
            self._free.put(model)


class TorchTokenPool(TorchPool, TokenRuntime):
    """As `TorchPool`, for models that are pooled above."""

    def tokenwise(self) -> TokenRuntime:
        """Return the pool itself."""
        return self

    def token_states(self, batch: TokenBatch) -> FloatArray:
        """Return the states that are pooled (n, tokens, dim)."""
        return self._run("token_states", batch)
