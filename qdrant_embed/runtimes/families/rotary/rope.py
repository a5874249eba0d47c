"""Rotary positions as `config.json` states them: how far each pair of dimensions turns from one position to the next.

(Su et al. 2021, arXiv 2104.09864, section 3.4.2; the kinds that stretch it in the arithmetic of transformers.)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from qdrant_embed.types import FloatArray, Json

ROPE_ENTRIES = ("rope_theta", "rope_parameters", "rope_scaling", "original_max_position_embeddings")
"""Entries of `config.json` that are read here."""
FULL, SLIDING = "full_attention", "sliding_attention"
"""Kinds of blocks: those that see all tokens, and those that see near ones only."""
_KINDS = ("default", "linear", "llama3", "yarn")
_SETTINGS = (
    *("rope_theta", "rope_type", "type", "factor", "original_max_position_embeddings", "attention_factor"),
    *("beta_fast", "beta_slow", "low_freq_factor", "high_freq_factor", "mscale", "mscale_all_dim", "truncate"),
    "partial_rotary_factor",
)
_BETAS = (32, 1)
"""Turns within the trained window beyond which YaRN leaves a frequency, and below which it divides it."""


@dataclass(frozen=True, slots=True)
class Turning:
    """How far states turn.

    :param frequencies: Radians from one position to the next, of each pair of dimensions, (d/2,) float32.
    :param size: What cosines and sines are multiplied by.
    """

    frequencies: FloatArray
    size: float = 1.0


def stated_rope(
    config: Mapping[str, Json], theta: float, layer: str = "", *, theta_entry: str = "rope_theta", scaled: bool = True
) -> dict[str, Json]:
    """Return the settings of a model's rotary positions, with what older files write beside them.

    :param theta: The base where no file says.
    :param layer: `full_attention` or `sliding_attention`, of a model in which they differ.
    :param theta_entry: Where older files have the base.
    :param scaled: Whether an older `rope_scaling` is about this kind of layer.
    """
    given, scaling = config.get("rope_parameters") or {}, config.get("rope_scaling") or {}
    rope = {**(given.get(layer) or {}), **(scaling if scaled else {})} if layer else dict(scaling or given)
    base = config.get(theta_entry)
    rope.setdefault("rope_theta", theta if base is None else base)
    rope["rope_type"] = str(rope.get("rope_type", rope.get("type", "default")))
    original = config.get("original_max_position_embeddings") or config.get("max_position_embeddings")
    rope.setdefault("original_max_position_embeddings", original)
    if layer:
        rope["truncate"] = True  # transformers asks for it beside the kinds of layers, where it never is
    elif config.get("original_max_position_embeddings"):
        rope["original_max_position_embeddings"] = original
    return rope


def unknown_rope(rope: Mapping[str, Json], *, partial: bool = False) -> str:
    """Return why rotary positions with these settings are not computed here; empty if they are.

    :param partial: Whether a part of each head may be rotated alone.
    """
    if rope["rope_type"] not in _KINDS:
        return f"its rotary positions are of the kind {rope['rope_type']!r}; built here are {', '.join(_KINDS)}"
    if not partial and rope.get("partial_rotary_factor") not in (None, 1):
        return f"it rotates a part of each head alone (partial_rotary_factor={rope['partial_rotary_factor']})"
    unknown = sorted(key for key, value in rope.items() if value is not None and key not in _SETTINGS)
    return f"its rotary positions have a setting that is not known here ({', '.join(unknown)})" if unknown else ""


def kind_of(config: Mapping[str, Json], number: int, *, slides: bool) -> str:
    """Return the kind of a block: as `layer_types` says, else sliding where `slides`."""
    stated = config.get("layer_types")
    return str(stated[number]) if stated else SLIDING if slides else FULL


def unknown_kinds(config: Mapping[str, Json], rope_of: Callable[[Mapping[str, Json], str], dict[str, Json]]) -> str:
    """Return why a model of two kinds of blocks is not built here; empty if it is.

    :param rope_of: What `stated_rope` gives for a kind.
    """
    kinds = set(config.get("layer_types") or ())
    if kinds - {FULL, SLIDING}:
        return f"its layers are of the kinds {', '.join(sorted(kinds))}"
    return unknown_rope(rope_of(config, FULL)) or unknown_rope(rope_of(config, SLIDING))


def turning(rope: Mapping[str, Json], dim: int, positions: int) -> Turning:
    """Return how far states turn by the settings that `stated_rope` gives.

    :param dim: Dimensions of a head that are rotated, d.
    :param positions: `max_position_embeddings`.
    """
    frequencies = 1.0 / rope["rope_theta"] ** (np.arange(0, dim, 2) / dim)
    size = 1.0
    if rope["rope_type"] == "linear":
        frequencies = frequencies / rope["factor"]
    elif rope["rope_type"] == "llama3":
        frequencies = _llama3(rope, frequencies)
    elif rope["rope_type"] == "yarn":
        factor = rope.get("factor") or positions / rope["original_max_position_embeddings"]
        frequencies = _yarn(rope, frequencies, factor, rope.get("truncate", True))
        size = _yarn_size(rope, factor)
    return Turning(np.asarray(frequencies, np.float32), size)


def _llama3(rope: Mapping[str, Json], frequencies: FloatArray) -> FloatArray:
    """Return low frequencies divided by the factor, high ones as they are, and a mixture between."""
    low, high = rope["low_freq_factor"], rope["high_freq_factor"]
    turns = rope["original_max_position_embeddings"] * frequencies / (2 * math.pi)
    share = np.clip((turns - low) / (high - low), 0, 1)
    return np.asarray((1 - share) * frequencies / rope["factor"] + share * frequencies)


def _yarn(rope: Mapping[str, Json], frequencies: FloatArray, factor: float, truncate: bool) -> FloatArray:  # noqa: FBT001
    """Return frequencies that turn seldom divided by the factor, others as they are (arXiv 2309.00071, section 3.2)."""
    base, pairs = rope["rope_theta"], len(frequencies)
    fast, slow = (rope.get(name) or usual for name, usual in zip(("beta_fast", "beta_slow"), _BETAS, strict=True))

    def place(turns: float) -> float:
        wide = rope["original_max_position_embeddings"] / (turns * 2 * math.pi)
        return float(pairs * math.log(wide) / math.log(base))

    low, high = place(fast), place(slow)
    if truncate:
        low, high = math.floor(low), math.ceil(high)
    low, high = max(low, 0), min(high, 2 * pairs - 1)
    divided = np.clip((np.arange(pairs) - low) / ((high - low) or 1e-3), 0, 1)
    return np.asarray(frequencies / factor * divided + frequencies * (1 - divided))


def _yarn_size(rope: Mapping[str, Json], factor: float) -> float:
    """Return what cosines and sines are multiplied by, so that attention stays as sharp (section 3.4)."""

    def size(weight: float = 1.0) -> float:
        return 0.1 * weight * math.log(factor) + 1.0 if factor > 1 else 1.0

    if rope.get("attention_factor") is not None:
        return float(rope["attention_factor"])
    above, below = rope.get("mscale"), rope.get("mscale_all_dim")
    return size(above) / size(below) if above and below else size()
