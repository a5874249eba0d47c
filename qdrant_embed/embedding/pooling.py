"""Token states into one vector per text, in numpy. Padding may stand on either side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from qdrant_embed.embedding.json_files import read_json
from qdrant_embed.embedding.kinds import kind_of_module, normalizes
from qdrant_embed.errors import ConfigurationError, ModelError
from qdrant_embed.types import FloatArray, IntArray

_SENTENCE = "sentence_embedding"


def mean(states: FloatArray, mask: IntArray) -> FloatArray:
    """Average the tokens. `states` (n, tokens, dim), `mask` (n, tokens) → (n, dim)."""
    weights = mask.astype(np.float32)
    total = np.einsum("ntd,nt->nd", states, weights, optimize=True)
    return np.asarray(total / np.maximum(weights.sum(1, keepdims=True), 1e-9), np.float32)


def weighted_mean(states: FloatArray, mask: IntArray) -> FloatArray:
    """Average with weights 1, 2, 3 … by position (SGPT, Muennighoff 2022, section 3.1)."""
    positions = np.cumsum(mask, axis=1) * mask
    return mean(states, positions)


def mean_sqrt(states: FloatArray, mask: IntArray) -> FloatArray:
    """Add the tokens and divide by the root of their number, so that longer texts have longer vectors."""
    counts = mask.sum(1, keepdims=True).astype(np.float32)
    return np.asarray(mean(states, mask) * np.sqrt(counts), np.float32)


def maximum(states: FloatArray, mask: IntArray) -> FloatArray:
    """Take the largest value of each dimension."""
    hidden = np.where(mask[:, :, None] == 1, states, np.float32(-np.inf))
    return np.asarray(hidden.max(axis=1), np.float32)


def first_token(states: FloatArray, mask: IntArray) -> FloatArray:
    """Take the first token that is not padding (`[CLS]`)."""
    return np.asarray(states[np.arange(len(states)), mask.argmax(axis=1)], np.float32)


def last_token(states: FloatArray, mask: IntArray) -> FloatArray:
    """Take the last token that is not padding."""
    last = mask.shape[1] - 1 - mask[:, ::-1].argmax(axis=1)
    return np.asarray(states[np.arange(len(states)), last], np.float32)


Pooler = Callable[[FloatArray, IntArray], FloatArray]
"""States (n, tokens, dim) and mask (n, tokens) → vectors (n, dim)."""

POOLINGS: Mapping[str, Pooler] = {
    "mean": mean,
    "weightedmean": weighted_mean,
    "mean_sqrt_len_tokens": mean_sqrt,
    "max": maximum,
    "cls": first_token,
    "lasttoken": last_token,
}
"""Pooling by the name that sentence-transformers uses."""


def load_pooler(name: str, folder: Path | None) -> Pooler:
    """Return a pooling by name, with its weights where it has any.

    :param folder: The model's folder.
    :raises ConfigurationError: It pools no token states.
    :raises ModelError: Its weights are missing or do not fit.
    """
    if name == "latents" and folder is not None:
        from qdrant_embed.embedding.latents import LatentPooling

        return LatentPooling.from_file(folder / "latent_pooling.safetensors")
    if name not in POOLINGS:
        raise ConfigurationError(
            f"the pooling {name!r} is not one of token states; choose one of {', '.join(POOLINGS)}."
        )
    return POOLINGS[name]


@dataclass(frozen=True, slots=True)
class LinearHead:
    """What dense layers without activation make of a pooled vector: one matrix and one offset for all of them.

    The mean of what they make of states is what they make of the mean, so that chunks can be pooled before.

    :param matrix: (out, in).
    :param offset: (out,).
    """

    matrix: FloatArray
    offset: FloatArray

    def __call__(self, vectors: FloatArray) -> FloatArray:
        """Return (n, out) of (n, in)."""
        return np.asarray(vectors @ self.matrix.T + self.offset, np.float32)


def linear_layers(folder: Path) -> list[Path]:
    """Return where the dense layers are of a model that is a transformer, a pooling, such layers and a normalization.

    An empty list where the model is another, or one of the layers has an activation.
    """
    modules = read_json(folder / "modules.json") or []
    if modules and normalizes(folder, modules[-1]):
        modules = modules[:-1]
    kinds = [kind_of_module(module["type"]) for module in modules]
    places = [folder / module["path"] for module in modules[2:]]
    if kinds[:2] != ["Transformer", "Pooling"] or set(kinds[2:]) != {"Dense"}:
        return []
    if not read_json(folder / modules[1]["path"] / "config.json").get("include_prompt", True):
        return []
    return places if all(_is_linear(read_json(place / "config.json")) for place in places) else []


def _is_linear(settings: Mapping[str, Any]) -> bool:
    given = {settings.get(key) or _SENTENCE for key in ("module_input_name", "module_output_name")}
    return str(settings.get("activation_function")).endswith(".Identity") and given == {_SENTENCE}


def load_linear_head(places: Sequence[Path]) -> LinearHead:
    """Read dense layers, which follow each other, as one.

    :raises ModelError: There are none: what stands behind the pooling cannot be applied to averages.
    """
    if not places:
        raise ModelError(
            "what stands behind the model's pooling is not dense layers without activation, and only those can be "
            "applied to the averages of chunks. Give another window strategy than 'late'."
        )
    from safetensors import safe_open

    matrix, offset = np.eye(1), np.zeros(1)
    for number, place in enumerate(places):
        with safe_open(str(place / "model.safetensors"), "pt") as stream:
            names = set(stream.keys())
            tensors = {name: stream.get_tensor(name).double().numpy() for name in names}
        weight = tensors["linear.weight"]
        if read_json(place / "config.json").get("use_residual"):
            weight = weight + tensors.get("residual.weight", np.eye(*weight.shape))
        bias = tensors.get("linear.bias", np.zeros(len(weight)))
        matrix = weight @ matrix if number else weight
        offset = weight @ offset + bias if number else bias
    return LinearHead(matrix.astype(np.float32), offset.astype(np.float32))
