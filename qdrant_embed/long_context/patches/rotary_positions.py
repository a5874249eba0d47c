"""Rotary positions: at which places, or by which frequencies, the tokens of a long text are rotated.

Blocks whose attention slides over a window of its own, and that have frequencies of their own (ModernBERT, Gemma 3),
never see further than that window: they are left as they are.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

from qdrant_embed.errors import ModelError
from qdrant_embed.long_context.extension_plan import ExtensionPlan
from qdrant_embed.long_context.patches.attention import group_distances, scale_queries
from qdrant_embed.long_context.patches.forward_context import READING, Reading, StretchedPositions, counted, read_by
from qdrant_embed.long_context.patches.self_extend_attention import Bands
from qdrant_embed.long_context.positions import dynamic_multiples, grouped, ntk_frequencies

_ROTATION = "rotary_emb"
_SLIDING, _FULL = "sliding_attention", "full_attention"


def extend_rotary(model: Any, extension_plan: ExtensionPlan) -> None:
    """Make a transformer of `transformers` with rotary positions read up to the target, in place.

    :raises ModelError: Its rotations cannot be found.
    """
    parent = next((module for module in model.modules() if hasattr(module, _ROTATION)), None)
    if parent is None:
        raise ModelError(f"the rotary positions of a {model.config.model_type!r} model were not found.")
    rotation, method = getattr(parent, _ROTATION), extension_plan.extension.method
    if extension_plan.extension.scaled:
        scale_queries(model)
    if method == "selfextend":
        group_distances(model, Bands(rotation, *extension_plan.group_and_window))
        setattr(parent, _ROTATION, _Unrotated(rotation))
    elif method in ("gp", "pi"):
        setattr(parent, _ROTATION, _Moved(rotation))
    else:
        setattr(parent, _ROTATION, _Slowed(rotation, extension_plan, model.config))
    read_by(model, _Places(extension_plan))


class _Places(StretchedPositions):
    def read(self, mask: torch.Tensor) -> tuple[Reading, None]:
        places, lengths = counted(mask), mask.sum(1)
        known = lengths.clamp(max=self._tokens)
        factors = self.factors[known].unsqueeze(1)
        if self._method in ("gp", "pi"):
            places = grouped(places, factors) if self._method == "gp" else places / factors
        scale = self.scales[known] if self._scaled else None
        return Reading(mask, lengths, lengths > self._trained, scale, places), None


class _Rotation(torch.nn.Module):
    """In place of a rotation: the old one for texts and blocks that are left as they are."""

    def __init__(self, rotation: Any) -> None:
        super().__init__()
        self.rotation = rotation

    def forward(self, x: torch.Tensor, position_ids: torch.Tensor, layer_type: str | None = None) -> Any:
        layer = () if layer_type is None else (layer_type,)
        reading = READING.get()
        if reading is None or layer_type == _SLIDING:
            return self.rotation(x, position_ids, *layer)
        return self.rotate(reading, x, position_ids, layer)

    def rotate(self, reading: Reading, x: torch.Tensor, own: torch.Tensor, layer: tuple[str, ...]) -> Any:
        """Return cosines and sines (n, tokens, d).

        :param own: Positions that the model would take by itself (n or 1, tokens).
        """
        raise NotImplementedError


class _Moved(_Rotation):
    """Long texts stand elsewhere, perhaps between two positions."""

    def rotate(self, reading: Reading, x: torch.Tensor, own: torch.Tensor, layer: tuple[str, ...]) -> Any:
        return self.rotation(x, _chosen(reading, own), *layer)


class _Unrotated(_Rotation):
    """Long texts are left to attention, which rotates them itself."""

    def rotate(self, reading: Reading, x: torch.Tensor, own: torch.Tensor, layer: tuple[str, ...]) -> Any:
        cosines, sines = self.rotation(x, own.expand(len(reading.long), -1), *layer)
        long = reading.long.view(-1, 1, 1)
        return torch.where(long, 1.0, cosines), torch.where(long, 0.0, sines)


class _Slowed(_Rotation):
    """Long texts have lower frequencies."""

    slowed: torch.Tensor
    multiples: torch.Tensor

    def __init__(self, rotation: Any, extension_plan: ExtensionPlan, config: Any) -> None:
        super().__init__(rotation)
        self._layer = _FULL if getattr(rotation, "layer_types", None) else ""
        self._tokens, self._size = extension_plan.extension.tokens, 1.0
        trained = self._trained().detach().cpu().float().numpy()
        multiples = np.ones(1, np.float32)
        slowed = torch.from_numpy(trained.copy())
        if extension_plan.extension.method == "ntk":
            slowed = torch.from_numpy(ntk_frequencies(trained, extension_plan.ntk_lambda))
        elif extension_plan.extension.method == "yarn":
            slowed, self._size = _yarn(config, extension_plan, self._layer)
        else:
            multiples = dynamic_multiples(
                self._tokens, extension_plan.trained, extension_plan.dynamic_factor, 2 * len(trained)
            )
        device = self._trained().device
        self.register_buffer("slowed", slowed.to(device), persistent=False)
        self.register_buffer("multiples", torch.from_numpy(multiples).to(device), persistent=False)

    def rotate(self, reading: Reading, x: torch.Tensor, own: torch.Tensor, layer: tuple[str, ...]) -> Any:
        long = reading.long.unsqueeze(1)
        frequencies = torch.where(long, self._of(reading.lengths), self._trained().float())
        angles = _chosen(reading, own)[..., None].float() * frequencies.unsqueeze(1)
        both = torch.cat((angles, angles), dim=-1)
        usual = self._setting("attention_scaling")
        size = torch.where(long, self._size * usual, usual).unsqueeze(1)
        return (both.cos() * size).to(x.dtype), (both.sin() * size).to(x.dtype)

    def _of(self, lengths: torch.Tensor) -> torch.Tensor:
        """Return the frequencies of long texts (n or 1, d/2)."""
        if len(self.multiples) == 1:
            return self.slowed.unsqueeze(0)
        shares = torch.arange(len(self.slowed), device=lengths.device) / len(self.slowed)
        return self.slowed * self.multiples[lengths.clamp(max=self._tokens)].unsqueeze(1) ** -shares

    def _trained(self) -> torch.Tensor:
        frequencies: torch.Tensor = self._setting("inv_freq")
        return frequencies

    def _setting(self, name: str) -> Any:
        return getattr(self.rotation, f"{self._layer}_{name}" if self._layer else name)


def _chosen(reading: Reading, own: torch.Tensor) -> torch.Tensor:
    """Return the places of long texts, and for short ones the model's own."""
    if reading.places is None:
        raise TypeError("rotary positions are read with places")
    return torch.where(reading.long.unsqueeze(1), reading.places, own)


def _yarn(config: Any, extension_plan: ExtensionPlan, layer: str) -> tuple[torch.Tensor, float]:
    """Return YaRN's frequencies and what cosines and sines are multiplied by, as transformers has them.

    (Peng et al. 2023, arXiv 2309.00071, section 3)
    """
    changed = copy.deepcopy(config)
    rope = changed.rope_parameters[layer] if layer else changed.rope_parameters
    rope |= {
        "rope_type": "yarn",
        "factor": max(1.0, extension_plan.extension.tokens / extension_plan.trained),
        "original_max_position_embeddings": extension_plan.trained,
    }
    find: Any = ROPE_INIT_FUNCTIONS["yarn"]
    slowed, size = find(changed, layer_type=layer or None)
    return slowed, float(size)
