"""Attention of extended models: sharper over long texts, and with grouped distances."""

from __future__ import annotations

import sys
from typing import Any

import torch
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, eager_mask, sdpa_mask

from qdrant_embed.long_context.patches.forward_context import READING, Reading
from qdrant_embed.long_context.patches.self_extend_attention import Bands

_FUSED, _EAGER = "qdrant_embed", "qdrant_embed_eager"
"""Names under which transformers knows our attention; only models that were extended go by them."""
_BANDS = "extended_bands"


def scale_queries(model: Any) -> None:
    """Let the attention of a model multiply its queries by `Reading.scale`.

    Queries are multiplied, not scores: attention stays the fused kernel, which never holds all scores of a head.
    """
    if model.config.model_type != "mpnet":
        _attend_here(model)
        return
    # Its attention is its own; transformers lets nobody replace it.
    for module in model.modules():
        if hasattr(module, "attention_head_size"):
            module.q.register_forward_hook(lambda _module, _inputs, query: _scaled(query, READING.get()))


def group_distances(model: Any, bands: Bands) -> None:
    """Let the attention of a model see long texts through SelfExtend's two bands."""
    _attend_here(model)
    for module in model.modules():
        if hasattr(module, "is_causal"):
            setattr(module, _BANDS, bands)


def _attend_here(model: Any) -> None:
    attention: Any = AttentionInterface
    masks: Any = AttentionMaskInterface
    for name, attend, mask in ((_FUSED, _fused, sdpa_mask), (_EAGER, _eager, eager_mask)):
        attention.register(name, attend)
        masks.register(name, mask)
    if model.config._attn_implementation not in (_FUSED, _EAGER):
        model.config._attn_implementation = _FUSED if model.config._attn_implementation == "sdpa" else _EAGER


def _fused(module: Any, query: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
    return _attend(sdpa_attention_forward, module, query, args, kwargs)


def _eager(module: Any, query: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
    theirs: Any = sys.modules[type(module).__module__]
    return _attend(theirs.eager_attention_forward, module, query, args, kwargs)


def _attend(usual: Any, module: Any, query: torch.Tensor, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    reading = READING.get()
    query = _scaled(query, reading)
    bands: Bands | None = getattr(module, _BANDS, None)
    if reading is None or bands is None or not bands.concern(kwargs):
        return usual(module, query, *args, **kwargs)
    if reading.long.all():
        return bands.attend(module, (query, *args), kwargs, reading), None
    states, _ = usual(module, query, *args, **kwargs)
    grouped = bands.attend(module, (query, *args), kwargs, reading)
    return torch.where(reading.long.view(-1, 1, 1, 1), grouped, states), None


def _scaled(query: torch.Tensor, reading: Reading | None) -> torch.Tensor:
    """Return queries (n, …) times the scale of their text."""
    if reading is None or reading.scale is None:
        return query
    # In float32, the type of the scale: rounded to bfloat16 it would be off by the same 0.4 % in all of a text.
    return (query * reading.scale.view(-1, *[1] * (query.ndim - 1))).to(query.dtype)
