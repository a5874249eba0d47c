"""The text side of a vision-language model: loaded without the image processor that sentence-transformers wants."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


def load_text_side(folder: Path, dtype: torch.dtype) -> Any:
    """Return a vision-language model as a module that takes token ids and gives token states, no image among them.

    (VLM2Vec, arXiv 2410.05160, section 3: texts alone go through the same model.)
    """
    import torch
    from transformers import AutoModel, AutoTokenizer

    offline = {"local_files_only": True, "trust_remote_code": False}
    tokenizer: Any = AutoTokenizer.from_pretrained(folder, **offline)
    loaded = AutoModel.from_pretrained(folder, use_safetensors=True, dtype=dtype, **offline)

    class TextSide(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = loaded.eval()
            self.tokenizer = tokenizer

        def forward(self, features: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
            names = ("input_ids", "attention_mask")
            states = self.model(**{name: features[name] for name in names}).last_hidden_state
            return {**features, "token_embeddings": states}

    return TextSide()


def sees_images(config: dict[str, Any]) -> bool:
    """Tell from `config.json` whether a model has a vision side."""
    return "vision_config" in config
