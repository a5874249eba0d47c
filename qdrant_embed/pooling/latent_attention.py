"""Trained pooling by cross attention: learned queries read the states of a model's layers (or of its tokens).

Pooling and Attention (Tang and Yang 2024, arXiv 2409.02727, section 3): a block in the manner of Perceiver (Jaegle et
al. 2021) whose latents attend over one vector per layer, followed by a gated feed-forward network; the vector is the
mean of the latents. Padding is left out of the attention, also where the authors' code lets it in.

Models with causal attention were trained on the last token alone, of each layer or of the highest (M3 and M2 of the
paper), others on all of them (M5 and M4). Both fit the same weights, so the file says which (metadata: tokens).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from qdrant_embed.errors import ModelError
from qdrant_embed.pooling.token_pooling import last_token, mean
from qdrant_embed.types import FloatArray, IntArray

_EPSILON = 1e-5
_TOKENS = ("all", "last")
_SHAPES: Mapping[str, str] = {
    "latents": "latents width",
    "latents_norm.weight": "width",
    "latents_norm.bias": "width",
    "states_norm.weight": "width",
    "states_norm.bias": "width",
    "to_q.weight": "inner width",
    "to_k.weight": "inner width",
    "to_v.weight": "inner width",
    "to_out.weight": "width inner",
    "forward_norm.weight": "width",
    "forward_norm.bias": "width",
    "forward_in.weight": "twice width",
    "forward_in.bias": "twice",
    "forward_out.weight": "width hidden",
    "forward_out.bias": "width",
}
"""Tensor → names of its sides; `layer_embedding` (layers, width) is there if one vector per layer is read."""


@dataclass(frozen=True, slots=True)
class LatentPooling:
    """The weights, and how many heads they are split into.

    :param weights: Tensor name → array, float32.
    :param tokens: Tokens that are read: `all`, or the `last` one, as in training.
    """

    weights: Mapping[str, FloatArray]
    heads: int
    tokens: str

    @classmethod
    def from_file(cls, path: Path) -> LatentPooling:
        """Read the weights; the number of heads, and which tokens are read, stand in the file's metadata.

        :raises ModelError: The file is missing, does not say that, or its tensors do not fit together.
        """
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(str(path), "np") as stream:
                weights = {name: np.asarray(stream.get_tensor(name), np.float32) for name in stream.keys()}  # noqa: SIM118
                about = stream.metadata() or {}
                heads, tokens = int(about.get("heads", "0")), about.get("tokens", "")
        except (OSError, SafetensorError, ValueError) as error:
            raise ModelError(f"the trained pooling {path} cannot be read: {error}") from error
        _require_shapes(path, weights, heads)
        if tokens not in _TOKENS:
            raise ModelError(
                f"the trained pooling {path} does not say which tokens it was trained on (metadata: tokens = "
                f"{tokens!r}); write 'last' for a model with causal attention, 'all' for others, as its training did."
            )
        return cls(weights, heads, tokens)

    def __call__(self, states: FloatArray, mask: IntArray) -> FloatArray:
        """Pool states (n, tokens, dim) into vectors (n, width).

        With a layer embedding, `dim` holds the layers side by side: each layer is averaged over its tokens first (or
        its last one taken), and the latents read one vector per layer. Without, they read the tokens.
        """
        layers = self.weights.get("layer_embedding")
        last = self.tokens == "last"
        if layers is None and last:
            return self._read(last_token(states, mask)[:, None], np.ones((len(states), 1), np.int64))
        if layers is None:
            return self._read(np.asarray(states, np.float32), mask)
        width = layers.shape[1]
        number = states.shape[2] // width
        if states.shape[2] % width or number > len(layers):
            raise ModelError(
                f"the trained pooling reads up to {len(layers)} layers of {width} dimensions; the model gave "
                f"{states.shape[2]} numbers per token."
            )
        read = last_token(states, mask) if last else mean(states, mask)
        vectors = read.reshape(len(states), number, width) + layers[:number]
        return self._read(vectors, np.ones(vectors.shape[:2], np.int64))

    def _read(self, states: FloatArray, mask: IntArray) -> FloatArray:
        """Attend from the latents to the states, (n, items, width) → (n, width)."""
        weights = self.weights
        latents, keyed = weights["latents"], self._norm("states", states)
        queries = self._split(self._norm("latents", latents)[None] @ weights["to_q.weight"].T)
        keys = self._split(keyed @ weights["to_k.weight"].T)
        values = self._split(keyed @ weights["to_v.weight"].T)
        scores = queries @ keys.transpose(0, 1, 3, 2) / np.sqrt(queries.shape[-1])
        scores = np.where(mask[:, None, None, :] == 1, scores, np.float32(-np.inf))
        shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
        read = (shares / shares.sum(axis=-1, keepdims=True)) @ values
        joined = read.transpose(0, 2, 1, 3).reshape(len(states), len(latents), -1)
        latents = latents + joined @ weights["to_out.weight"].T
        latents = latents + self._forward(self._norm("forward", latents))
        return np.asarray(latents.mean(axis=1), np.float32)

    def _norm(self, name: str, values: FloatArray) -> FloatArray:
        centered = values - values.mean(axis=-1, keepdims=True)
        scaled = centered / np.sqrt((centered**2).mean(axis=-1, keepdims=True) + _EPSILON)
        return np.asarray(scaled * self.weights[f"{name}_norm.weight"] + self.weights[f"{name}_norm.bias"], np.float32)

    def _split(self, values: FloatArray) -> FloatArray:
        """(n, items, inner) → (n, heads, items, inner / heads)."""
        rows, items, inner = values.shape
        return values.reshape(rows, items, self.heads, inner // self.heads).transpose(0, 2, 1, 3)

    def _forward(self, values: FloatArray) -> FloatArray:
        """Pass one half through the gate of the other (GEGLU, Shazeer 2020)."""
        both = values @ self.weights["forward_in.weight"].T + self.weights["forward_in.bias"]
        kept, gate = np.split(both, 2, axis=-1)
        gated = kept * _gelu(gate)
        return np.asarray(gated @ self.weights["forward_out.weight"].T + self.weights["forward_out.bias"], np.float32)


def _gelu(values: FloatArray) -> FloatArray:
    """Exact GELU: x · Φ(x). The error function is that of Abramowitz and Stegun 7.1.26, right to 1.5e-7."""
    scaled = np.abs(values) / np.float32(np.sqrt(2))
    part = 1 / (1 + 0.3275911 * scaled)
    series = part * (
        0.254829592 + part * (-0.284496736 + part * (1.421413741 + part * (-1.453152027 + part * 1.061405429)))
    )
    error = np.sign(values) * (1 - series * np.exp(-(scaled**2)))
    return np.asarray(0.5 * values * (1 + error), np.float32)


def _require_shapes(path: Path, weights: Mapping[str, FloatArray], heads: int) -> None:
    missing = sorted(set(_SHAPES) - set(weights))
    if missing or heads < 1:
        what = f"lacks {', '.join(missing)}" if missing else "does not say its number of heads (metadata: heads)"
        raise ModelError(f"the trained pooling {path} {what}.")
    sizes: dict[str, int] = {}
    for name, sides in _SHAPES.items():
        named = sides.split()
        fits = weights[name].ndim == len(named) and all(
            sizes.setdefault(side, size) == size for side, size in zip(named, weights[name].shape, strict=True)
        )
        if not fits:
            raise ModelError(
                f"the trained pooling {path}: {name} has the shape {weights[name].shape}, which fits no other."
            )
    if sizes["twice"] != 2 * sizes["hidden"] or sizes["inner"] % heads:
        raise ModelError(f"the trained pooling {path}: {heads} heads and a gate do not fit its shapes {sizes}.")
