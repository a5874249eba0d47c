"""LoRA adapters: products of two small matrices that are added to a model's weights when it is loaded.

(Hu et al. 2021, arXiv 2106.09685, section 4.1: W + (alpha / r) · B·A.) Folders are read as the library peft writes
them, which is not needed. What such a folder can hold besides is refused, since vectors would be wrong without it.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from qdrant_embed.errors import ModelError
from qdrant_embed.models.files.json_files import read_json
from qdrant_embed.models.files.tensors import read_tensors
from qdrant_embed.types import FloatArray

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
_PART = re.compile(r"(?:base_model\.model\.)?(.+)\.lora_(embedding_)?([AB])(?:\.default)?(?:\.weight)?")
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


@dataclass(frozen=True, slots=True)
class AdapterProduct:
    """What is added to the weights of one layer.

    :param first: A, (rank, in).
    :param second: B, (out, rank).
    :param scale: What their product is multiplied by.
    :param embedding: Whether it is for the rows of a table, (rows, dim), instead of (out, in).
    """

    first: FloatArray
    second: FloatArray
    scale: float
    embedding: bool

    def added(self) -> FloatArray:
        """Return what is added, in the shape of the layer's weights."""
        product = (self.second @ self.first) * np.float32(self.scale)
        return product.T if self.embedding else product


def read_adapter(folder: Path) -> dict[str, AdapterProduct]:
    """Return what an adapter adds, by the names of layers, which may have those of models around them before.

    :raises ModelError: It holds something else, or halves of products.
    """
    stated, found = read_json(folder / CONFIG), {}
    for place, sides in _sides(read_tensors(folder / WEIGHTS), folder).items():
        first, second = (np.asarray(sides[half], np.float32) for half in "AB")
        alpha = float(stated.get("lora_alpha") or len(first))
        scale = alpha / (len(first) ** 0.5 if stated.get("use_rslora") else len(first))
        found[place] = AdapterProduct(first, second, scale, embedding="embedding" in sides)
    return found


def layer_of(layers: Container[str], place: str) -> str:
    """Return the layer that an adapter means; it was trained on the model within others, whose names stand before.

    Empty where there is none.
    """
    while place not in layers and "." in place:
        place = place.partition(".")[2]
    return place if place in layers else ""


def is_head(place: str) -> bool:
    """Tell whether an adapter means what is not loaded, since it gives no states."""
    return place.rpartition(".")[2] in _HEADS


def require_fit(folder: Path, place: str, added: Sequence[int], there: Sequence[int] | None) -> None:
    """Refuse an adapter that adds numbers of another shape than a layer's weights.

    :param there: Shape of these; None where there is no such layer.
    :raises ModelError: It does.
    """
    if there is None or tuple(added) != tuple(there):
        raise ModelError(
            f"the adapter in {folder} does not fit the model: it adds {tuple(added)} numbers to {place}, "
            f"where the model has {'nothing' if there is None else tuple(there)}. Is it that of another model?"
        )


def add_adapter(model: Any, folder: Path) -> None:
    """Add an adapter to the weights of a transformer of torch, in place.

    :raises ModelError: It does not fit the model.
    """
    import torch

    kinds = (torch.nn.Linear, torch.nn.Embedding)
    layers = {name: module for name, module in model.named_modules() if isinstance(module, kinds)}
    with torch.no_grad():
        for place, product in read_adapter(folder).items():
            name, added = layer_of(layers, place), product.added()
            if not name and is_head(place):
                continue
            require_fit(folder, place, added.shape, layers[name].weight.shape if name else None)
            weight = layers[name].weight.data
            more = torch.from_numpy(np.ascontiguousarray(added)).to(weight.device)
            weight.copy_((weight.float() + more).to(weight.dtype))


def _sides(tensors: Mapping[str, FloatArray], folder: Path) -> dict[str, dict[str, Any]]:
    """Return the halves A and B of each product by its place, and whether it is for a table (`embedding`)."""
    found: dict[str, dict[str, Any]] = {}
    for name, tensor in tensors.items():
        part = _PART.fullmatch(name)
        if part is None:
            raise ModelError(f"the adapter in {folder} holds {name}, which is no part of a product (lora_A, lora_B).")
        sides = found.setdefault(part[1], {})
        sides[part[3]] = tensor
        if part[2]:
            sides["embedding"] = True
    halves = [place for place, sides in found.items() if not {"A", "B"} <= set(sides)]
    if halves or not found:
        raise ModelError(f"the adapter in {folder} lacks a half of {', '.join(halves[:3]) or 'everything'}.")
    return found
