"""Pooling of token vectors in torch, for graphs that are exported with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

Pool = Callable[["torch.Tensor", "torch.Tensor"], "torch.Tensor"]
"""States (n, tokens, dim) and mask (n, tokens) → vectors (n, dim)."""


def _mean(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    weights = mask.to(states.dtype).unsqueeze(-1)
    return (states * weights).sum(1) / weights.sum(1).clamp(min=1e-9)


def _weighted_mean(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return _mean(states, mask.cumsum(1) * mask)


def _mean_sqrt(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    weights = mask.to(states.dtype).unsqueeze(-1)
    return (states * weights).sum(1) / weights.sum(1).clamp(min=1e-9).sqrt()


def _maximum(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return states.masked_fill(mask.unsqueeze(-1) == 0, float("-inf")).amax(1)


def _at(states: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    index = places.view(-1, 1, 1).expand(-1, 1, states.shape[2])
    return states.gather(1, index).squeeze(1)


def _first(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return _at(states, (mask.cumsum(1) == 0).sum(1))


def _last(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return _at(states, (mask.cumsum(1) == 0).sum(1) + mask.sum(1) - 1)


POOLS: Mapping[str, Pool] = {
    "mean": _mean,
    "weightedmean": _weighted_mean,
    "mean_sqrt_len_tokens": _mean_sqrt,
    "max": _maximum,
    "cls": _first,
    "lasttoken": _last,
}
"""The poolings of `pooling.POOLINGS` in torch, for either side of padding."""
