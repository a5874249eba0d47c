"""What a preset changes in a transformer: its attention, its blocks, the states it gives, how far and what it reads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qdrant_embed.errors import ConfigurationError, ModelError
from qdrant_embed.long_context.extension_plan import ExtensionPlan
from qdrant_embed.models.presets import Preset

if TYPE_CHECKING:
    import torch

_BLOCK_LISTS = ("layer", "layers", "h", "block", "blocks")
"""What transformers calls the list of a model's blocks."""
_FINAL_NORMS = ("norm", "final_norm", "final_layernorm", "final_layer_norm", "ln_f")
"""What it calls the normalization that follows the last block, beside that list."""


def shape(model: Any, preset: Preset, extension_plan: ExtensionPlan | None = None) -> None:
    """Change a transformer (of `transformers`) into what the preset says, in place.

    :param extension_plan: What makes it read longer texts.
    :raises ConfigurationError: The model has fewer blocks, or the preset asks for blocks and then for none.
    :raises ModelError: It cannot attend that way.
    """
    if preset.layers and preset.states in ("first", "input"):
        raise ConfigurationError(
            f"{preset.name!r}: states = {preset.states!r} runs no block, so layers={preset.layers} has no meaning; "
            "leave one of them out."
        )
    if preset.layers:
        keep_blocks(model, preset.layers)
    if preset.states == "input":
        keep_blocks(model, 1)
    if preset.attention:
        set_attention(model, preset.attention)
    _place(model, preset, extension_plan)


def _place(model: Any, preset: Preset, extension_plan: ExtensionPlan | None) -> None:
    # Here, and not above: these need torch to be imported, which whoever reads this file does not.
    from qdrant_embed.long_context.patches.absolute_positions import extend_absolute, read_tuned
    from qdrant_embed.long_context.patches.rotary_positions import extend_rotary

    if preset.short_factor > 1 or preset.scale_from:
        read_tuned(model, preset.short_factor, preset.scale_from)
    if extension_plan is not None:
        (extend_absolute if extension_plan.kind == "learned" else extend_rotary)(model, extension_plan)


def set_attention(model: Any, attention: str) -> None:
    """Let tokens see those before them only (`causal`), or all (`bidirectional`), and try whether they do.

    Layers with a sliding window keep it: it then reaches as far to the right as to the left. (ULLME, arXiv 2408.03402,
    section 3.1; KaLM-Embedding-V2, arXiv 2506.20923, section 3.1)

    :raises ModelError: This kind of model cannot attend that way.
    """
    causal = attention == "causal"
    for module in model.modules():
        config = getattr(module, "config", None)
        if config is not None:
            config.is_causal = causal
            if causal and getattr(config, "use_bidirectional_attention", None):
                config.use_bidirectional_attention = False
        if hasattr(module, "is_causal"):
            # Where no mask is needed, the kernel is told by this attribute alone.
            module.is_causal = causal
    if any(_sees_later_tokens(model, padding) == causal for padding in (0, 1)):
        raise ModelError(
            f"a model of type {model.config.model_type!r} cannot be made {attention} here; correct attention in its "
            "preset, or leave it out."
        )


def _sees_later_tokens(model: Any, padding: int) -> bool:
    """Tell whether the state of a first token depends on the last one; without padding the way there is another."""
    import torch

    pair = torch.tensor([[5, 6, 7, 8], [5, 6, 7, 9]], device=model.device) % model.get_input_embeddings().num_embeddings
    pair = torch.nn.functional.pad(pair, (0, padding))
    mask = torch.ones_like(pair)
    mask[:, 4:] = 0
    with torch.inference_mode():
        states = model(input_ids=pair, attention_mask=mask).last_hidden_state[:, 0].float()
    return not torch.allclose(states[0], states[1], rtol=1e-5, atol=1e-7)


def keep_blocks(model: Any, number: int) -> None:
    """Remove the blocks above the lowest `number`; what is left gives that block's states, as training saw them.

    A normalization that follows the last block goes too: the states of inner blocks were never normalized by it (2DMSE,
    arXiv 2402.14776, section 3; AdaptiveLayerLoss of sentence-transformers).

    :raises ConfigurationError: The model has fewer blocks.
    :raises ModelError: Its blocks cannot be found.
    """
    import torch

    parent, name = _blocks(model)
    blocks = getattr(parent, name)
    if number > len(blocks):
        raise ConfigurationError(f"layers={number}: the model has {len(blocks)} blocks; give at most that many.")
    if number == len(blocks):
        return
    setattr(parent, name, blocks[:number])
    model.config.num_hidden_layers = number
    for norm in _FINAL_NORMS:
        if isinstance(getattr(parent, norm, None), torch.nn.Module):
            setattr(parent, norm, torch.nn.Identity())


def _blocks(model: Any) -> tuple[Any, str]:
    """Return the module that holds the list of blocks, and the list's name."""
    import torch

    number = model.config.num_hidden_layers
    for module in model.modules():
        for name in _BLOCK_LISTS:
            blocks = getattr(module, name, None)
            if isinstance(blocks, torch.nn.ModuleList) and len(blocks) == number:
                return module, name
    raise ModelError(f"the blocks of a {model.config.model_type!r} model were not found, so it cannot be cut short.")


def select_states(transformer: Any, states: str, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Run a transformer and return the states that a preset pools.

    :param transformer: The model itself, of `transformers`.
    :param states: As in `Preset`; not `last`.
    :return: (n, tokens, dim); for `topK` and `layers` the layers stand side by side, so dim is a multiple.
    """
    import torch

    if states == "first":
        rows: torch.Tensor = transformer.get_input_embeddings()(ids)
        return rows
    layers = transformer(input_ids=ids, attention_mask=mask, output_hidden_states=True).hidden_states
    if states == "input":
        found: torch.Tensor = layers[0]
        return found
    if states.startswith("top"):
        # Highest last, as they are counted.
        return torch.cat(layers[1:][-int(states.removeprefix("top")) :], dim=-1)
    return torch.cat(layers[1:], dim=-1)


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
