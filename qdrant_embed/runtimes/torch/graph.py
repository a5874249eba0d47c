"""Torch modules in the form that other runtimes convert: two tensors in, one out."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qdrant_embed.errors import ModelError
from qdrant_embed.models.resolve import ResolvedModel, pooling_only, pools_inside
from qdrant_embed.native import make_lock
from qdrant_embed.pooling.torch_pooling import POOLS
from qdrant_embed.runtimes.torch.load import load_model, token_module, without_last_normalization
from qdrant_embed.tokenization.batch import TokenBatch
from qdrant_embed.types import FloatArray

if TYPE_CHECKING:
    import torch

_MASKS_CHANGED = make_lock()
"""Held while transformers makes masks our way: one graph after the other."""


@dataclass(frozen=True, slots=True)
class Graph:
    """A module that takes `input_ids` and `attention_mask`, both (n, tokens) int64.

    :param pooled: Whether (n, dim) comes out, rather than the token states (n, tokens, dim).
    """

    module: torch.nn.Module
    pooled: bool

    def run(self, batch: TokenBatch) -> FloatArray:
        """Return what comes out, in float32."""
        import torch

        with torch.inference_mode():
            found: FloatArray = self.module(torch.from_numpy(batch.ids), torch.from_numpy(batch.mask)).float().numpy()
        return found


def build_graph(resolved: ResolvedModel, *, pooled: bool) -> Graph:
    """Load a model and wrap it.

    :param pooled: Whether to pool inside, where `pools_inside` allows it.
    :raises ModelError: It cannot be loaded, or pools by where its prompt ends.
    """
    model = load_model(resolved, device="cpu")
    if not pooling_only(resolved):
        return Graph(_chained(model, resolved.preset.name), pooled=True)
    states = token_module(model, resolved.preset.states)
    inside = pooled and pools_inside(resolved)
    return Graph(followed(states, POOLS[resolved.preset.pooling]) if inside else states, pooled=inside)


def followed(states: torch.nn.Module, change: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> torch.nn.Module:
    """Return a module that gives the states of another, changed.

    :param change: States (n, tokens, dim) and mask (n, tokens) → what is given.
    """
    import torch

    class Followed(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.states = states

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            return change(self.states(input_ids, attention_mask), attention_mask)

    return Followed().eval()


def _chained(model: Any, name: str) -> torch.nn.Module:
    """Return all modules of a model but a last normalization, which is done above, once dimensions have been cut."""
    import torch

    modules = without_last_normalization(model)
    if not all(getattr(module, "include_prompt", True) for module in modules):
        raise ModelError(f"{name!r} pools by where its prompt ends, which only torch can: give runtime='torch'.")

    class Chained(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.parts = torch.nn.ModuleList(modules)

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            features: dict[str, Any] = {"input_ids": input_ids, "attention_mask": attention_mask}
            for part in self.parts:
                features = part(features)
            vectors: torch.Tensor = features["sentence_embedding"]
            return vectors

    return Chained().eval()


def examples() -> tuple[torch.Tensor, torch.Tensor]:
    """Return ids and mask to trace a module with: padded, so that the mask is not traced away."""
    import torch

    ids = torch.ones((3, 9), dtype=torch.int64)
    mask = torch.ones_like(ids)
    mask[1, 5:] = 0
    return ids, mask


@contextmanager
def quiet() -> Iterator[None]:
    """Keep off the terminal what tracing says of traced Python values, and the exporter of packages that it could use.

    A comparison of vectors follows anyway.
    """
    from transformers.utils import logging as transformers_logging

    theirs: Any = transformers_logging
    exporter = logging.getLogger("torch.onnx")
    verbosity, level = theirs.get_verbosity(), exporter.level
    theirs.set_verbosity_error()
    exporter.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        theirs.set_verbosity(verbosity)
        exporter.setLevel(level)


@contextmanager
def without_blind_rows() -> Iterator[None]:
    """Let padding that may see no token at all see every one, while a graph is made.

    Before the first token of a causal model there is padding like that, and beyond a sliding window. torch gives zeros
    for it, OpenVINO zero divided by zero, which the next layer carries into all tokens. No token of a text is
    concerned. Masks are made without vmap too, which OpenVINO cannot trace (EmbeddingGemma's).
    """
    from transformers.masking_utils import AttentionMaskInterface, bidirectional_mask_function, sdpa_mask

    from qdrant_embed.long_context.patches.forward_context import FUSED

    def sighted(*args: Any, **kwargs: Any) -> Any:
        mask: Any = sdpa_mask(*args, **{**kwargs, "use_vmap": False})
        if mask is None or kwargs.get("mask_function") is bidirectional_mask_function:
            return mask
        return mask | ~mask.any(-1, keepdim=True)

    masks: Any = AttentionMaskInterface
    with _MASKS_CHANGED:
        for name in FUSED:
            masks.register(name, sighted)
        try:
            yield
        finally:
            for name in FUSED:
                masks.register(name, sdpa_mask)
