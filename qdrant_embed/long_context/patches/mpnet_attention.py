"""Attention with a bias for each distance (MPNet), some queries at a time: never all pairs of a long text."""

from __future__ import annotations

from typing import Any

import torch

from qdrant_embed.long_context.patches.forward_context import READING, recorded

_QUERIES = 256
"""Queries of a block; 12 heads over 4096 keys then hold 50 MB of scores."""


class Biases:
    """What is added to scores, by the distance of key and query.

    :param encoder: The blocks of an MPNet model, which share the biases.
    """

    def __init__(self, encoder: Any, tokens: int, device: torch.device) -> None:
        distances = torch.arange(1 - tokens, tokens, device=device)
        self._values = encoder.relative_attention_bias(encoder.relative_position_bucket(distances))
        self._tokens = tokens

    def block(self, start: int, end: int) -> torch.Tensor:
        """Return the biases of queries `[start, end)` and all keys (1, heads, queries, keys)."""
        places = torch.arange(self._tokens, device=self._values.device)
        found: torch.Tensor = self._values[places - places[start:end, None] + self._tokens - 1]
        return found.permute(2, 0, 1).unsqueeze(0)


def attend_in_blocks(model: Any) -> None:
    """Let an MPNet model read long texts in blocks of queries, in place; graphs of it are made as before."""
    encoder_kind: Any = type(model.encoder)

    class Encoder(encoder_kind):  # type: ignore[misc]
        def compute_position_bias(self, x: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
            if READING.get() is None or recorded():
                return encoder_kind.compute_position_bias(self, x, *args, **kwargs)
            return Biases(self, x.shape[1], x.device)

    model.encoder.__class__ = Encoder
    for module in model.encoder.modules():
        if hasattr(module, "attention_head_size"):
            module.__class__ = _in_blocks(type(module))


def _in_blocks(kind: Any) -> Any:
    class Attention(kind):  # type: ignore[misc]
        def forward(
            self, hidden_states: torch.Tensor, attention_mask: Any = None, position_bias: Any = None, **kwargs: Any
        ) -> Any:
            if not isinstance(position_bias, Biases):
                return kind.forward(self, hidden_states, attention_mask, position_bias=position_bias, **kwargs)
            return (self.o(_attend(self, hidden_states, attention_mask, position_bias)),)

    return Attention


def _attend(layer: Any, states: torch.Tensor, mask: torch.Tensor | None, biases: Biases) -> torch.Tensor:
    shape = (*states.shape[:-1], -1, layer.attention_head_size)
    query, key, value = (part(states).view(shape).transpose(1, 2) for part in (layer.q, layer.k, layer.v))
    seen = []
    for start in range(0, states.shape[1], _QUERIES):
        end = min(start + _QUERIES, states.shape[1])
        added = biases.block(start, end)
        if mask is not None:
            added = added + (mask if mask.shape[2] == 1 else mask[:, :, start:end])
        seen.append(
            torch.nn.functional.scaled_dot_product_attention(query[:, :, start:end], key, value, attn_mask=added)
        )
    joined: torch.Tensor = torch.cat(seen, dim=2).transpose(1, 2).flatten(2)
    return joined
