"""Pooling of token vectors in torch, for graphs that are exported with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import truediv
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

Pool = Callable[["torch.Tensor", "torch.Tensor"], "torch.Tensor"]
"""States (n, tokens, dim) and mask (n, tokens) → vectors (n, dim)."""


def _sums(states: torch.Tensor, weights: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return states times weights (n, tokens), added up, and the sum of weights (n, 1), never 0."""
    wide = weights.to(states.dtype).unsqueeze(-1)
    return (states * wide).sum(1), wide.sum(1).clamp(min=1e-9)


def _mean_sqrt(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    total, weights = _sums(states, mask)
    return total / weights.sqrt()


def _at(states: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    index = places.view(-1, 1, 1).expand(-1, 1, states.shape[2])
    return states.gather(1, index).squeeze(1)


POOLS: Mapping[str, Pool] = {
    "mean": lambda states, mask: truediv(*_sums(states, mask)),
    "weightedmean": lambda states, mask: truediv(*_sums(states, mask.cumsum(1) * mask)),
    "mean_sqrt_len_tokens": _mean_sqrt,
    "max": lambda states, mask: states.masked_fill(mask.unsqueeze(-1) == 0, float("-inf")).amax(1),
    "cls": lambda states, mask: _at(states, (mask.cumsum(1) == 0).sum(1)),
    "lasttoken": lambda states, mask: _at(states, (mask.cumsum(1) == 0).sum(1) + mask.sum(1) - 1),
}
"""The poolings of `pooling.POOLINGS` in torch, for either side of padding."""
