"""Tiny LoRA adapters with random weights, in the layout of peft, and what they do by their definition."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

RANK, ALPHA = 2, 8


def save_tiny_adapter(
    folder: Path,
    model: Path,
    targets: Sequence[str] = ("q_proj", "v_proj"),
    *,
    prefix: str = "",
    seed: int = 3,
    **more: Any,
) -> Path:
    """Save an adapter for the layers of a saved transformer whose names end in one of the targets; return the folder.

    :param prefix: What stands before the names of layers where it was trained within a larger model, e.g. `model.`.
    :param more: More entries of `adapter_config.json`.
    """
    import torch
    from safetensors.torch import save_file
    from transformers import AutoModel

    generator, tensors = torch.Generator().manual_seed(seed), {}
    for name, layer in AutoModel.from_pretrained(model).named_modules():
        if not name.endswith(tuple(targets)):
            continue
        embedding = isinstance(layer, torch.nn.Embedding)
        inner, outer = layer.weight.shape if embedding else reversed(layer.weight.shape)
        part, end = ("lora_embedding_", "") if embedding else ("lora_", ".weight")
        for half, shape in (("A", (RANK, inner)), ("B", (outer, RANK))):
            key = f"base_model.model.{prefix}{name}.{part}{half}{end}"
            tensors[key] = torch.randn(shape, generator=generator) * 0.3
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / "adapter_model.safetensors", {"format": "pt"})
    config = {
        "peft_type": "LORA",
        "r": RANK,
        "lora_alpha": ALPHA,
        "bias": "none",
        "base_model_name_or_path": str(model),
    }
    (folder / "adapter_config.json").write_text(json.dumps(config | more), encoding="utf-8")
    return folder


def hook_adapter(model: Any, folder: Path, *, prefix: str = "", scale: float = ALPHA / RANK) -> Any:
    """Let a transformer compute with an adapter as training does, beside its weights, which stay; return the model."""
    from safetensors.torch import load_file

    tensors: Mapping[str, torch.Tensor] = load_file(folder / "adapter_model.safetensors")
    for name, layer in model.named_modules():
        key = f"base_model.model.{prefix}{name}"
        if f"{key}.lora_A.weight" in tensors:
            _hook(
                layer,
                lambda x, key=key: x @ tensors[f"{key}.lora_A.weight"].T @ tensors[f"{key}.lora_B.weight"].T,
                scale,
            )
        if f"{key}.lora_embedding_A" in tensors:
            _hook(
                layer,
                lambda ids, key=key: tensors[f"{key}.lora_embedding_A"].T[ids] @ tensors[f"{key}.lora_embedding_B"].T,
                scale,
            )
    return model


def _hook(layer: Any, added: Any, scale: float) -> None:
    layer.register_forward_hook(lambda _, inputs, output: output + scale * added(inputs[0]))
