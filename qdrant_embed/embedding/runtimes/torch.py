"""The torch runtime: sentence-transformers modules, fed with token ids that were made above."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from qdrant_embed.embedding.modules import load_model, pooling_only, token_module
from qdrant_embed.embedding.resolving import Resolved
from qdrant_embed.embedding.runtimes import Batch, Runtime, TokenRuntime
from qdrant_embed.types import FloatArray

if TYPE_CHECKING:
    import torch


def load(resolved: Resolved) -> Runtime | TokenRuntime:
    """Load a model's weights, in float32, onto the best device there is.

    :raises ModelError: The weights do not fit the configuration, or need code that comes with the model.
    """
    model = load_model(resolved)
    return TorchTokenRuntime(model, resolved.preset.states) if pooling_only(resolved) else TorchSentenceRuntime(model)


class _Torch:
    """What both forms share: arrays to tensors on the model's device."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def _features(self, batch: Batch) -> dict[str, torch.Tensor]:
        import torch

        device = self._model.device
        return {
            "input_ids": torch.from_numpy(batch.ids).to(device),
            "attention_mask": torch.from_numpy(batch.mask).to(device),
        }


class TorchTokenRuntime(_Torch):
    """For a transformer that only needs pooling and normalising: both are done above."""

    def __init__(self, model: Any, states: str = "last") -> None:
        super().__init__(model)
        self._states = token_module(model, states)

    def token_states(self, batch: Batch) -> FloatArray:
        """Return the states that are pooled (n, tokens, dim)."""
        import torch

        with torch.inference_mode():
            states = self._states(**self._features(batch))
        return np.asarray(states.float().cpu().numpy(), np.float32)


class TorchSentenceRuntime(_Torch):
    """For models with further modules (a dense layer, two poolings …): all of them are run but a last normalisation.

    That one is done above, once dimensions have been cut and windows averaged.
    """

    def __init__(self, model: Any) -> None:
        super().__init__(model)
        modules = list(model.children())
        self._modules = modules[:-1] if type(modules[-1]).__name__ == "Normalize" else modules

    def sentence(self, batch: Batch) -> FloatArray:
        """Return sentence vectors (n, dim)."""
        import torch

        features: dict[str, Any] = {**self._features(batch), "prompt_length": batch.prompted}
        with torch.inference_mode():
            for module in self._modules:
                features = module(features)
        return np.asarray(features["sentence_embedding"].float().cpu().numpy(), np.float32)
