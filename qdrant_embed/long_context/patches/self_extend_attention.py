"""SelfExtend's attention in two bands: true distances near a token, grouped ones further away, on either side.

Scores are held for some queries at a time, never for all pairs of a text.
"""

from __future__ import annotations

from typing import Any

import torch

from qdrant_embed.long_context.patches.forward_context import Reading
from qdrant_embed.long_context.positions import shift

_SCORES = 2**24
"""Scores that are held at once, of all heads of a text: 64 MiB in float32."""


class Bands(torch.nn.Module):
    """Attention over queries and keys that were not rotated yet.

    :param rotation: The model's own rotation: states and places (n, tokens) → cosines and sines (n, tokens, d).
    :param group: SelfExtend's g: tokens that share a place beyond the window.
    :param window: SelfExtend's w: distances below it are the true ones.
    """

    def __init__(self, rotation: Any, group: int, window: int) -> None:
        super().__init__()
        self.rotation = rotation
        self._group, self._window = group, window
        self._layered = bool(getattr(rotation, "layer_types", None))

    def concern(self, kwargs: dict[str, Any]) -> bool:
        """Tell whether a block is meant: not one that slides over a window, with a rotation of its own."""
        return not (self._layered and kwargs.get("sliding_window"))

    def attend(
        self, module: Any, states: tuple[torch.Tensor, ...], kwargs: dict[str, Any], reading: Reading
    ) -> torch.Tensor:
        """Return what long texts see, (n, tokens, heads, d), zeros for short ones.

        :param states: Queries (n, heads, tokens, d), keys and values (n, groups of heads, tokens, d), and the mask.
        """
        query, key, value, *others = states
        mask = others[0] if others else kwargs.get("attention_mask")
        seen = torch.zeros_like(query)
        causal = mask is None and bool(getattr(module, "is_causal", False))
        scaling = kwargs.get("scaling") or query.shape[-1] ** -0.5
        for row in reading.long.nonzero().flatten().tolist():
            inside = reading.mask[row].nonzero().flatten()
            text = slice(int(inside[0]), int(inside[-1]) + 1)
            of_text = None if mask is None else mask[min(row, len(mask) - 1), 0, text, text]
            one = _Text(query[row, :, text] * scaling, key[row, :, text], value[row, :, text], of_text)
            seen[row, :, text] = self._attend_text(one, causal, kwargs.get("softcap"))
        return seen.transpose(1, 2).contiguous()

    def _attend_text(self, text: _Text, causal: bool, softcap: float | None) -> torch.Tensor:  # noqa: FBT001
        """Return what each token of a text sees (heads, tokens, d)."""
        heads, tokens, _ = text.query.shape
        repeats = heads // len(text.key)
        places = torch.arange(tokens, device=text.query.device)
        far, moved = places // self._group, places // self._group + shift(self._group, self._window)
        near_keys, left_keys, right_keys = (self._rotated(text.key, at) for at in (places, far, moved))
        size = max(1, _SCORES // (heads * tokens))
        seen = torch.empty_like(text.query)
        for start in range(0, tokens, size):
            block = slice(start, min(start + size, tokens))
            distance = places - places[block].unsqueeze(1)
            scores = _scores(self._rotated(text.query[:, block], places[block]), near_keys, repeats)
            # Keys on the left stand nearer than they are, those on the right too; queries are moved the other way.
            left = _scores(self._rotated(text.query[:, block], moved[block]), left_keys, repeats)
            scores = torch.where(distance <= -self._window, left, scores)
            if not causal:
                right = _scores(self._rotated(text.query[:, block], far[block]), right_keys, repeats)
                scores = torch.where(distance >= self._window, right, scores)
            if softcap:
                scores = torch.tanh(scores / softcap) * softcap
            scores = _masked(scores, distance, None if text.mask is None else text.mask[block], causal)
            weights = torch.softmax(scores, dim=-1, dtype=torch.float32).to(text.value.dtype)
            seen[:, block] = _weighted(weights, text.value)
        return seen

    def _rotated(self, states: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        """Rotate states (heads, tokens, d) to places (tokens,), the first dimensions where not all are rotated."""
        layer = ("full_attention",) if self._layered else ()
        cosines, sines = self.rotation(states, places.unsqueeze(0), *layer)
        width = cosines.shape[-1]
        turned, kept = states[..., :width], states[..., width:]
        first, second = turned.chunk(2, dim=-1)
        crossed = torch.cat((-second, first), dim=-1)
        return torch.cat((turned * cosines + crossed * sines, kept), dim=-1)


class _Text:
    """One text's queries, keys, values and (tokens, tokens) mask, without padding."""

    def __init__(self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: torch.Tensor | None) -> None:
        self.query, self.key, self.value, self.mask = query, key, value, mask


def _scores(query: torch.Tensor, key: torch.Tensor, repeats: int) -> torch.Tensor:
    """Return scores (heads, queries, keys) where `repeats` heads share keys."""
    groups, tokens, width = key.shape
    shared = query.reshape(groups, repeats * query.shape[1], width)
    return torch.matmul(shared, key.transpose(1, 2)).reshape(groups * repeats, -1, tokens)


def _weighted(weights: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """Return the sums (heads, queries, d) of values that several heads share, without a copy for each head."""
    groups, tokens, width = value.shape
    heads, queries, _ = weights.shape
    return torch.matmul(weights.reshape(groups, -1, tokens), value).reshape(heads, queries, width)


def _masked(scores: torch.Tensor, distance: torch.Tensor, mask: torch.Tensor | None, causal: bool) -> torch.Tensor:  # noqa: FBT001
    if mask is not None:
        return scores.masked_fill(~mask, float("-inf")) if mask.dtype == torch.bool else scores + mask
    return scores.masked_fill(distance > 0, float("-inf")) if causal else scores
