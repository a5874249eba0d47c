"""LoRA adapters: products of two small matrices that are added to a model's weights when it is loaded.

(Hu et al. 2021, arXiv 2106.09685, section 4.1: W + (alpha / r) · B·A.) Folders are read as the library peft writes
them, which is not needed. What such a folder can hold besides is refused, since vectors would be wrong without it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qdrant_embed.errors import ModelError
from qdrant_embed.models.files.json_files import read_json

if TYPE_CHECKING:
    import torch

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
_PART = re.compile(r"(?:base_model\.model\.)?(.+)\.lora_(?:embedding_)?([AB])(?:\.default)?(?:\.weight)?")
_HEADS = ("lm_head", "score", "classifier")
"""Modules that are not loaded, since they give no states: what was added to them does not matter."""
_REFUSED: Mapping[str, tuple[Any, ...]] = {
    "peft_type": ("LORA",),
    "bias": ("none",),
    "use_dora": (False,),
    "fan_in_fan_out": (False,),
    "lora_bias": (False,),
    "alpha_pattern": ({},),
    "modules_to_save": ([],),
    "layer_replication": ([],),
    "trainable_token_indices": ([],),
}
"""Setting → what it may be, besides left out."""


def is_adapter(folder: Path) -> bool:
    """Tell whether a folder holds an adapter and no model of its own."""
    return (folder / CONFIG).is_file() and not any((folder / name).exists() for name in ("config.json", "modules.json"))


def base_of(folder: Path) -> tuple[str, str]:
    """Return the folder or hub id of the model that an adapter is added to, and its revision.

    :raises ModelError: The adapter does not say.
    """
    stated = read_json(folder / CONFIG)
    if not stated.get("base_model_name_or_path"):
        raise ModelError(
            f"{folder / CONFIG} does not say which model it belongs to: add base_model_name_or_path to it."
        )
    return str(stated["base_model_name_or_path"]), str(stated.get("revision") or "")


def require_adapter(folder: Path) -> Path:
    """Return the folder of an adapter that can be added.

    :raises ModelError: It is none, is pickled, or needs more than sums of products.
    """
    if not (folder / CONFIG).is_file():
        raise ModelError(
            f"{folder} holds no adapter: {CONFIG} is missing. Correct adapter in the preset; empty, it names none."
        )
    if not (folder / WEIGHTS).is_file():
        raise ModelError(
            f"{folder} has no {WEIGHTS}. Weights as a pickle (adapter_model.bin) can run code when they are loaded; "
            "convert them once, where that does no harm: PeftModel.from_pretrained(MODEL, FOLDER)"
            ".save_pretrained(NEW_FOLDER)"
        )
    stated = read_json(folder / CONFIG)
    for key, allowed in _REFUSED.items():
        if stated.get(key) and stated[key] not in allowed:
            raise ModelError(
                f"the adapter in {folder} has {key} = {stated[key]!r}, which is not known here. Merge it with peft: "
                "PeftModel.from_pretrained(MODEL, FOLDER).merge_and_unload().save_pretrained(NEW_FOLDER)"
            )
    return folder


def add_adapter(model: Any, folder: Path) -> None:
    """Add an adapter to the weights of a transformer, in place.

    :raises ModelError: It does not fit the model.
    """
    import torch
    from safetensors import safe_open

    stated, layers = read_json(folder / CONFIG), _layers(model)
    with safe_open(str(folder / WEIGHTS), "pt") as stream:
        tensors = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118 - no mapping
    with torch.no_grad():
        for place, (first, second) in _pairs(tensors, folder).items():
            layer = _layer(layers, place)
            if layer is None and place.rpartition(".")[2] in _HEADS:
                continue
            rank, alpha = first.shape[0], float(stated.get("lora_alpha") or first.shape[0])
            added = second.float() @ first.float() * (alpha / (rank**0.5 if stated.get("use_rslora") else rank))
            if layer is not None and isinstance(layer, torch.nn.Embedding):
                added = added.T
            if layer is None or layer.weight.shape != added.shape:
                raise ModelError(
                    f"the adapter in {folder} does not fit the model: it adds {tuple(added.shape)} numbers to {place}, "
                    f"where the model has {_size(layer)}. Is it that of another model?"
                )
            weight = layer.weight.data
            weight.copy_((weight.float() + added.to(weight.device)).to(weight.dtype))


def _pairs(tensors: Mapping[str, torch.Tensor], folder: Path) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    found: dict[str, dict[str, torch.Tensor]] = {}
    for name, tensor in tensors.items():
        part = _PART.fullmatch(name)
        if part is None:
            raise ModelError(f"the adapter in {folder} holds {name}, which is no part of a product (lora_A, lora_B).")
        found.setdefault(part[1], {})[part[2]] = tensor
    halves = [place for place, sides in found.items() if set(sides) != {"A", "B"}]
    if halves or not found:
        raise ModelError(f"the adapter in {folder} lacks a half of {', '.join(halves[:3]) or 'everything'}.")
    return {place: (sides["A"], sides["B"]) for place, sides in found.items()}


def _layers(model: Any) -> dict[str, Any]:
    import torch

    kinds = (torch.nn.Linear, torch.nn.Embedding)
    return {name: module for name, module in model.named_modules() if isinstance(module, kinds)}


def _layer(layers: Mapping[str, Any], place: str) -> Any:
    """Return the layer that an adapter means; it was trained on the model within others, whose names stand before."""
    while place not in layers and "." in place:
        place = place.partition(".")[2]
    return layers.get(place)


def _size(layer: Any) -> str:
    return "nothing" if layer is None else str(tuple(layer.weight.shape))
